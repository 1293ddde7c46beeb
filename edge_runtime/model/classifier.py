"""A model file that classifies: samples in, scores and labels out.

Axis order: windows first, labels second.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.level import is_silent, level_dbfs
from edge_runtime.audio.timed_windows import at_rate, cut_stream
from edge_runtime.audio.windows import DEFAULT_TAIL, Windowing, check_finite, check_waveform
from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.front_end.mel import model_input
from edge_runtime.model.classification import Classification, Decision, FloatArray, Hearing, WindowResult
from edge_runtime.model.clip_merge import ClipMerge
from edge_runtime.model.hears_recordings import ONE_AFTER_THE_OTHER, HearsRecordings
from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.model.tensor_io import dequantize, quantize
from edge_runtime.model.weight_check import check_weights
from metadata.errors import ModelContractError, ModelWarning
from metadata.gate.model_check import check_model
from metadata.packing.packed_model import read_spec
from metadata.plural import counted
from metadata.spec import SCORE_MARGIN, ModelSpec, replace_spec
from metadata.tflite_file.model_content import ModelContent
from metadata.tflite_file.score_operator import check_activation

# What the first label of a fresh process does without is imported where it is used.
if TYPE_CHECKING:
    from pathlib import Path

_MOST_NAMED = 3  # model files of a folder


class Classifier(HearsRecordings[WindowResult]):
    """A `.tflite` sound classifier with what it says about itself.

    Parameters
    ----------
    model : bytes, ModelContent, str or Path
        The file's content, as it is or as `check_model` gives it, or its path. A file with a spec is
        used as the spec says; another one as its standard metadata says.
    num_threads : int
        Threads of the interpreter.
    use_xnnpack : bool
        As for `open_interpreter`.
    spec : ModelSpec, optional
        Taken in place of what the file says.

    Attributes
    ----------
    spec : ModelSpec
    notes : tuple of str
        What was mended or assumed in a file without a spec of ours; each is a `ModelWarning` too.
    foreign_spec : ModelSpec or None
        The spec that a file without one of ours was taken for, so that it is not judged again when it is opened again.
    model : bytes
    num_threads : int
    use_xnnpack : bool

    Raises
    ------
    FileNotFoundError
        No such file.
    ModelContractError
        Not a model, a damaged one, or tensors, labels, graph and spec that disagree.

    Notes
    -----
    One classifier holds one interpreter: use it from one thread at a time.
    """

    def __init__(
        self,
        model: bytes | ModelContent | str | Path,
        num_threads: int = 1,
        use_xnnpack: bool = True,
        spec: ModelSpec | None = None,
    ) -> None:
        if isinstance(model, (bytes, ModelContent)):
            source, file = "", model
        else:
            source, file = f"{model}: ", _read_file(model)
        self.num_threads = num_threads
        self.use_xnnpack = use_xnnpack
        self.notes: tuple[str, ...] = ()
        self.foreign_spec: ModelSpec | None = None
        try:
            content = check_weights(check_model(file))  # parsed and checked here, once, for all who read it
            self.model = content.model
            self.spec: ModelSpec = spec or _own_spec(content) or self._third_party_spec(content, source)
            self._interpreter = open_interpreter(content, num_threads, use_xnnpack)
            self._input, self._output, self._frames = self._tensors()
            self._note_unreachable(self.spec.thresholds, source)
        except ModelContractError as error:
            raise ModelContractError(f"{source}{error}") from error

    @property
    def interpreter(self) -> Any:
        """The interpreter that holds the model, to be looked at; what is changed in it is changed for all."""
        return self._interpreter

    def use_thresholds(self, thresholds: Sequence[float]) -> None:
        """Decide by other thresholds than those in the file, one a label.

        Raises
        ------
        ModelContractError
            Another number of them than labels, or one outside 0 to 1.
        """
        self.spec = replace_spec(self.spec, thresholds=tuple(thresholds))
        self._note_unreachable(self.spec.thresholds)

    def scores(self, window: npt.ArrayLike) -> FloatArray:
        """Return the scores of one window, float32, shape (n_labels,).

        Parameters
        ----------
        window : array_like of float, shape (window_length,)
            In [-1, 1], at the model's sample rate.

        Raises
        ------
        ValueError
            Another length, not float, NaN or infinity.
        ModelContractError
            The model cannot be computed, or puts out NaN or infinity.
        """
        self.load_window(window)
        self.invoke()
        return self.read_scores()

    def hear(
        self,
        samples: FloatArray,
        start: int = 0,
        stop: int | None = None,
        *,
        frames: FrameCache | None = None,
        silence_below_dbfs: float | None = None,
    ) -> Hearing:
        """Return what the model says about one window of a stream; a silent one is not run through it.

        Parameters
        ----------
        samples : ndarray of float32, shape (window_length,)
            As for `scores`.
        start : int
            Position of the first sample in the stream; negative where zeros lie before the stream.
        stop : int, optional
            Where the stream ends, if that is inside the window: zeros lie behind it. Padding has no level.
        frames : FrameCache, optional
            Of this stream, from which windows that overlap take the frames they share.
        silence_below_dbfs : float, optional
            A window below this level is silent: its scores are 0, and nothing is decided.

        Raises
        ------
        ValueError, ModelContractError
            As for `scores`.
        """
        level = level_dbfs(samples[max(0, -start) : None if stop is None else stop - start])
        if is_silent(level, silence_below_dbfs):
            return Hearing(np.zeros(len(self.spec.labels), np.float32), self.decide_nothing(), level, True)
        window = check_finite(samples)
        self.load_input(model_input(window, self.spec) if frames is None else frames.model_input(window, start))
        self.invoke()
        scores = self.read_scores()
        return Hearing(scores, self.decide(scores), level, False)

    def load_window(self, window: npt.ArrayLike) -> None:
        """Compute what the model takes for a window and copy it into the input tensor; see `scores`."""
        self.load_input(model_input(check_finite(window), self.spec))

    def load_input(self, features: FloatArray) -> None:
        """Copy what `edge_runtime.front_end.mel.model_input` made of a window into the input tensor."""
        values: npt.NDArray[Any] = features
        if self._input["dtype"] != np.float32:
            values = _to_tensor(values, self._input)
        self._interpreter.set_tensor(self._input["index"], values.reshape(self._input["shape"]))

    def invoke(self) -> None:
        """Run the model on what `load_window` left in its input.

        Raises
        ------
        ModelContractError
            The runtime finds that the model cannot be computed.
        """
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelContractError(
                f"{self.spec.name} stops while it runs: {error}; the model is broken, export it again"
            ) from error

    def read_output(self) -> FloatArray:
        """Return what the last `invoke` left in the output tensor as it is, float32, shape (n_labels,)."""
        values = self._read(self._output)
        if values.size != len(self.spec.labels):
            raise ModelContractError(
                f"{self.spec.name} puts out {counted(values.size, 'score')} for "
                f"{counted(len(self.spec.labels), 'label')}; "
                "the model is broken, export it again"
            )
        return values

    def read_scores(self) -> FloatArray:
        """Return the scores that the last `invoke` left, brought to [0, 1] where the spec says how; see `scores`."""
        values = self.read_output()
        if self.spec.score_transform != "none":
            from edge_runtime.model.score_transform import to_scores

            values = to_scores(values, self.spec.score_transform)
        # Both are NaN where any score is, and a comparison with NaN is false.
        if not (values.min() >= -SCORE_MARGIN and values.max() <= 1.0 + SCORE_MARGIN):
            raise ModelContractError(self._no_scores(values))
        return values

    def read_frame_scores(self) -> FloatArray:
        """Return the scores of every frame that the last `invoke` left, float32, shape (num_frames, n_labels).

        Frame i stands for the samples of the window from i * hop_length on, see `metadata.spec.FrameScores`.

        Raises
        ------
        ModelContractError
            The model has no frame scores, or puts out NaN, infinity or values outside 0 to 1.
        """
        if self.spec.frames is None or self._frames is None:
            raise ModelContractError(
                f"{self.spec.name} has no frame scores; expected a detector of sound events, such as earproof train "
                "event_crnn makes"
            )
        values = self._read(self._frames).reshape(self.spec.frames.num_frames, len(self.spec.labels))
        if not (values.min() >= -SCORE_MARGIN and values.max() <= 1.0 + SCORE_MARGIN):
            frame = int(np.flatnonzero(~(np.abs(values - 0.5) <= 0.5 + SCORE_MARGIN).all(axis=1))[0])
            raise ModelContractError(f"in frame {frame} {self._no_scores(values[frame])}")
        return values

    def frame_scores(self, window: npt.ArrayLike) -> FloatArray:
        """Return the scores of every frame of one window; see `scores` and `read_frame_scores`."""
        self.load_window(window)
        self.invoke()
        return self.read_frame_scores()

    def _read(self, tensor: dict[str, Any]) -> FloatArray:
        """Return what the last `invoke` left in an output as float32, without its shape."""
        values: FloatArray = np.asarray(self._interpreter.get_tensor(tensor["index"])).reshape(-1)
        return values if values.dtype == np.float32 else _from_tensor(values, tensor)

    def _no_scores(self, values: FloatArray) -> str:
        """Say what is wrong with scores that are none."""
        if not np.isfinite(values).all():
            return (
                f"{self.spec.name} puts out {values.tolist()} for a finite window; expected finite scores: "
                "the model is broken, export it again"
            )
        return (
            f"{self.spec.name} puts out {values.min():.3g} to {values.max():.3g}; expected scores in 0 to 1. "
            "Say what they are with: earproof metadata write FILE --activation softmax (or sigmoid)"
        )

    def decide(self, scores: npt.ArrayLike) -> Decision:
        """Return the decision that scores of shape (n_labels,) stand for.

        Returns
        -------
        str or tuple of str
            softmax: the label with the highest score, the first of equal ones. sigmoid: every label
            whose score reaches its threshold, in the order of the labels, maybe none.

        Raises
        ------
        ValueError
            Another number of scores than labels, or NaN.
        """
        values = np.asarray(scores, np.float32)
        if values.shape != (len(self.spec.labels),) or np.isnan(values).any():
            raise ValueError(
                f"scores are {values.tolist()}; expected {counted(len(self.spec.labels), 'number')}, one a label"
            )
        if self.spec.activation == "softmax":
            return self.spec.labels[int(values.argmax())]
        # In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
        reached = values >= np.asarray(self.spec.thresholds, np.float32)
        return tuple(label for label, over in zip(self.spec.labels, reached, strict=True) if over)

    def decide_nothing(self) -> Decision | None:
        """Return what stands for silence: no label, which softmax scores have no word for."""
        return None if self.spec.activation == "softmax" else ()

    def decide_clip(self, merged: ClipMerge) -> Decision | None:
        """Return the decision that the merged scores of a clip stand for; see `edge_runtime.model.clip_merge`."""
        if self.spec.activation == "softmax" and merged.rule != "union":
            return self.decide(merged.scores) if merged.num_merged else self.decide_nothing()
        return tuple(label for label, over in zip(self.spec.labels, merged.reached, strict=True) if over)

    def classify(
        self,
        clip: npt.ArrayLike,
        sample_rate: int,
        window_hop: int | None = None,
        tail: str = DEFAULT_TAIL,
        merge: str = "mean",
        silence_below_dbfs: float | None = None,
    ) -> Classification:
        """Classify a clip window by window.

        Parameters
        ----------
        clip : array_like of float, shape (n_samples,)
            In [-1, 1]; a clip shorter than a window is padded with zeros.
        sample_rate : int
            Hz of the clip; it is resampled to the model's rate.
        window_hop : int, optional
            Samples between windows at the model's rate; by default one window after the other.
        tail : {"pad", "drop", "align"}
            As for `window_starts`.
        merge : {"mean", "union", "maximum"}
            How windows become the clip, see `edge_runtime.model.clip_merge`.
        silence_below_dbfs : float, optional
            Windows below this level are silent: not run through the model and left out of the clip.

        Raises
        ------
        ValueError
            An empty clip, NaN, not one-dimensional float, a rate that is none, and as for `window_starts`,
            `ClipMerge` and `Windowing`.
        """
        windowing = Windowing(hop=window_hop, tail=tail, silence_below_dbfs=silence_below_dbfs)
        merged = ClipMerge(merge, self.spec.thresholds)
        waveform = check_waveform(clip)
        results = list(self.classify_windows([waveform], waveform.size, sample_rate, windowing))
        scores = np.stack([result.scores for result in results])
        silent = np.array([result.is_silent for result in results])
        merged.add(scores, silent)
        return Classification(
            labels=self.spec.labels,
            starts_seconds=np.array([result.start_seconds for result in results]),
            scores=scores,
            levels_dbfs=np.array([result.level_dbfs for result in results]),
            silent=silent,
            merge=merge,
            clip_scores=merged.scores,
            decision=self.decide_clip(merged),
        )

    def classify_file(
        self,
        path: str | Path,
        window_hop: int | None = None,
        tail: str = DEFAULT_TAIL,
        silence_below_dbfs: float | None = None,
    ) -> Iterator[WindowResult]:
        """Classify a WAV file of any length, rate and channel count, window by window in constant memory.

        Yields
        ------
        WindowResult
            With the same scores as `classify` gives for the whole file.

        Raises
        ------
        FileNotFoundError, ValueError
            As for `WavFile`; a fault inside the samples shows when the window is reached.
        """
        from edge_runtime.audio.wav_file import WavFile

        windowing = Windowing(hop=window_hop, tail=tail, silence_below_dbfs=silence_below_dbfs)
        with WavFile(path) as wav:
            yield from self.classify_recording(wav, windowing)

    def classify_windows(
        self,
        blocks: Iterable[npt.ArrayLike],
        num_samples: int,
        sample_rate: int,
        windowing: Windowing = ONE_AFTER_THE_OTHER,
        first: int = 0,
    ) -> Iterator[WindowResult]:
        """Classify a clip that comes in blocks, of `num_samples` in all, at its own `sample_rate` in Hz.

        Windows before number `first` are cut but not classified.

        Yields
        ------
        WindowResult
            As soon as its window is complete. Windows that overlap share frames, see `FrameCache`.

        Raises
        ------
        ValueError
            As for `cut_stream` and `scores`.
        """
        spec, frames, limit = self.spec, FrameCache(self.spec), windowing.silence_below_dbfs
        blocks, num_samples = at_rate(blocks, num_samples, sample_rate, spec.sample_rate)
        for samples, start, stop in cut_stream(blocks, num_samples, spec.window_length, windowing, first):
            heard = self.hear(samples, start, stop, frames=frames, silence_below_dbfs=limit)
            yield WindowResult(start / spec.sample_rate, stop / spec.sample_rate, *heard)

    def _note_unreachable(self, thresholds: Sequence[float], source: str = "") -> None:
        """Warn of thresholds above the highest score that an integer output can hold."""
        dtype = np.dtype(self._output["dtype"])
        if dtype == np.float32 or self.spec.score_transform != "none":
            return
        highest = float(_from_tensor(np.asarray([np.iinfo(dtype).max], dtype), self._output)[0])
        if max(thresholds) > highest:
            import warnings

            text = f"the highest score of the {dtype} output is {highest:.4f}; the threshold of"
            pairs = zip(self.spec.labels, thresholds, strict=True)
            over = ", ".join(f"{label} ({threshold:g})" for label, threshold in pairs if threshold > highest)
            warnings.warn(f"{source}{text} {over} is never reached", ModelWarning, stacklevel=1)

    def _third_party_spec(self, content: ModelContent, source: str) -> ModelSpec:
        """Return the spec that a file's standard metadata amounts to, and warn of what is odd about it."""
        import warnings

        from edge_runtime.model.third_party import third_party_contract

        contract = third_party_contract(content, self.num_threads, self.use_xnnpack)
        self.notes = contract.notes
        for note in contract.notes:
            warnings.warn(f"{source}{note}", ModelWarning, stacklevel=1)
        self.foreign_spec = contract.settled()
        return self.foreign_spec

    def _tensors(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
        """Return input, scores and frame scores as the interpreter has allocated them, compared with the spec."""
        source, outputs = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()
        if self.spec.frames is None:
            outputs = outputs[:1]
            if int(np.prod(outputs[0]["shape"])) != len(self.spec.labels):
                raise ModelContractError(
                    f"the model puts out shape {outputs[0]['shape'].tolist()}; expected "
                    f"{counted(len(self.spec.labels), 'score')}"
                )
        found = [outputs[place] for place in self.spec.output_places([int(np.prod(one["shape"])) for one in outputs])]
        for what, tensor in (("input", source), *(("output", one) for one in found)):
            dtype = np.dtype(tensor["dtype"])
            scaled = np.issubdtype(dtype, np.integer) and tensor["quantization"][0] > 0
            if dtype != np.float32 and not scaled:
                raise ModelContractError(f"the model's {what} is {dtype}; expected float32 or quantized integers")
        shape = tuple(int(length) for length in source["shape"])
        if self.spec.input_is_waveform and max(shape) != self.spec.window_length:
            raise ModelContractError(
                f"the model takes shape {shape}; expected [1, {self.spec.window_length}] or such with more axes of 1"
            )
        return source, found[0], found[1] if len(found) > 1 else None


def _own_spec(content: ModelContent) -> ModelSpec | None:
    """Return the spec of ours inside the file, None where there is none, after a look at the model's end."""
    spec = read_spec(content)
    if spec is not None:
        check_activation(content, spec)
    return spec


def _read_file(path: str | Path) -> bytes:
    """Return the content of a model file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(_no_file(path))
    with open(path, "rb") as file:
        return file.read()


def _no_file(path: str | Path) -> str:
    """Say why there is no model file at a path; of a folder which ones it holds."""
    if not os.path.isdir(path):
        return f"{path} does not exist; expected a .tflite file"
    names = sorted(name for name in os.listdir(path) if name.endswith(".tflite"))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    if names:
        return f"{path} is a folder; expected one of the .tflite files in it: {', '.join(names[:_MOST_NAMED])}{more}"
    return f"{path} is a folder without .tflite files; expected a .tflite file, such as earproof convert makes of a run"


def _to_tensor(values: FloatArray, tensor: dict[str, Any]) -> npt.NDArray[Any]:
    """Return values as the integers of a quantized input."""
    scale, zero_point = tensor["quantization"]
    return quantize(values, scale, zero_point, tensor["dtype"])


def _from_tensor(integers: npt.NDArray[Any], tensor: dict[str, Any]) -> FloatArray:
    """Return the float values of a quantized output."""
    scale, zero_point = tensor["quantization"]
    return dequantize(integers, scale, zero_point)
