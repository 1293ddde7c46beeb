"""A float `.tflite` file as a backbone: its graph up to a tensor, translated into Keras layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from edge_runtime.model.weight_check import check_weights
from metadata import MelFrontEnd, ModelSpec
from metadata.foreign.stated_fields import read_stated
from metadata.gate.model_check import check_model
from metadata.origin import origin_of
from metadata.packing.packed_model import read_spec
from metadata.tflite_file.model_content import parse_model
from train.backbones.embedding_layer import embedding_network
from train.backbones.graph_reading import GraphReading
from train.backbones.named_embedding import Asked, Found, NamedEmbedding, known_rate
from train.backbones.patch_input import PatchInput, patch_input, read_front_end_file
from train.backbones.proof_patches import proof_patches
from train.backbones.translated_graph import find_tensor, prove, translated

_FAST = "/fast/"  # in the names of tensors that `convert.winograd` writes


@dataclass(frozen=True, kw_only=True)
class TfliteBackbone(NamedEmbedding):
    """A float graph, and the tensor that is its embedding."""

    kind: ClassVar[str] = "tflite"

    def network(self) -> Any:
        """Return the network with its weights, from patches to embeddings."""
        reading = _reading(self.content())
        model = translated(reading, find_tensor(reading, self.layer))
        return embedding_network(model.inputs[0], model.outputs[0], self.takes, self.name)

    @classmethod
    def may_read(cls, path: Path, asked: Asked) -> bool:
        """Whether a file could be of this kind."""
        return not path.is_dir() and path.suffix.lower() == ".tflite"

    @classmethod
    def read(cls, path: Path, asked: Asked) -> Found:
        """Return what a file holds, after proving that its layers in Keras say the same.

        Raises
        ------
        ValueError
            A damaged file, one that cannot be a backbone, or another result than the file's.
        """
        content = path.read_bytes()
        try:
            return _found(content, asked)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _reading(content: bytes) -> GraphReading:
    """A file that has passed the gate."""
    return GraphReading(check_weights(check_model(parse_model(content))))


def _found(content: bytes, asked: Asked) -> Found:
    """What a file holds, with what it or the user says of it."""
    asked.check_named()
    reading = _reading(content)
    target = find_tensor(reading, asked.embedding)
    spec = read_spec(reading.content)
    model = translated(reading, target)
    takes = _takes(reading, spec, asked)
    patches = proof_patches(takes)
    difference = prove(reading, target, model, patches)
    network = embedding_network(model.inputs[0], model.outputs[0], takes, "network")
    stated = read_stated(reading.content)
    licence, source = origin_of(spec) if spec else (stated.license, stated.author)
    fields = {"layer": asked.embedding, "takes": takes, "num_features": int(network.outputs[0].shape[-1])}
    note = (
        f"the layers in Keras differ from the file by {difference:.2g} of its largest value at most, on "
        f"{len(patches)} patches: noise, tones, a click, silence"
    )
    return Found(
        content=content,
        suffix=".tflite",
        fields=fields,
        licence=licence,
        source=source,
        notes=(note, *_lossy(reading), *takes.notes),
    )


def _lossy(reading: GraphReading) -> tuple[str, ...]:
    """What becomes of a float file of `earproof convert` whose convolutions were rewritten for speed."""
    if not any(_FAST in tensor.name for tensor in reading.graph.tensors):
        return ()
    return (
        "it holds fast convolutions of earproof convert, which may lose accuracy in 8 bits: for the recipe int8 add "
        "the folder of the training instead",
    )


def _takes(reading: GraphReading, spec: ModelSpec | None, asked: Asked) -> PatchInput:
    """What the file's input is."""
    shape = reading.tensor(reading.graph.inputs[0]).shape[1:]
    if spec is None:
        front_end, rate = read_front_end_file(asked.front_end) if asked.front_end else (None, None)
        rate = rate or read_stated(reading.content).sample_rate
        return patch_input(shape, known_rate(asked.sample_rate, rate), front_end, None)
    if asked.front_end is not None:
        raise ValueError("it says its front end itself; leave --front-end out")
    rate = known_rate(asked.sample_rate, spec.sample_rate)
    if spec.input_is_waveform:
        return patch_input(shape, rate, None, None)
    if not isinstance(spec.front_end, MelFrontEnd):
        raise ValueError(f"it takes a spectrogram of the kind {spec.front_end.kind}; expected samples or mel")
    return patch_input(shape, rate, spec.front_end, spec.window_length, is_ours=True)
