"""The contract: what a model file says about itself.

The names below are imported when they are first asked for: a device reads metadata and never writes any.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metadata.errors import ModelContractError, ModelWarning
    from metadata.gate.model_check import check_model
    from metadata.labels import format_labels, parse_labels, read_labels, write_labels
    from metadata.packing.contract_check import check_contract, feature_shape
    from metadata.packing.packed_model import (
        find_metadata,
        pack_model,
        read_associated_files,
        read_metadata,
        read_model_labels,
        read_spec,
        strip_metadata,
    )
    from metadata.spec import (
        FrameScores,
        MelFrontEnd,
        ModelSpec,
        Provenance,
        StftFrontEnd,
        WaveformFrontEnd,
        replace_spec,
    )
    from metadata.tflite_file.model_content import ModelTensors, TensorInfo, read_tensors

__all__ = [
    "FrameScores",
    "MelFrontEnd",
    "ModelContractError",
    "ModelSpec",
    "ModelTensors",
    "ModelWarning",
    "Provenance",
    "StftFrontEnd",
    "TensorInfo",
    "WaveformFrontEnd",
    "check_contract",
    "check_model",
    "feature_shape",
    "find_metadata",
    "format_labels",
    "pack_model",
    "parse_labels",
    "read_associated_files",
    "read_labels",
    "read_metadata",
    "read_model_labels",
    "read_spec",
    "read_tensors",
    "replace_spec",
    "strip_metadata",
    "write_labels",
]

_MODULES = {
    "errors": (
        "ModelContractError",
        "ModelWarning",
    ),
    "gate.model_check": ("check_model",),
    "labels": (
        "format_labels",
        "parse_labels",
        "read_labels",
        "write_labels",
    ),
    "packing.contract_check": (
        "check_contract",
        "feature_shape",
    ),
    "packing.packed_model": (
        "find_metadata",
        "pack_model",
        "read_associated_files",
        "read_metadata",
        "read_model_labels",
        "read_spec",
        "strip_metadata",
    ),
    "spec": (
        "FrameScores",
        "MelFrontEnd",
        "ModelSpec",
        "Provenance",
        "StftFrontEnd",
        "WaveformFrontEnd",
        "replace_spec",
    ),
    "tflite_file.model_content": (
        "ModelTensors",
        "TensorInfo",
        "read_tensors",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
