"""A model run on shapes alone: every operator after those it needs, each with what its kernel expects.

What an interpreter would compute with is followed from the input to the scores: no operator may read a tensor that
nothing has filled, none may fill a constant, the shapes must be those that the file gives its tensors, and subgraphs
may not call each other in a circle.
"""

from __future__ import annotations

from metadata.errors import ModelContractError
from metadata.gate.kernel_shapes import Shapes
from metadata.gate.loop_rules import check_loop
from metadata.gate.operator_call import OperatorCall
from metadata.gate.operator_rules import check_operator, find_signature
from metadata.gate.shape_rules import output_shapes
from metadata.tflite_file.model_content import Graph, ModelContent, Operator, Shape, TensorInfo

_MAX_DEPTH = 16  # of subgraphs that call subgraphs
_CALLS = {
    "IF": ("then_subgraph_index", "else_subgraph_index"),
    "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "CALL_ONCE": ("init_subgraph_index",),
}


def check_graphs(content: ModelContent) -> None:
    """Check the operators of all subgraphs, and how they call each other.

    Raises
    ------
    ModelContractError
        An operator whose kernel could not run, tensors that are read before they are there, shapes that contradict
        the operators, subgraphs that call each other in a circle or in a loop without an end.
    """
    finished: list[int] = []
    for place in range(len(content.graphs)):
        _check_calls(content, place, (), finished)
    for place in finished:  # those that are called first: the rules for a loop look into its graphs
        _Flow(content, content.graphs[place]).run()


def _check_calls(content: ModelContent, place: int, callers: tuple[int, ...], finished: list[int]) -> None:
    """Follow the calls of a subgraph down, each subgraph once."""
    if not 0 <= place < len(content.graphs) or place in callers or len(callers) > _MAX_DEPTH:
        raise ModelContractError(
            f"the model calls subgraph {place} of {len(content.graphs)} from subgraphs {list(callers)}; "
            f"expected one that is there, that does not call itself, at most {_MAX_DEPTH} below each other. "
            "Was the file changed on its way here?"
        )
    if place in finished:
        return
    for operator in content.graphs[place].operators:
        for called in called_graphs(operator):
            _check_calls(content, called, (*callers, place), finished)
    finished.append(place)


def called_graphs(operator: Operator) -> list[int]:
    """Return the subgraphs that an operator runs."""
    return [int(operator.options.get(name, 0)) for name in _CALLS.get(operator.name, ())]


class _Flow:
    """One subgraph, operator by operator."""

    def __init__(self, content: ModelContent, graph: Graph) -> None:
        self._content = content
        self._graph = graph
        # What each tensor that is there has for a shape; None where that is known only when the model runs.
        self._shapes: dict[int, Shape | None] = {}
        self._read = {index for operator in graph.operators for index in operator.inputs} | set(graph.outputs)

    def run(self) -> None:
        """Go through the operators in their order."""
        tensors = self._graph.tensors
        computed = {index for operator in self._graph.operators for index in operator.outputs}
        for tensor in tensors:
            # Of a constant without values there are no bytes; what is computed may have none either.
            is_empty = tensor.size == 0 and tensor.place not in computed
            if tensor.data is not None or tensor.is_variable or is_empty:
                self._shapes[tensor.place] = tensor.shape
        for index in self._graph.inputs:
            self._shapes[index] = tensors[index].shape
        given = set(self._shapes)
        for operator in self._graph.operators:
            self._operator(operator, given)
        missing = [tensors[index] for index in self._graph.outputs if index not in self._shapes]
        if missing:
            raise ModelContractError(f"nothing in the model computes its output {missing[0]}; was the file changed?")

    def _operator(self, operator: Operator, given: set[int]) -> None:
        """Check one operator and note the shapes that it puts out."""
        signature = find_signature(operator)
        tensors = self._graph.tensors
        present = [index for index in (*operator.inputs, *operator.intermediates) if index >= 0]
        missing = [tensors[index] for index in operator.inputs if index >= 0 and index not in self._shapes]
        if missing:
            raise ModelContractError(f"the model's {operator} reads {missing[0]}, which nothing computes before it")
        twice = [tensors[index] for index in operator.outputs if index in given or index in present]
        if twice:
            raise ModelContractError(f"the model's {operator} writes {twice[0]}, which is there already")
        inputs = tuple(tensors[index] if index >= 0 else None for index in operator.inputs)
        outputs = tuple(tensors[index] for index in operator.outputs)
        shapes = [self._shapes[index] if index >= 0 else () for index in operator.inputs]
        known = tuple(shape for shape in shapes if shape is not None)
        between = tuple(tensors[index] if index >= 0 else None for index in operator.intermediates)
        unread = frozenset(place for place, index in enumerate(operator.outputs) if index not in self._read)
        call = OperatorCall(self._content, operator, inputs, known, outputs, between, unread)
        check_operator(call, signature)
        found: Shapes = None
        if len(known) == len(shapes):
            self._check_called(call)
            found = output_shapes(call)
        self._note(call, found, any(tensor is not None and tensor.is_open for tensor in inputs))
        given.update(operator.outputs)

    def _note(self, call: OperatorCall, found: Shapes, is_open: bool) -> None:
        """Compare the shapes that come out with those of the file."""
        for place, tensor in enumerate(call.outputs):
            if found is None:
                self._shapes[tensor.place] = None if is_open or tensor.is_open else tensor.shape
                continue
            shape = self._shapes[tensor.place] = found[place]
            unknown = is_open or tensor.is_open or tensor.shape == ()
            if shape is not None and shape != tensor.shape and not unknown:
                raise call.refusal(f"the output {tensor}, but makes [{', '.join(map(str, shape))}]")

    def _check_called(self, call: OperatorCall) -> None:
        """Compare what an operator gives to the subgraphs that it runs with what these take."""
        graphs = [self._content.graphs[place] for place in called_graphs(call.operator)]
        name = call.operator.name
        if name == "CALL_ONCE":
            call.require(not graphs[0].inputs and not graphs[0].outputs, "a subgraph with inputs or outputs")
        elif name == "IF":
            for graph in graphs:
                self._check_fit(call, graph, graph.inputs, call.inputs[1:])
                self._check_fit(call, graph, graph.outputs, call.outputs)
        elif name == "WHILE":
            condition, body = graphs
            for graph, indices in ((condition, condition.inputs), (body, body.inputs), (body, body.outputs)):
                self._check_fit(call, graph, indices, call.inputs)
            call.require(len(call.outputs) == len(call.inputs), "another number of outputs than inputs")
            types = [condition.tensors[index].dtype for index in condition.outputs]
            call.require(types == ["bool"], "a condition that is not one bool")
            check_loop(call, condition, body)

    def _check_fit(
        self, call: OperatorCall, graph: Graph, indices: tuple[int, ...], given: tuple[TensorInfo | None, ...]
    ) -> None:
        """Compare tensors of a subgraph with those on the caller's side."""
        call.require(len(indices) == len(given), "another number of tensors than its subgraph")
        for index, outside in zip(indices, given, strict=True):
            inside = graph.tensors[index]
            fits = outside is not None and inside.dtype == outside.dtype
            fits = fits and (inside.shape == outside.shape or inside.is_open or outside.is_open)  # type: ignore[union-attr]
            call.require(fits, f"{outside} where its subgraph has {inside}")
