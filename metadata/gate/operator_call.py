"""One operator with its tensors, as the rules for options and shapes look at it."""

from __future__ import annotations

from typing import NamedTuple

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.tflite_file.model_content import ModelContent, Operator, Shape, TensorInfo


class OperatorCall(NamedTuple):
    """An operator, its input tensors (None where one is left out), their shapes as they come out, its outputs."""

    content: ModelContent
    operator: Operator
    inputs: tuple[TensorInfo | None, ...]
    shapes: tuple[Shape, ...]
    outputs: tuple[TensorInfo, ...]
    intermediates: tuple[TensorInfo | None, ...] = ()
    unread: frozenset[int] = frozenset()  # places of outputs that nothing reads

    def number(self, name: str, default: int = 0) -> int:
        """Return an integer option, the schema's default where it was not written."""
        return int(self.operator.options.get(name, default))

    def flag(self, name: str) -> bool:
        """Return a boolean option."""
        return bool(self.operator.options.get(name, False))

    def integers(self, place: int) -> tuple[int, ...] | None:
        """Return the values of an input, None where it is left out or computed."""
        tensor = self.inputs[place] if place < len(self.inputs) else None
        return None if tensor is None else self.content.integers(tensor)

    def has(self, place: int) -> bool:
        """Whether an input is there."""
        return place < len(self.inputs) and self.inputs[place] is not None

    def require(self, condition: object, what: str) -> None:
        """Raise ModelContractError unless the condition holds; `what` says what is wrong."""
        if not condition:
            raise self.refusal(what)

    def support(self, condition: object, what: str) -> None:
        """Raise UnsupportedModelError unless the condition holds; `what` says what is not checked here."""
        if not condition:
            raise UnsupportedModelError(f"the model's {self.operator} with {what}; export the model without it")

    def refusal(self, what: str) -> ModelContractError:
        """Return the error for an operator that its kernel could not run."""
        tensors = ", ".join(f"[{', '.join(map(str, shape))}]" for shape in self.shapes)
        cause = "was the file damaged, or written by a faulty converter?"
        if any(tensor is not None and tensor.is_open for tensor in self.inputs):
            cause = f"a length is open, and taken as 1 until one is given. Give the input one; else, {cause}"
        return ModelContractError(f"the model's {self.operator} on {tensors or 'nothing'} has {what}; {cause}")

    def axis(self, value: int, rank: int, what: str = "axis") -> int:
        """Return an axis counted from the front, after checking that there is one."""
        self.require(-rank <= value < rank, f"{what} {value} of {rank}")
        return value % rank
