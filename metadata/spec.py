"""The contract of a model file: what goes in, what comes out, and where it came from.

A `ModelSpec` travels inside the `.tflite` as the associated file `model_spec.json`. Every field but
`score_transform` and `frames` is required in the JSON and unknown fields are errors, so that a reader never guesses.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from metadata.errors import ModelContractError
from metadata.labels import check_labels
from metadata.plural import counted

SPEC_FILE_NAME = "model_spec.json"
DIGEST_FIELD = "model_sha256"  # of the file that the spec was written into, see `model_digest`; no field of the spec
SPEC_VERSION = 1
ACTIVATIONS = ("softmax", "sigmoid")
SCORE_MARGIN = 1e-3  # by which a score may lie outside 0 to 1: rounding
ANNOTATED = "annotated"  # in `provenance.training`, true where the recordings had annotations
_OPTIONAL = {"score_transform": "none", "frames": None}  # left out of the JSON at these: older readers lack them
_HINTS: dict[type, dict[str, Any]] = {}


@dataclass(frozen=True, kw_only=True)
class WaveformFrontEnd:
    """The model takes samples and needs no feature."""

    kind: Literal["waveform"] = "waveform"
    inside_model: bool = True

    def __post_init__(self) -> None:
        _check_types(self)
        _require(self.kind == "waveform", f"front_end.kind is {self.kind!r}; expected 'waveform'")
        _require(self.inside_model, "front_end.inside_model is false; a waveform model takes samples itself")


@dataclass(frozen=True, kw_only=True)
class StftFrontEnd:
    """Magnitude or power STFT of a window, shape (1 + n_fft // 2, n_frames), centred frames, periodic Hann."""

    kind: Literal["stft"] = "stft"
    inside_model: bool = True
    n_fft: int  # samples in one transform, even
    hop_length: int  # samples between frames
    win_length: int  # samples under the Hann window, centred in n_fft
    power: float  # exponent of the magnitude: 1.0 magnitude, 2.0 power
    pad_mode: Literal["reflect", "constant", "none"] = "reflect"  # beyond the ends of the window; none: no frame does

    def __post_init__(self) -> None:
        _check_types(self)
        _require(self.kind == "stft", f"front_end.kind is {self.kind!r}; expected 'stft'")
        _check_frames(self)


@dataclass(frozen=True, kw_only=True)
class MelFrontEnd:
    """Mel spectrogram of a window, shape (n_mels, n_frames), in librosa's terms.

    With the padding "none" the first frame's Hann window begins at the first sample, and no frame reaches beyond the
    end (TensorFlow's framing; librosa's `center=False`, where `win_length` is `n_fft`).
    """

    kind: Literal["mel"] = "mel"
    inside_model: bool = True
    n_fft: int = 2048  # samples in one transform, even
    hop_length: int = 512  # samples between frames
    win_length: int = 2048  # samples under the periodic Hann window, centred in n_fft
    power: float = 2.0  # exponent of the magnitude before the mel filters
    pad_mode: Literal["reflect", "constant", "none"] = "reflect"  # beyond the ends of the window; none: no frame does
    n_mels: int = 128
    fmin: float = 0.0  # Hz
    fmax: float = 8000.0  # Hz
    mel_scale: Literal["slaney", "htk"] = "slaney"
    mel_norm: Literal["slaney", "none"] = "slaney"
    log: Literal["none", "log10", "ln_plus"] = "none"  # compression: log10(max(mel, floor)), or ln(mel + floor)
    log_floor: float = 1e-10  # smallest value that enters the logarithm

    def __post_init__(self) -> None:
        _check_types(self)
        _require(self.kind == "mel", f"front_end.kind is {self.kind!r}; expected 'mel'")
        _check_frames(self)
        _require(self.n_mels >= 1, f"front_end.n_mels is {self.n_mels}; expected at least 1")
        _require(
            0.0 <= self.fmin < self.fmax,
            f"front_end.fmin is {self.fmin} and fmax {self.fmax} Hz; expected 0 <= fmin < fmax",
        )
        _require(self.log_floor > 0.0, f"front_end.log_floor is {self.log_floor}; expected a positive value")


FrontEnd = WaveformFrontEnd | StftFrontEnd | MelFrontEnd


def frame_padding(front_end: StftFrontEnd | MelFrontEnd) -> tuple[int, int]:
    """Return how many samples frames reach before the first and behind the last sample of a window."""
    if front_end.pad_mode != "none":
        return front_end.n_fft // 2, front_end.n_fft // 2
    before = (front_end.n_fft - front_end.win_length) // 2  # where the Hann window is zero
    return before, front_end.n_fft - front_end.win_length - before


def frame_count(front_end: StftFrontEnd | MelFrontEnd, num_samples: int) -> int:
    """Return how many frames a window of so many samples has."""
    return 1 + (num_samples + sum(frame_padding(front_end)) - front_end.n_fft) // front_end.hop_length


_FRONT_ENDS: dict[str, type] = {"waveform": WaveformFrontEnd, "stft": StftFrontEnd, "mel": MelFrontEnd}


@dataclass(frozen=True)
class FrameScores:
    """A second output: a score a label for every frame of the window, frame by frame.

    Attributes
    ----------
    num_frames : int
    hop_length : int
        Samples: frame i stands for the samples from i * hop_length up to, not including, (i + 1) * hop_length.
    thresholds : tuple of float
        One a label, in [0, 1], for frames; empty: those of the window.
    """

    num_frames: int
    hop_length: int
    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _check_types(self)
        _require(self.num_frames >= 1, f"frames.num_frames is {self.num_frames}; expected at least 1")
        _require(self.hop_length >= 1, f"frames.hop_length is {self.hop_length}; expected samples, at least 1")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a model came from: enough to tell two files apart and to train the same one again."""

    data_sha256: str = ""  # of the clip index with the hash of every recording
    split_sha256: str = ""  # of path, group and split of every clip
    seed: int = 0
    training: Mapping[str, Any] = field(default_factory=dict)  # flat settings of the training
    packages: Mapping[str, str] = field(default_factory=dict)  # name -> version
    calibration_sha256: str = ""  # of the calibration windows; empty where none were used
    calibration_windows: int = 0

    def __post_init__(self) -> None:
        _check_types(self)


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Everything the runtime must know about a model file.

    Attributes
    ----------
    name, version, description : str
        What loaders show.
    sample_rate : int
        Hz of the waveform that the model takes.
    window_length : int
        Samples in one model input.
    labels : tuple of str
        In output order.
    activation : {"softmax", "sigmoid"}
        softmax: the decision is the label with the highest score; sigmoid: every label whose score
        reaches its threshold.
    thresholds : tuple of float
        One a label, in [0, 1]: the score from which the label counts. With softmax a label that wins
        but stays under its threshold is still the decision; the threshold serves event detection.
    front_end : WaveformFrontEnd, StftFrontEnd or MelFrontEnd
        How the network's features come from the waveform, and whether the model does that itself.
    recipe : str
        Name of the quantization recipe of this file.
    provenance : Provenance
    score_transform : {"none", "exp", "softmax", "sigmoid"}
        What makes scores in [0, 1] of what the model puts out: nothing for files of our own; exp of logarithms, softmax
        or sigmoid of logits.
    frames : FrameScores or None
        What the second output holds; None for a model with one output.
    """

    name: str
    version: str
    description: str
    sample_rate: int
    window_length: int
    labels: tuple[str, ...]
    activation: Literal["softmax", "sigmoid"]
    thresholds: tuple[float, ...]
    front_end: FrontEnd
    recipe: str = "float32"
    provenance: Provenance = field(default_factory=Provenance)
    spec_version: int = SPEC_VERSION
    score_transform: Literal["none", "exp", "softmax", "sigmoid"] = "none"
    frames: FrameScores | None = None

    _NAMES: ClassVar[tuple[str, ...]] = ("name", "version", "recipe")

    def __post_init__(self) -> None:
        _check_types(self)
        for attribute in self._NAMES:
            _require(bool(getattr(self, attribute)), f"{attribute} is empty; expected text")
        _require(
            self.spec_version == SPEC_VERSION,
            f"spec_version is {self.spec_version}; this version of earproof reads {SPEC_VERSION}",
        )
        _require(self.sample_rate > 0, f"sample_rate is {self.sample_rate}; expected Hz above 0")
        _require(self.window_length > 0, f"window_length is {self.window_length}; expected samples above 0")
        try:
            check_labels(self.labels)
        except ValueError as error:
            raise ModelContractError(str(error)) from error
        _require(
            len(self.thresholds) == len(self.labels),
            f"there are {counted(len(self.thresholds), 'threshold')} for {counted(len(self.labels), 'label')}; "
            "expected one a label",
        )
        for label, threshold in zip(self.labels, self.thresholds, strict=True):
            _require(0.0 <= threshold <= 1.0, f"the threshold of {label} is {threshold}; expected 0 to 1")
        if self.frames is not None:
            self._check_frame_scores(self.frames)
        _require(
            self.score_transform in ("none", "exp", self.activation),
            f"score_transform is {self.score_transform} and activation {self.activation}; expected the same",
        )
        fmax = getattr(self.front_end, "fmax", 0.0)
        _require(
            fmax <= self.sample_rate / 2,
            f"front_end.fmax is {fmax} Hz; expected at most half the sample rate of {self.sample_rate} Hz",
        )
        if not isinstance(self.front_end, WaveformFrontEnd):
            _check_reach(self.front_end, self.window_length)

    def _check_frame_scores(self, frames: FrameScores) -> None:
        """Check what the second output is said to hold."""
        last = (frames.num_frames - 1) * frames.hop_length
        _require(
            last < self.window_length,
            f"the last of {counted(frames.num_frames, 'frame')} begins at sample {last}; expected one inside the "
            f"window of {self.window_length}",
        )
        _require(
            len(frames.thresholds) in (0, len(self.labels)),
            f"there are {counted(len(frames.thresholds), 'threshold')} of frames for "
            f"{counted(len(self.labels), 'label')}; expected one a label or none",
        )
        for label, threshold in zip(self.labels, self.frame_thresholds, strict=True):
            _require(0.0 <= threshold <= 1.0, f"the frame threshold of {label} is {threshold}; expected 0 to 1")
        _require(
            self.score_transform == "none",
            f"score_transform is {self.score_transform}; expected none for a model with frame scores",
        )

    @property
    def frame_thresholds(self) -> tuple[float, ...]:
        """From which score on a label counts in a frame: the frames' own thresholds, else those of the window."""
        return (self.frames.thresholds if self.frames else ()) or self.thresholds

    @property
    def is_detector(self) -> bool:
        """Whether the model tells when labels sound: it scores frames, or has learned from annotations."""
        return self.frames is not None or self.provenance.training.get(ANNOTATED) is True

    def output_places(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return which output holds the scores and, where the model has them, which the frame scores.

        Parameters
        ----------
        sizes : sequence of int
            Number of values of each output, in the order of the file.

        Raises
        ------
        ModelContractError
            The outputs are others than the spec says.
        """
        expected = [len(self.labels)]
        if self.frames is not None:
            expected.append(self.frames.num_frames * len(self.labels))
        if sorted(sizes) != sorted(expected):
            what = " and ".join(counted(size, "score") for size in expected)
            found = " and ".join(str(size) for size in sizes) or "nothing"
            raise ModelContractError(
                f"{SPEC_FILE_NAME} has {counted(len(self.labels), 'label')}"
                + (f" and {counted(self.frames.num_frames, 'frame')}, so {what}," if self.frames else "")
                + f" but the model puts out {found if self.frames else counted(sizes[0] if sizes else 0, 'score')}; "
                "was it exported with another spec?"
            )
        first = list(sizes).index(expected[0])
        return (first, 1 - first) if self.frames else (first,)

    @property
    def window_seconds(self) -> float:
        """Length of one model input in seconds."""
        return self.window_length / self.sample_rate

    @property
    def input_is_waveform(self) -> bool:
        """Whether the model file takes samples (else the spectrogram that `front_end` describes)."""
        return self.front_end.inside_model

    def to_json(self) -> str:
        """Return the spec as JSON text: sorted keys, so that equal specs are equal bytes.

        Raises
        ------
        ModelContractError
            `provenance.training` holds a NaN, or an object that JSON has no form for.
        """
        values = dataclasses.asdict(self)
        for name, default in _OPTIONAL.items():
            if values[name] == default:
                del values[name]
        try:
            return json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ModelContractError(
                f"provenance holds what JSON cannot: {error}; expected text and numbers"
            ) from error

    @classmethod
    def from_json(cls, text: str | bytes) -> ModelSpec:
        """Read a spec from JSON text.

        Raises
        ------
        ModelContractError
            Not JSON, a field missing or unknown, a value of the wrong type or out of range.
        """
        try:
            values = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ModelContractError(f"{SPEC_FILE_NAME} is not valid JSON: {error}") from error
        if isinstance(values, dict):
            values.pop(DIGEST_FIELD, None)
        spec: ModelSpec = _from_values(cls, values, SPEC_FILE_NAME)
        return spec


def replace_spec(spec: ModelSpec, **changes: Any) -> ModelSpec:
    """Return the spec with some fields changed, checked again."""
    return dataclasses.replace(spec, **changes)


def read_front_end(values: Any) -> FrontEnd:
    """Return a front end from a JSON object with exactly its fields.

    Raises
    ------
    ModelContractError
        No object, another kind, a field missing or unknown, or a value out of range.
    """
    kind = values.get("kind") if isinstance(values, dict) else None
    _require(kind in tuple(_FRONT_ENDS), f"front_end.kind is {kind!r}; expected {', '.join(_FRONT_ENDS)}")
    front_end: FrontEnd = _from_values(_FRONT_ENDS[str(kind)], values, "front_end")
    return front_end


def _require(condition: bool, message: str) -> None:
    """Raise ModelContractError unless the condition holds."""
    if not condition:
        raise ModelContractError(message)


def _refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python's JSON reader lets through."""
    raise ValueError(f"{name} is not a JSON number")


def _check_reach(front_end: StftFrontEnd | MelFrontEnd, window_length: int) -> None:
    """Check that a window is long enough for the frames."""
    if front_end.pad_mode == "none":
        needed = front_end.win_length
        _require(
            needed <= window_length, f"front_end.win_length is {needed} samples; the window has {window_length} in all"
        )
        return
    reach = front_end.n_fft // 2
    _require(
        reach < window_length, f"front_end.n_fft needs {reach} samples of reflection; the window has {window_length}"
    )


def _check_frames(front_end: StftFrontEnd | MelFrontEnd) -> None:
    """Check the settings that STFT and mel front ends share."""
    _require(
        front_end.n_fft >= 2 and front_end.n_fft % 2 == 0,
        f"front_end.n_fft is {front_end.n_fft}; expected an even number",
    )
    _require(front_end.hop_length >= 1, f"front_end.hop_length is {front_end.hop_length}; expected at least 1")
    _require(
        1 <= front_end.win_length <= front_end.n_fft,
        f"front_end.win_length is {front_end.win_length}; expected 1 to n_fft = {front_end.n_fft}",
    )
    _require(front_end.power > 0.0, f"front_end.power is {front_end.power}; expected a positive exponent")


def _check_types(instance: Any) -> None:
    """Check every field against its annotation; a NaN or an infinite number is refused too."""
    hints = _type_hints(type(instance))
    for item in dataclasses.fields(instance):
        value = getattr(instance, item.name)
        _require(
            _is_a(value, hints[item.name]),
            f"{item.name} is {value!r}; expected {_describe(hints[item.name])}",
        )
        if hints[item.name] is float:  # 0 and 0.0 are equal, so they must be equal in JSON too
            object.__setattr__(instance, item.name, float(value))
        elif hints[item.name] == tuple[float, ...]:
            object.__setattr__(instance, item.name, tuple(float(number) for number in value))


def _type_hints(cls: type) -> dict[str, Any]:
    """The annotations of a dataclass of this module, evaluated once."""
    if cls not in _HINTS:
        _HINTS[cls] = typing.get_type_hints(cls)
    return _HINTS[cls]


def _is_a(value: Any, hint: Any) -> bool:
    """Whether a value fits an annotation of this module."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments and isinstance(value, str)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_a(item, arguments[0]) for item in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and (arguments[1] is Any or _is_a(item, arguments[1])) for key, item in value.items()
        )
    if arguments:  # a union of front ends
        return isinstance(value, arguments)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _describe(hint: Any) -> str:
    """An annotation in words."""
    if typing.get_origin(hint) is Literal:
        return " or ".join(repr(option) for option in typing.get_args(hint))
    return str(getattr(hint, "__name__", hint)) if typing.get_origin(hint) is None else str(hint)


def _from_values(cls: type, values: Any, where: str) -> Any:
    """Build a dataclass of this module from a JSON object with exactly its fields."""
    _require(isinstance(values, dict), f"{where} is {type(values).__name__}; expected a JSON object")
    names = {item.name for item in dataclasses.fields(cls)}
    unknown, missing = sorted(set(values) - names), sorted(names - set(values) - set(_OPTIONAL))
    _require(not unknown, f"{where} has unknown fields: {', '.join(unknown)}; expected {', '.join(sorted(names))}")
    _require(not missing, f"{where} lacks fields: {', '.join(missing)}")
    arguments = dict(values)
    hints = _type_hints(cls)
    for name, value in values.items():
        if typing.get_origin(hints[name]) is tuple and isinstance(value, list):
            arguments[name] = tuple(value)
        elif name == "front_end":
            arguments[name] = read_front_end(value)
        elif name == "provenance":
            arguments[name] = _from_values(Provenance, value, "provenance")
        elif name == "frames" and value is not None:
            arguments[name] = _from_values(FrameScores, value, "frames")
    return cls(**arguments)
