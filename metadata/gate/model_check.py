"""The gate: a model file is checked here before any interpreter sees it.

An interpreter trusts its file: with a damaged one it reads and writes where it should not, divides by zero, or takes
all memory there is. Every check is made on the bytes, in a few milliseconds, and each damage is a `ModelContractError`.
"""

from __future__ import annotations

import struct

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.gate.graph_flow import check_graphs
from metadata.tflite_file.model_content import ModelContent, parse_model

_MAX_FILE_LENGTH = 2**31 - 1  # bytes that the offsets of a FlatBuffer reach


def check_model(model: bytes | ModelContent, unknown_operators: bool = False) -> ModelContent:
    """Check that an interpreter can open and run a model file, and return what it holds.

    Parameters
    ----------
    model : bytes or ModelContent
        The whole file, with whatever ZIP follows it; one that was parsed or has passed is not parsed again.
    unknown_operators : bool
        Let a file pass that holds operators which are not supported: it is only described, not run.

    Raises
    ------
    UnsupportedModelError
        What an interpreter may run and is not checked here: an operator that is not built in or not known, a loop
        without a counter, sparse weights, gigabytes. Its text begins with "not supported here".
    ModelContractError
        Not a model; one with an offset, an index, a size or a type that cannot be; an operator that has other options,
        tensors or shapes than its kernel takes; a damaged ZIP.
    """
    if isinstance(model, bytes) and len(model) > _MAX_FILE_LENGTH:
        raise ModelContractError(f"the model has {len(model)} bytes; a .tflite file holds at most {_MAX_FILE_LENGTH}")
    content = parse_model(model)
    if content.is_checked:
        return content
    try:
        check_graphs(content)
    except UnsupportedModelError:
        if not unknown_operators:
            raise
        return content
    except ModelContractError:
        raise
    except (LookupError, ArithmeticError, ValueError, struct.error) as error:
        # A contradiction that no rule has foreseen; benchmarks/mutated_files.py counts it as a fault of the rules.
        raise ModelContractError(f"the model contradicts itself ({error}); was the file damaged?") from error
    return content._replace(is_checked=True)
