"""The contract: what a model file says about itself."""

from metadata.errors import ModelContractError
from metadata.labels import format_labels, parse_labels, read_labels, write_labels
from metadata.spec import MelFrontEnd, ModelSpec, Provenance, StftFrontEnd, WaveformFrontEnd, replace_spec

__all__ = [
    "MelFrontEnd",
    "ModelContractError",
    "ModelSpec",
    "Provenance",
    "StftFrontEnd",
    "WaveformFrontEnd",
    "format_labels",
    "parse_labels",
    "read_labels",
    "replace_spec",
    "write_labels",
]
