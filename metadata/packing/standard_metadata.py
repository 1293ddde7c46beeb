"""What the standard TFLite metadata says about a model, made from its spec."""

from __future__ import annotations

from typing import Any

from metadata.labels import LABELS_FILE_NAME
from metadata.origin import backbone_origin
from metadata.packing.contract_check import feature_shape
from metadata.packing.metadata_schema import MIN_PARSER_VERSION
from metadata.packing.parser_version import min_parser_version
from metadata.spec import SPEC_FILE_NAME, FrontEnd, MelFrontEnd, ModelSpec, StftFrontEnd

AXIS_LABELS = "TENSOR_AXIS_LABELS"
_NUM_CHANNELS = 1
_ACTIVATIONS = {"softmax": "they add up to 1, the highest wins", "sigmoid": "each label has a threshold of its own"}


def describe_model(spec: ModelSpec, score_place: int = 0) -> dict[str, Any]:
    """Return the metadata of a model with this spec, as `metadata_codec.encode_metadata` takes it.

    `score_place` says which output holds the scores, where there are frame scores too.
    """
    outputs = [_describe_output(spec), *_describe_frames(spec)]
    stated = {key: spec.provenance.training.get(key) for key in ("author", "license")}
    origin = backbone_origin(spec)
    begun = {"license": origin.licence_text} if origin else {}
    values = {
        "name": spec.name,
        "description": f"{spec.description} It {origin.clause}.".strip() if origin else spec.description,
        "version": spec.version,
        **begun,
        **{key: text for key, text in stated.items() if isinstance(text, str)},
        "subgraph_metadata": [
            {
                "input_tensor_metadata": [_describe_input(spec)],
                "output_tensor_metadata": outputs if score_place == 0 else outputs[::-1],
            }
        ],
        "associated_files": [
            {
                "name": SPEC_FILE_NAME,
                "description": "Everything a runtime must know about the model, and where it came from.",
                "type": "DESCRIPTIONS",
            }
        ],
    }
    return values | {"min_parser_version": parser_version(values, is_own=True)}


def parser_version(values: dict[str, Any], is_own: bool) -> str:
    """Return the min_parser_version of metadata; files with a spec state at least 1.3.0, whatever they take."""
    computed = min_parser_version(values)
    return max(computed, MIN_PARSER_VERSION) if is_own else computed


def _describe_input(spec: ModelSpec) -> dict[str, Any]:
    """The one input: audio, or the spectrogram that the app computes."""
    if spec.input_is_waveform:
        description = f"{spec.window_length} samples of mono audio at {spec.sample_rate} Hz, from -1 to 1."
        return {
            "name": "audio",
            "description": description,
            "content": {
                "content_properties_type": "AudioProperties",
                "content_properties": {"sample_rate": spec.sample_rate, "channels": _NUM_CHANNELS},
            },
        }
    return {"name": "spectrogram", "description": describe_spectrogram(spec), "content": _features()}


def describe_spectrogram(spec: ModelSpec) -> str:
    """Return every setting of the front end and the order of the axes, in librosa's terms."""
    rows, frames = feature_shape(spec)
    front_end = spec.front_end
    first_axis = "mel bands" if isinstance(front_end, MelFrontEnd) else "frequency bins"
    named = _settings(front_end)
    settings = ", ".join(f"{name}={value}" for name, value in named)
    return (
        f"{front_end.kind} spectrogram of {spec.window_length} samples at {spec.sample_rate} Hz, "
        f"{rows} {first_axis} x {frames} frames, row by row: all frames of the lowest band first. "
        f"Settings: {settings}, window=hann (periodic), center={('pad_mode', 'none') not in named}."
    )


def _settings(front_end: FrontEnd) -> list[tuple[str, Any]]:
    """Name and value of the settings that make a spectrogram."""
    names = ["n_fft", "win_length", "hop_length", "power", "pad_mode"]
    if isinstance(front_end, MelFrontEnd):
        names += ["n_mels", "fmin", "fmax", "mel_scale", "mel_norm", "log", "log_floor"]
    elif not isinstance(front_end, StftFrontEnd):
        return []
    return [(name, getattr(front_end, name)) for name in names]


def _describe_output(spec: ModelSpec) -> dict[str, Any]:
    """The scores: one a label, or a number that becomes one."""
    values: dict[str, Any] = {
        "description": f"One score a label, from 0 to 1; {_ACTIVATIONS[spec.activation]}.",
        "stats": {"max": [1.0], "min": [0.0]},
    }
    if spec.score_transform != "none":
        made = f"{spec.score_transform} makes scores from 0 to 1 of them; {_ACTIVATIONS[spec.activation]}"
        values = {"description": f"One number a label, no score yet: {made}."}
    return {
        "name": "scores",
        "content": _features(),
        **values,
        "associated_files": [
            {
                "name": LABELS_FILE_NAME,
                "description": "The labels in the order of the scores, one a line.",
                "type": AXIS_LABELS,
            }
        ],
    }


def _describe_frames(spec: ModelSpec) -> list[dict[str, Any]]:
    """The frame scores, where the model has them."""
    if spec.frames is None:
        return []
    frames, shape = spec.frames, f"{spec.frames.num_frames} x {len(spec.labels)}"
    return [
        {
            "name": "frame_scores",
            "description": f"Scores from 0 to 1, frame by frame, frames x labels: {shape}. Frame i "
            f"stands for the samples from i * {frames.hop_length} on, {frames.hop_length} of them.",
            "content": _features(),
            "stats": {"max": [1.0], "min": [0.0]},
        }
    ]


def _features() -> dict[str, Any]:
    """Content that is neither audio nor image."""
    return {"content_properties_type": "FeatureProperties", "content_properties": {}}
