"""A Keras model as a backbone: a `.keras` file, a whole model as `.h5`, or a run folder of ours.

No code in a file is run.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from zipfile import is_zipfile

import numpy as np

from metadata import MelFrontEnd, ModelSpec
from metadata.origin import origin_of
from train.backbones.embedding_layer import embedding_network, embedding_tensor
from train.backbones.named_embedding import Asked, Found, NamedEmbedding, known_rate
from train.backbones.patch_input import patch_input, read_front_end_file
from train.backend import load_keras

MODEL_FILE, SPEC_FILE = "model.keras", "spec.json"  # of a run folder
_H5 = (".h5", ".hdf5")


@dataclass(frozen=True, kw_only=True)
class KerasBackbone(NamedEmbedding):
    """A Keras model, and the layer that is its embedding."""

    kind: ClassVar[str] = "keras"

    def network(self) -> Any:
        """Return the network with its weights, from patches to embeddings."""
        self.content()
        model = open_model(self.path)
        return embedding_network(_start(model), embedding_tensor(model, self.layer), self.takes, self.name)

    @classmethod
    def may_read(cls, path: Path, asked: Asked) -> bool:
        """Whether a file could be of this kind."""
        suffix = path.suffix.lower()
        return (
            path.is_dir() or suffix == ".keras" or (suffix in _H5 and (asked.embedding is not None or _is_whole(path)))
        )

    @classmethod
    def read(cls, path: Path, asked: Asked) -> Found:
        """Return what a file holds.

        Raises
        ------
        FileNotFoundError, ValueError
            No finished run, no model, or one that cannot be a backbone.
        """
        file, spec = _parts(path)
        model = open_model(file)
        try:
            return _found(model, file, spec, asked)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def open_model(path: Path) -> Any:
    """Open a Keras model without running code of it.

    Raises
    ------
    ValueError
        No model, a damaged one, or one that needs code of its own.
    """
    if path.suffix.lower() == ".keras" and path.is_file() and not is_zipfile(path):
        raise ValueError(
            f"{path} is no .keras file: expected a ZIP archive, as model.save writes it; was it loaded to its end? "
            "A file of HDF5 has to end in .h5"
        )
    keras = load_keras()
    import train.layers.registered  # noqa: F401

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever Keras raises on a file of others: it has no error of its own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"{path} cannot be opened as a Keras model: {first}; expected a whole model of Keras layers, without "
            "Lambda or classes of its own: no code in a file is run"
        ) from error
    if len(getattr(model, "inputs", None) or ()) != 1:
        raise ValueError(f"{path} is no model with one input; expected a functional or sequential one, built")
    return model


def _found(model: Any, file: Path, spec: ModelSpec | None, asked: Asked) -> Found:
    """What a model holds, with what its run or the user says of it."""
    asked.check_named()
    embedding = embedding_tensor(model, asked.embedding)
    start, own = _start(model), _own_front_end(model)
    if own is not None and asked.front_end is not None:
        raise ValueError("it has its front end inside; leave --front-end out")
    front_end, rate = own or (read_front_end_file(asked.front_end) if asked.front_end else (None, None))
    if spec is not None:
        rate = spec.sample_rate
    takes = patch_input(
        tuple(start.shape[1:]),
        known_rate(asked.sample_rate, rate),
        front_end,
        model.inputs[0].shape[1] if own else None,
        is_ours=own is not None,
    )
    network = embedding_network(start, embedding, takes, "network")
    if not all(np.isfinite(values).all() for values in network.get_weights()):
        raise ValueError("its weights are not all finite; was the file damaged?")
    fields = {"layer": asked.embedding, "takes": takes, "num_features": int(network.outputs[0].shape[-1])}
    licence, source = origin_of(spec) if spec else ("", "")
    return Found(
        content=file.read_bytes(),
        suffix=file.suffix.lower(),
        fields=fields,
        licence=licence,
        source=source,
        notes=takes.notes,
    )


def _mel_layer(model: Any) -> Any:
    """The mel layer of our own models, where it alone reads the samples; None else."""
    for layer in model.layers:
        if type(layer).__name__ == "MelSpectrogram" and layer.input is model.inputs[0]:
            return layer
    return None


def _start(model: Any) -> Any:
    """What the network takes: what the mel layer of our own models puts out, else the model's input."""
    mel = _mel_layer(model)
    return model.inputs[0] if mel is None else mel.output


def _own_front_end(model: Any) -> tuple[MelFrontEnd, int] | None:
    """Front end and sample rate of our own models with a mel layer; the logarithm is a layer behind it."""
    mel = _mel_layer(model)
    if mel is None:
        return None
    logs = {"LogCompression": ("log10", "log_floor"), "NaturalLog": ("ln_plus", "offset")}
    for layer in model.layers:
        if type(layer).__name__ in logs:
            log, floor = logs[type(layer).__name__]
            return dataclasses.replace(mel.front_end, log=log, log_floor=getattr(layer, floor)), mel.sample_rate
    return mel.front_end, mel.sample_rate


def _parts(path: Path) -> tuple[Path, ModelSpec | None]:
    """The file of a model, and the contract beside it where it is a run folder of ours."""
    if not path.is_dir():
        return path, None
    missing = [name for name in (MODEL_FILE, SPEC_FILE) if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{path} holds no finished training ({', '.join(missing)} not there); expected a folder that earproof "
            "train filled, or a file, .keras, .h5 or .tflite"
        )
    return path / MODEL_FILE, ModelSpec.from_json((path / SPEC_FILE).read_bytes())


def _is_whole(path: Path) -> bool:
    """Whether an HDF5 file holds a whole model, not weights alone."""
    import h5py

    try:
        with h5py.File(path) as file:
            return "model_config" in file.attrs
    except OSError:
        return False
