"""A spec for files that bring none of ours: what their standard TFLite metadata says, held against the graph."""

from __future__ import annotations

from edge_runtime.model.probe import hear_test_signals
from metadata.foreign.foreign_contract import ForeignContract, foreign_contract
from metadata.gate.model_check import check_model
from metadata.spec import ModelSpec
from metadata.tflite_file.model_content import ModelContent


def third_party_contract(
    model: bytes | ModelContent, num_threads: int = 1, use_xnnpack: bool = True
) -> ForeignContract:
    """Return what a file of others amounts to, after running it on a few test signals.

    Parameters
    ----------
    model : bytes or ModelContent
        The whole file.
    num_threads, use_xnnpack
        As for `open_interpreter`.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one. What else stands in the way of a spec is among the contract's faults.
    """

    def hear(content: ModelContent, spec: ModelSpec) -> list[list[float]]:
        return hear_test_signals(content, spec, num_threads, use_xnnpack)

    return foreign_contract(check_model(model), hear=hear)
