"""A spec for model files that bring standard TFLite metadata and no spec of ours."""

from __future__ import annotations

from typing import Any

from metadata.errors import ModelContractError
from metadata.model_flatbuffer import TensorInfo, read_tensors
from metadata.score_operator import ACTIVATION_OF, score_operator
from metadata.spec import ModelSpec, WaveformFrontEnd
from metadata.tflite_metadata import read_metadata, read_model_labels

_THRESHOLD = 0.5  # the metadata names none
_HINT = "write a spec into it with: earshot metadata write FILE --spec model_spec.json"


def spec_from_metadata(model: bytes) -> ModelSpec:
    """Return a spec made of what the standard metadata says.

    The sample rate comes from AudioProperties, the labels from the TENSOR_AXIS_LABELS file, the
    window length from the input tensor. The metadata does not tell softmax from sigmoid, the graph
    does: behind a LOGISTIC every label whose score reaches 0.5 is decided for, else the highest
    score decides, as the Task library's apps show it.

    Raises
    ------
    ModelContractError
        No metadata, no labels, more than one channel, or an input that is no waveform: an app that
        feeds a spectrogram through audio metadata has not said how to compute it.
    """
    values = read_metadata(model)
    labels = read_model_labels(model)
    tensors = read_tensors(model)
    if len(tensors.inputs) != 1 or len(tensors.outputs) != 1:
        raise ModelContractError(
            f"the model has {len(tensors.inputs)} inputs and {len(tensors.outputs)} outputs; expected one of each"
        )
    return ModelSpec(
        name=values.get("name") or "unnamed model",
        version=values.get("version") or "unknown",
        description=values.get("description", ""),
        sample_rate=_sample_rate(values),
        window_length=_waveform_length(tensors.inputs[0]),
        labels=labels,
        activation="sigmoid" if ACTIVATION_OF.get(score_operator(model)) == "sigmoid" else "softmax",
        thresholds=(_THRESHOLD,) * len(labels),
        front_end=WaveformFrontEnd(),
        recipe="unknown",
    )


def _sample_rate(values: dict[str, Any]) -> int:
    """Return the rate in Hz of the first input's AudioProperties."""
    graphs = values.get("subgraph_metadata") or [{}]
    inputs = graphs[0].get("input_tensor_metadata") or [{}]
    content = inputs[0].get("content", {})
    properties = content.get("content_properties", {})
    if content.get("content_properties_type") != "AudioProperties" or not properties.get("sample_rate"):
        raise ModelContractError(f"the metadata gives the model's input no AudioProperties with a sample rate; {_HINT}")
    if properties.get("channels", 1) != 1:
        raise ModelContractError(f"the model takes {properties['channels']} channels; expected 1 (mono)")
    return int(properties["sample_rate"])


def _waveform_length(audio: TensorInfo) -> int:
    """Return the samples in an input whose other axes have length 1."""
    if max(audio.shape, default=0) != audio.size:
        raise ModelContractError(
            f"the model takes {audio}, which is no waveform [1, n], [n] or [1, n, 1], "
            f"and the metadata does not say which spectrogram it is; {_HINT}"
        )
    return audio.size
