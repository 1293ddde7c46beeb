"""The spec that a model file of any origin gets: what the user says, else what the file states, held against its graph.

`Classifier`, `earproof convert`, `metadata show` and `metadata write` all come here, so that they tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata.errors import ModelContractError
from metadata.foreign.probed_scores import Hear, Rows
from metadata.foreign.said_fields import SaidFields
from metadata.foreign.score_claim import score_claim
from metadata.foreign.spectrogram_claim import spectrogram_faults
from metadata.foreign.stated_fields import HIGHEST_RATE, LOWEST_RATE, StatedFields, read_stated
from metadata.foreign.waveform_claim import waveform_claim
from metadata.labels import listed
from metadata.mended_labels import TO_MEND
from metadata.packing.contract_check import check_contract, score_place
from metadata.packing.packed_model import read_spec
from metadata.plural import counted
from metadata.spec import ModelSpec, Provenance, WaveformFrontEnd, replace_spec
from metadata.tflite_file.model_content import ModelContent, TensorInfo, parse_model
from metadata.tflite_file.score_operator import score_kind

DEFAULT_THRESHOLD = 0.5
_USUAL_RATES = (4000, 192_000)  # Hz; outside these a note names the rate: it may be a slip
_MOST_NAMED = 5  # labels in a note
_RATE = "--sample-rate HZ"
_WRITE = "earproof metadata write FILE --out NEW.tflite"


@dataclass(frozen=True)
class ForeignContract:
    """A spec, or what stands in its way.

    Attributes
    ----------
    spec : ModelSpec or None
    notes : tuple of str
        What was mended, taken from elsewhere, assumed, or looks odd.
    faults : tuple of str
        What contradicts itself or is not known; empty with a spec.
    options : tuple of str
        Of `earproof metadata write` that say what is not known; empty where none would help.
    labels : tuple of str
        As far as they are known.
    """

    spec: ModelSpec | None
    notes: tuple[str, ...]
    faults: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def settled(self, way: str = _WRITE) -> ModelSpec:
        """Return the spec, or raise ModelContractError with every fault and how to settle what is not known."""
        if self.spec is not None:
            return self.spec
        how = f"; say so with: {way} {' '.join(self.options)}" if self.options else ""
        raise ModelContractError("; ".join(self.faults) + how)


def foreign_contract(
    model: bytes | ModelContent,
    said: SaidFields | None = None,
    hear: Hear | None = None,
    base: ModelSpec | None = None,
) -> ForeignContract:
    """Return the contract of a model file.

    Parameters
    ----------
    model : bytes or ModelContent
        Checked by `metadata.gate.model_check` already.
    said : SaidFields, optional
    hear : callable, optional
        Runs the model on test signals, see `edge_runtime.model.probe`; without it the graph alone is looked at.
    base : ModelSpec, optional
        Taken in place of everything that the file says; by default the spec of ours inside it.

    Raises
    ------
    ModelContractError
        Not a model, or a spec of ours inside that is broken.
    """
    said = said or SaidFields()
    content = parse_model(model)
    tensors = content.tensors
    own = base or read_spec(content)
    if len(tensors.inputs) != 1 or len(tensors.outputs) != (1 if own is None or own.frames is None else 2):
        counts = f"the model has {counted(len(tensors.inputs), 'input')} and {counted(len(tensors.outputs), 'output')}"
        return ForeignContract(None, (), (f"{counts}; expected one of each",))
    draft = _Draft(content, said, own, read_stated(content))
    spec = draft.spec(hear)
    options = () if draft.is_refused else tuple(dict.fromkeys(draft.options))
    return ForeignContract(spec, tuple(draft.notes), tuple(draft.faults), options, draft.known_labels)


@dataclass
class _Draft:
    """Collects the fields of a spec, and all that is wrong on the way."""

    content: ModelContent
    said: SaidFields
    own: ModelSpec | None
    stated: StatedFields
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    known_labels: tuple[str, ...] = ()
    assumes_threshold: bool = False
    is_refused: bool = False  # whatever anybody says of the model

    def spec(self, hear: Hear | None) -> ModelSpec | None:
        """Return the spec where nothing stands in its way."""
        if self.own is None:
            self.notes += self.stated.notes
            if self.stated.labels_are_mended and not self.said.source:  # else a mended file is being made
                self.notes.append(TO_MEND)
        labels, sample_rate = self._labels(), self._sample_rate()
        self.faults += self.said.faults
        window_length = 0 if self.said.faults else self._window_length(sample_rate)
        claimed = self.said.activation or (self.own.activation if self.own else None)
        if self.faults:
            self._ask_for_scores(claimed)
            return None
        spec = self._build(labels, sample_rate, window_length, claimed)
        return None if spec is None else self._with_scores(spec, claimed, hear)

    def _labels(self) -> tuple[str, ...]:
        """What the scores stand for."""
        count = self._score_output().size
        own = self.own.labels if self.own else self.stated.labels
        labels = tuple(self.said.labels or own or ())
        if self.own is None and self.said.labels:
            self.notes += self.stated.label_faults
        if self.said.labels and own and tuple(own) != labels:
            self.notes.append(f"the file names its scores {_shown(own)}; taken for {_shown(labels)}, as given")
        if not labels:
            why = "; ".join(self.stated.label_faults)
            what = "nothing says what the scores of the model stand for"
            self._ask(f"{what} ({why})" if why else what, "--labels labels.txt")
        elif len(labels) != count:
            whose = "the label file" if self.said.labels else "the file"
            self.faults.append(
                f"{whose} has {counted(len(labels), 'name')} but the model puts out {counted(count, 'score')}; "
                "was it exported with another label file?"
            )
        self.known_labels = labels
        return labels

    def _score_output(self) -> TensorInfo:
        """The output that holds the scores; a file of others has one alone."""
        outputs = self.content.tensors.outputs
        return outputs[
            0 if self.own is None or self.own.frames is None else score_place(self.content.tensors, self.own)
        ]

    def _sample_rate(self) -> int | None:
        """Hz of the waveform."""
        known = self.own.sample_rate if self.own else self.stated.sample_rate
        rate = known if self.said.sample_rate is None else self.said.sample_rate
        if rate is None:
            self._ask_for_rate()
            return None
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            self.faults.append(f"the sample rate is {rate} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE}")
            return None
        if known not in (None, rate):
            self.notes.append(f"the file states {known} Hz; taken at the {rate} Hz that were given")
        if not _USUAL_RATES[0] <= rate <= _USUAL_RATES[1]:
            self.notes.append(f"the sample rate of {rate} Hz is unusual for sound")
        return rate

    def _ask_for_rate(self) -> None:
        """Say that nobody has stated the sample rate, and which one a description speaks of."""
        hint = self.stated.rate_in_text
        what = "the model holds no TFLite metadata, and nothing states its sample rate"
        if self.stated.has_metadata:
            what = "the metadata gives the model's input no AudioProperties with a sample rate"
        self._ask(
            what + (f" (a description speaks of {hint} Hz)" if hint else ""), f"--sample-rate {hint}" if hint else _RATE
        )

    def _window_length(self, sample_rate: int | None) -> int:
        """Samples in one input, 0 where they are not known."""
        front_end = self.said.front_end or (self.own.front_end if self.own else WaveformFrontEnd())
        if not front_end.inside_model:
            length = self.said.window_length or (self.own.window_length if self.own else 0)
            if not length:
                self._ask("nothing states how many samples a spectrogram is made of", "--window-length N")
                return 0
            faults, notes = spectrogram_faults(self.content.tensors.inputs[0], front_end, length)
            self.faults += faults
            self.notes += notes
            return length
        self._check_waveform(sample_rate)
        size = self.content.tensors.inputs[0].size
        length = self.said.window_length or (self.own.window_length if self.own else size)
        if length != size:
            audio = self.content.tensors.inputs[0]
            self.faults.append(
                f"the model takes {audio} with {counted(size, 'value')}, but windows of {length} samples are said"
            )
        return size

    def _check_waveform(self, sample_rate: int | None) -> None:
        """Hold against the graph that the input is a waveform of one channel."""
        claim = waveform_claim(self.content, sample_rate)
        explicit = self.said.front_end is not None or self.own is not None
        stated = self.own is None and self.stated.is_audio
        if claim.refusal:
            self.faults.append(claim.refusal)
            self.is_refused |= not claim.is_spectrogram
            if claim.is_spectrogram and self.said.front_end is None:
                self.options.append("--front-end mel --n-fft N --hop-length N --window-length N")
        elif claim.doubt and not (explicit or stated):
            self._ask(claim.doubt, "--front-end waveform")
        elif claim.doubt:
            self.notes.append(claim.doubt)
        channels = self.stated.channels if stated else 1
        if channels is None:
            self.notes.append("AudioProperties states no number of channels; taken for 1 (mono)")
        elif channels != 1:
            self.is_refused = True
            self.faults.append(f"the model takes {counted(channels, 'channel')}; expected 1 (mono)")

    def _build(
        self, labels: tuple[str, ...], sample_rate: int | None, window_length: int, claimed: str | None
    ) -> ModelSpec | None:
        """The spec before its scores are looked at."""
        assert sample_rate is not None  # else there is a fault
        known = self.own
        try:
            spec = ModelSpec(
                **self._texts(len(labels)),
                sample_rate=sample_rate,
                window_length=window_length,
                labels=labels,
                activation="sigmoid" if claimed == "sigmoid" else "softmax",
                thresholds=self._thresholds(len(labels)),
                front_end=self.said.front_end or (known.front_end if known else WaveformFrontEnd()),
                recipe=known.recipe if known else "unknown",
                provenance=self._provenance(),
                frames=known.frames if known else None,
            )
            check_contract(self.content.tensors, spec)
        except ModelContractError as error:
            self.faults.append(str(error))
            return None
        return spec

    def _texts(self, num_labels: int) -> dict[str, Any]:
        """Name, version and description."""
        said, known = self.said, self.own or self.stated
        texts = {
            "name": said.name or known.name or said.default_name,
            "version": said.version or known.version or said.default_version,
        }
        assumed = [key for key, text in texts.items() if not (getattr(said, key) or getattr(known, key))]
        if assumed:
            self.notes.append(
                f"the file states no {' and no '.join(assumed)}; taken for "
                + " and ".join(repr(texts[key]) for key in assumed)
            )
        description = known.description if said.description is None else said.description
        if not description and said.source:
            description = f"Tells {counted(num_labels, 'label')} apart."
        return {**texts, "description": description}

    def _thresholds(self, count: int) -> tuple[float, ...]:
        """From which score on labels count."""
        if self.own and len(self.own.thresholds) == count:
            return self.own.thresholds
        single = DEFAULT_THRESHOLD if self.stated.threshold is None else self.stated.threshold
        thresholds = self.stated.thresholds if len(self.stated.thresholds) == count else (None,) * count
        self.assumes_threshold = self.stated.threshold is None and None in thresholds
        return tuple(single if threshold is None else threshold for threshold in thresholds)

    def _provenance(self) -> Provenance:
        """Where the file came from, with the author and the license that it states."""
        known = self.own.provenance if self.own else Provenance()
        source = "" if self.own and self.said.insists else self.said.source  # his own spec is written as it is
        texts = {"author": self.stated.author, "license": self.stated.license, "source": source}
        training = {**known.training, **{key: text for key, text in texts.items() if text}}
        return Provenance(**{**vars(known), "training": training})

    def _with_scores(self, spec: ModelSpec, claimed: str | None, hear: Hear | None) -> ModelSpec | None:
        """The spec with what its scores are, after looking at some."""
        rows: Rows | None = None
        try:
            rows = hear(self.content, spec) if hear else None
        except ModelContractError as error:
            self.faults.append(str(error))
            return None
        claim = score_claim(self.content, claimed, rows, self.said.insists)
        self.faults += claim.faults
        self.notes += claim.notes
        for ask in claim.asks:
            self._ask(ask, "--activation softmax (or sigmoid)")
        if self.faults:
            return None
        if self.assumes_threshold:
            self.notes.append(_threshold_note(claim.activation, self.stated.thresholds))
        return replace_spec(spec, activation=claim.activation, score_transform=claim.transform)

    def _ask_for_scores(self, claimed: str | None) -> None:
        """Say what is not known of the scores too, as far as the graph tells that."""
        kind = score_kind(self.content)
        if kind.is_linear and claimed is None:
            self._ask(f"the model {kind.what}: are its scores softmax or sigmoid?", "--activation softmax (or sigmoid)")

    def _ask(self, what: str, option: str) -> None:
        """Note what is not known, and the option that says it."""
        self.faults.append(what)
        self.options.append(option)


def _threshold_note(activation: str, stated: Sequence[float | None]) -> str:
    """What decides where a file states no threshold, or one for some labels."""
    num_stated = sum(threshold is not None for threshold in stated)
    if num_stated:
        others = f"the others count from {DEFAULT_THRESHOLD} on"
        return f"the file states thresholds of {num_stated} of {counted(len(stated), 'label')}; {others}"
    if activation == "softmax":
        return (
            "the file states no threshold; the label with the highest score is the decision, however low that is, and "
            f"{DEFAULT_THRESHOLD} is only from where an event begins (earproof listen --on)"
        )
    return f"the file states no threshold; labels count from {DEFAULT_THRESHOLD} on"


def _shown(labels: Sequence[str]) -> str:
    """The first labels."""
    more = f" and {len(labels) - _MOST_NAMED} more" if len(labels) > _MOST_NAMED else ""
    return ", ".join(listed(labels[:_MOST_NAMED])) + more


def tell_notes(notes: Sequence[str], tell: Callable[[str], Any], source: str = "") -> None:
    """Tell the notes of a contract, each behind the name of its file."""
    for note in notes:
        tell(f"{source}: {note}" if source else note)
