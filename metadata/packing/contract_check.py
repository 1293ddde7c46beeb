"""Whether a model's tensors, its label file and its spec agree."""

from __future__ import annotations

from collections.abc import Sequence

from metadata.errors import ModelContractError
from metadata.labels import LABELS_FILE_NAME, listed
from metadata.plural import counted
from metadata.spec import SPEC_FILE_NAME, FrontEnd, MelFrontEnd, ModelSpec, StftFrontEnd, frame_count
from metadata.tflite_file.model_content import ModelTensors, TensorInfo

_DTYPES = ("float32", "float16", "int8", "uint8", "int16")  # what can carry audio and scores


def feature_shape(spec: ModelSpec) -> tuple[int, int]:
    """Return the shape of the spectrogram of one window: (n_mels or 1 + n_fft // 2, n_frames).

    Raises
    ------
    ValueError
        The model hears the waveform and has no spectrogram.
    """
    try:
        return spectrogram_shape(spec.front_end, spec.window_length)
    except ValueError as error:
        raise ValueError(f"{spec.name}: {error}") from error


def spectrogram_shape(front_end: FrontEnd, window_length: int) -> tuple[int, int]:
    """Return rows (mel bands or bins) and frames of the spectrogram of `window_length` samples.

    Raises
    ------
    ValueError
        Another front end than mel and STFT.
    """
    if isinstance(front_end, MelFrontEnd):
        rows = front_end.n_mels
    elif isinstance(front_end, StftFrontEnd):
        rows = 1 + front_end.n_fft // 2
    else:
        raise ValueError(f"the front end is {front_end.kind}; expected mel or stft")
    return rows, frame_count(front_end, window_length)


def check_contract(tensors: ModelTensors, spec: ModelSpec, labels: Sequence[str] | None = None) -> None:
    """Check that a model takes the input the spec speaks of and puts out the scores the spec says.

    Parameters
    ----------
    tensors : ModelTensors
        Of the model.
    spec : ModelSpec
    labels : sequence of str, optional
        Those of the model's label file.

    Raises
    ------
    ModelContractError
        Anything disagrees.
    """
    audio = _checked(tensors.inputs, "input", 1)[0]
    outputs = _checked(tensors.outputs, "output", 1 if spec.frames is None else 2)
    if labels is not None and spec.frames is None:
        check_label_count(labels, outputs[0])
    score_place(tensors, spec)
    if labels is not None and tuple(labels) != spec.labels:
        raise ModelContractError(
            f"{LABELS_FILE_NAME} names {', '.join(listed(labels))} but {SPEC_FILE_NAME} names "
            f"{', '.join(listed(spec.labels))}; "
            "the order counts too. Pack the model again with one of them"
        )
    _check_input(audio, spec)


def score_place(tensors: ModelTensors, spec: ModelSpec) -> int:
    """Return which output holds the scores of the window; the other one, where there is one, those of the frames.

    Raises
    ------
    ModelContractError
        The outputs are others than the spec says.
    """
    return spec.output_places([output.size for output in tensors.outputs])[0]


def check_label_count(labels: Sequence[str], scores: TensorInfo, source: str = LABELS_FILE_NAME) -> None:
    """Raise ModelContractError unless there is one label a score."""
    if len(labels) != scores.size:
        raise ModelContractError(
            f"{source} has {counted(len(labels), 'name')} but the model puts out {counted(scores.size, 'score')}; "
            "was it exported with another label file?"
        )


def _check_input(audio: TensorInfo, spec: ModelSpec) -> None:
    """Check the number of values in one input."""
    if spec.input_is_waveform:
        expected, what = spec.window_length, f"windows of {spec.window_length} samples"
    else:
        rows, frames = feature_shape(spec)
        expected, what = rows * frames, f"a {spec.front_end.kind} spectrogram of {rows} x {frames}"
    if audio.size != expected:
        raise ModelContractError(
            f"the model takes {audio} with {counted(audio.size, 'value')} but {SPEC_FILE_NAME} says {what}; "
            "was it exported with another spec, or with an input of unknown length?"
        )


def _checked(tensors: tuple[TensorInfo, ...], what: str, count: int) -> tuple[TensorInfo, ...]:
    """An audio classifier's inputs or outputs, as many as there are to be and of a type that carries them."""
    if len(tensors) != count:
        names = ", ".join(map(str, tensors)) or "none"
        raise ModelContractError(
            f"the model has {counted(len(tensors), what)} ({names}); expected {'one' if count == 1 else count}"
        )
    for tensor in tensors:
        if tensor.dtype not in _DTYPES:
            raise ModelContractError(f"the model's {what} is {tensor}; expected one of {', '.join(_DTYPES)}")
    return tensors
