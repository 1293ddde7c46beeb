"""What turns windows into vectors: a training, a `.tflite` file or a backbone, without the layer that tells labels.

Axis order: windows first, samples or features second.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata import ModelSpec

MODEL_KINDS = "the folder of a training, a .tflite file, or the name of a backbone (earproof backbone list)"
SCORES_LAYER = "scores"  # of every model with one label a window
_WINDOWS = "1s", "2s", "5s"  # of `train transfer`; the first that holds a patch of the backbone is taken


@dataclass(frozen=True, eq=False)
class Embedder:
    """A network that gives a vector for each window.

    Attributes
    ----------
    name : str
        By which it is opened again: the absolute path, or the name of a backbone.
    sha256 : str
        Of the file with its weights.
    sample_rate : int
        Hz.
    window_length : int
        Samples.
    embed : callable
        From float32 (n, window_length) in [-1, 1] to float32 (n, n_features).
    note : str
        What a user should know of the vectors, empty where there is nothing.
    """

    name: str
    sha256: str
    sample_rate: int
    window_length: int
    embed: Callable[[np.ndarray], np.ndarray]
    note: str = ""

    @property
    def window_hop(self) -> int:
        """Samples from window to window: half a window."""
        return self.window_length // 2


def open_embedder(model: str | Path) -> Embedder:
    """Open what gives vectors.

    Parameters
    ----------
    model : str or Path
        A training's folder, a `.tflite` file, or the name of a backbone on this machine; what is there as a file or
        folder comes first.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a folder, and no name of a backbone.
    ValueError
        A model whose last layer is not a dense one on a single vector, or what the parts refuse.
    """
    path = Path(model)
    if path.is_dir():
        return _of_run(path)
    if path.is_file():
        if path.suffix.lower() != ".tflite":
            raise ValueError(f"{path} ends in {path.suffix or 'nothing'}; expected {MODEL_KINDS}")
        return _of_file(path)
    if path.suffix or len(path.parts) != 1:
        raise FileNotFoundError(f"{path} does not exist; expected {MODEL_KINDS}")
    return _of_backbone(str(model))


def _of_backbone(name: str) -> Embedder:
    """A backbone as a head of `train transfer` hears it: the roots of its features, a patch a window."""
    from train.backbones.installed import find_backbone
    from train.fitting.backend import load_keras
    from train.models import transfer

    try:
        backbone = find_backbone(name)
    except ValueError as error:
        raise ValueError(f"there is no file or folder {name}; as the name of a backbone: {error}") from error
    keras, begun = load_keras(), transfer.begun_with(backbone)
    variant, length = _shortest_window(begun)
    model = begun.build(1, variant)
    body = keras.Model(model.inputs, model.get_layer(transfer.FEATURES_LAYER).output)
    return Embedder(name, backbone.sha256, begun.sample_rate(variant), length, _predict(body))


def _shortest_window(begun: Any) -> tuple[str, int]:
    """The variant with the shortest window that a backbone takes, and its samples."""
    for variant in _WINDOWS:
        try:
            return variant, int(begun.window_length(variant))
        except ValueError as error:  # its patch is longer
            refusal = error
    raise refusal


def _of_run(folder: Path) -> Embedder:
    """A finished training without its last layer."""
    from train.fitting.backend import load_keras
    from train.fitting.finished_run import require_files
    from train.fitting.training_run import METRICS_FILE_NAME, MODEL_FILE_NAME, SPEC_RUN_FILE_NAME

    keras = load_keras()
    import train.layers.registered  # noqa: F401

    require_files(folder, METRICS_FILE_NAME, MODEL_FILE_NAME, SPEC_RUN_FILE_NAME)
    spec = ModelSpec.from_json((folder / SPEC_RUN_FILE_NAME).read_bytes())
    saved = folder / MODEL_FILE_NAME
    model = keras.saving.load_model(saved, compile=False)
    scores = next((layer for layer in model.layers if layer.name == SCORES_LAYER), None)
    if not isinstance(scores, keras.layers.Dense) or len(scores.input.shape) != 2:
        raise ValueError(
            f"{folder} holds {spec.name}, whose scores are not made of a single vector a window; expected a model of "
            "one label, such as transfer, mel_cnn or waveform_cnn"
        )
    body = keras.Model(model.inputs, scores.input)
    name = os.path.abspath(folder)
    return Embedder(name, _sha256(saved.read_bytes()), spec.sample_rate, spec.window_length, _predict(body))


def _of_file(path: Path) -> Embedder:
    """A `.tflite` file whose output is what its last dense layer takes."""
    from edge_runtime.model.classifier import Classifier
    from edge_runtime.model.embedding_output import embedding_classifier
    from metadata.tflite_file.model_content import parse_model

    classifier = Classifier(path)
    embedding = embedding_classifier(classifier)
    is_quantized = any(tensor.scales for tensor in parse_model(classifier.model).graphs[0].tensors)
    note = f"{path} is quantized: its vectors are near those of its float file, and not the same" * is_quantized

    def embed(windows: np.ndarray) -> np.ndarray:
        rows = []
        for window in windows:
            embedding.load_window(window)
            embedding.invoke()
            rows.append(embedding.read_output())
        return np.stack(rows)

    spec = classifier.spec
    return Embedder(os.path.abspath(path), _sha256(classifier.model), spec.sample_rate, spec.window_length, embed, note)


def _predict(body: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A Keras model as a function of arrays."""
    return lambda windows: np.asarray(body.predict_on_batch(windows), np.float32)


def _sha256(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(content).hexdigest()
