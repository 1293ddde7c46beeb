"""What a rewrite has done, found in the file that came out of it.

A quantizer that matches nothing returns the model as it was, and says nothing. So every file is read anew: which layers
of those that its recipe names are stored as the recipe says, counted and, where some are not, named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from convert.graph.float_scope import CONVOLUTIONS, SCOPE, RecipeUnfitError
from convert.graph.layer_name import layer_name
from convert.graph.model_graph import GraphTensor, ModelGraph, Operation
from metadata.plural import counted

WITH_WEIGHTS = (*CONVOLUTIONS, "FULLY_CONNECTED")
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
FLOAT = "float32"
STORED_AS = {
    "float16": "layers in 16-bit floating point",
    "dynamic_int8": "layers in 8 bits",
    "int8": "layers in 8 bits",
    "auto": "layers in 8 bits",
    "int8_io": "layers in 8 bits",
    "int16x8": "layers in 8 bits with 16 between them",
}
_FAST_PART = re.compile(rf"(.+)/{SCOPE}/(?:point|product|output)\d+/weights_*")
SHOWN = 8  # names at most
_ELSE = "the file would be no more than float32 under another name. Take float32, which is the same model"
_FORM = {"float16": "float16", "dynamic_int8": "dynamic_int8", "int16x8": "int16x8"}  # the others: int8
_Step = tuple[str, str, Operation]  # in which form an operation was to be, in which it is, and which it is


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """What a file has of what was to be rewritten.

    Attributes
    ----------
    what : str
        Such as "layers in 8 bits".
    done, total : int
        How many are so, of how many that were to be.
    left : tuple of str
        The others, and what lies between them and is not so either.
    instead : str
        What these are, such as "stays float32".
    """

    what: str
    done: int
    total: int
    left: tuple[str, ...] = ()
    instead: str = "not so"

    def sentence(self) -> str:
        """Return what was found, for people."""
        shown = [*self.left[:SHOWN], *([f"and {len(self.left) - SHOWN} more"] if len(self.left) > SHOWN else [])]
        return f"{self.done} of {self.total} {self.what}" + (f"; {self.instead}: {', '.join(shown)}" if shown else "")

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def layers_rewritten(
    before: ModelGraph, after: ModelGraph, asked: Sequence[tuple[str, Operation]], recipe_name: str
) -> Rewrite:
    """Return which of a recipe's layers a quantized file holds as the recipe says.

    Parameters
    ----------
    before, after : ModelGraph
        The float model and what was read back from the bytes that were made of it.
    asked : sequence of (str, Operation)
        Operations of the float model, each with the recipe that it was to follow.
    recipe_name : str
        Of the file.

    Raises
    ------
    RecipeUnfitError
        Not one layer with weights is as asked, none was to be, or the ends are not integers where the recipe says so.
    ValueError
        The two graphs do not hold the same operations in the same order.

    Notes
    -----
    Operations are found by their place in the order of execution, not by name. Several that share their weights, the
    steps of a recurrent layer, are one layer. Operations without weights are not counted, but named where they stay.
    """
    place = {operation.outputs: number for number, operation in enumerate(before.operations)}
    theirs, tensors = _in_order(before, after), _Tensors(after)
    layers: dict[str, list[_Step]] = {}
    for wanted, operation in asked:
        found = tensors.form(theirs[place[operation.outputs]])
        layers.setdefault(_layer(operation, before), []).append((_FORM.get(wanted, "int8"), found, operation))
    weighted = [steps for steps in layers.values() if _is_layer(steps[0][2], before)]
    done = sum(all(found == wanted for wanted, found, _ in steps) for steps in weighted)
    left = [_left(steps) for steps in layers.values() if any(found != wanted for wanted, found, _ in steps)]
    rewrite = Rewrite(
        what=STORED_AS[recipe_name],
        done=done,
        total=len(weighted),
        left=tuple(dict.fromkeys(left)),
        instead=f"stays {FLOAT}",
    )
    if not weighted:
        raise RecipeUnfitError(f"the model has no layer for {recipe_name} to rewrite; {_ELSE}")
    if not done:
        raise RecipeUnfitError(
            f"not one of the {counted(len(weighted), 'layer')} of {recipe_name} came out of the quantizer as "
            f"{recipe_name} says "
            f"({rewrite.sentence()}); {_ELSE}"
        )
    return rewrite


def _is_layer(operation: Operation, graph: ModelGraph) -> bool:
    """Whether an operation is counted: one with constant weights, or a convolution whose kernel is computed."""
    return operation.name in CONVOLUTIONS or has_weights(operation, graph)


def has_weights(operation: Operation, graph: ModelGraph) -> bool:
    """Whether an operation is a layer with constant weights."""
    return _layer(operation, graph) != operation.outputs[0]


def tell_rewrites(file_name: str, rewrites: Sequence[Rewrite], tell: Callable[[str], None]) -> None:
    """Tell in a line what a file has of its rewrites; nothing where there was none."""
    if rewrites:
        tell(f"{file_name}: {'. '.join(one.sentence() for one in rewrites)}")


def rewrite_notes(files: Sequence[dict[str, Any]]) -> list[str]:
    """Return lines for people about the files of a report: what was rewritten in part, file by file, else that all was.

    Parameters
    ----------
    files : sequence of dict
        As `report.describe_build` gives them under "files".
    """
    found = [(file["file"], [Rewrite(**one) for one in file.get("rewrites") or ()]) for file in files]
    partly = [f"{name}: {one.sentence()}." for name, rewrites in found for one in rewrites if one.left]
    whole = sum(bool(rewrites) and not any(one.left for one in rewrites) for _, rewrites in found)
    told = f"Read back from the files: in {whole} of them every layer that the recipe names is stored as it says."
    return [*partly, *([told] if whole else [])]


def check_integer_ends(after: ModelGraph, recipe_name: str) -> None:
    """Refuse a file whose input or output is not int8 though its recipe says so.

    Raises
    ------
    RecipeUnfitError
    """
    found = (after.input.dtype, *(output.dtype for output in after.outputs))
    wide = next((dtype for dtype in found[1:] if dtype != "INT8"), found[1])
    if {*found} != {"INT8"}:
        raise RecipeUnfitError(
            f"the quantizer made a file with a {found[0]} input and a {wide} output; {recipe_name} means INT8 for "
            "both. Take int8 for this model"
        )


def _layer(operation: Operation, graph: ModelGraph) -> str:
    """Return what tells layers apart: the constant weights, or the result of what has none."""
    if operation.name in WITH_WEIGHTS and operation.inputs[1] in graph.constants:
        part = _FAST_PART.fullmatch(operation.inputs[1])  # a fast convolution is one layer with many kernels
        return part[1] if part else operation.inputs[1]
    return operation.outputs[0]


def _in_order(before: ModelGraph, after: ModelGraph) -> list[Operation]:
    """Return the operations of the second graph that stand where those of the first one do."""
    kept = [item for item in after.operations if item.name not in CONVERSIONS]
    own = [item for item in before.operations if item.name not in CONVERSIONS]
    if [item.name for item in kept] != [item.name for item in own]:
        raise ValueError(
            f"the quantizer gave back {counted(len(kept), 'operation')} where it was given {len(own)}, or others; "
            "what it did "
            "cannot be checked"
        )
    following = iter(kept)
    return [item if item.name in CONVERSIONS else next(following) for item in before.operations]


class _Tensors:
    """The tensors of a graph, and how its operations hold their weights and results."""

    def __init__(self, graph: ModelGraph) -> None:
        self._tensors = {tensor.name: tensor for tensor in graph.tensors}
        self._widened = {item.outputs[0]: item.inputs[0] for item in graph.operations if item.name == "DEQUANTIZE"}

    def form(self, operation: Operation) -> str:
        """Return in which form an operation is stored: the name of a recipe."""
        result = self._tensors[operation.outputs[0]].dtype
        weights = self._stored(operation.inputs[1]) if operation.name in WITH_WEIGHTS else None
        if weights is None or not weights.is_constant:
            return {"INT8": "int8", "INT16": "int16x8"}.get(result, FLOAT)
        if weights.dtype == "INT8":
            return {"INT8": "int8", "INT16": "int16x8"}.get(result, "dynamic_int8")
        return "float16" if weights.dtype == "FLOAT16" else FLOAT

    def _stored(self, name: str) -> GraphTensor:
        """Return the tensor that a file stores where an operation may read a widened copy of it."""
        return self._tensors[self._widened.get(name, name)]


def _left(steps: list[_Step]) -> str:
    """Return what a layer that is not as asked is instead."""
    wanted, found, operation = next(step for step in steps if step[1] != step[0])
    return f"{layer_name(operation)} ({operation.name}{'' if found == FLOAT else f', {found} in place of {wanted}'})"
