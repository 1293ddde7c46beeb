"""What makes the scores of a model: the operators before its output, seen through those that only hand values on."""

from __future__ import annotations

from typing import NamedTuple

from metadata.errors import ModelContractError
from metadata.spec import ModelSpec
from metadata.tflite_file.model_content import Graph, ModelContent, Operator, parse_model

ACTIVATION_OF = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
"""The activation of a spec that an operator stands for, where it puts out scores in 0 to 1."""
HANDED_ON = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST", "TRANSPOSE")
_KEEPS_RANGE = ("MEAN", "REDUCE_MAX", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MAXIMUM", "MINIMUM", "SLICE", "STRIDED_SLICE")
_LINEAR = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "SUB", "BATCH_MATMUL", "MEAN", "AVERAGE_POOL_2D")
_MARGINS = ("ADD", "MAXIMUM", "MINIMUM", "SUB")  # what keeps a logarithm from minus infinity
_FUSED = ("", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
_FARTHEST = 8  # operators before the output that are looked at


class ScoreKind(NamedTuple):
    """What a model puts out.

    Attributes
    ----------
    activation : str
        "softmax" or "sigmoid", empty where it is not known.
    transform : str
        What makes scores in [0, 1] of it, as in a spec.
    what : str
        Why that is so, to be read behind "the model".
    is_linear : bool
        Nothing limits it: logits, as it seems.
    """

    activation: str
    transform: str
    what: str
    is_linear: bool = False


def score_operator(model: bytes | ModelContent, place: int = 0) -> str:
    """Return the name of the operator that makes what a model puts out, such as SOFTMAX; empty where none does.

    `place` says which output is looked at.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    path = score_path(parse_model(model).graphs[0], place)
    return path[0].name if path else ""


def score_path(graph: Graph, place: int = 0) -> list[Operator]:
    """Return the operators before an output, the last one first, without those that hand values on."""
    makers = {output: operator for operator in graph.operators for output in operator.outputs}
    path: list[Operator] = []
    tensor = graph.outputs[place] if graph.outputs else -1
    for _ in graph.operators:  # a damaged file may hand a tensor on in a circle
        maker = makers.get(tensor)
        if maker is None or len(path) == _FARTHEST:
            break
        computed = [place for place in maker.inputs if place >= 0 and graph.tensors[place].data is None]
        if maker.name not in HANDED_ON or not computed:
            path.append(maker)
        tensor = computed[0] if computed else -1
    return path


def check_activation(content: ModelContent, spec: ModelSpec) -> None:
    """Refuse a spec whose activation is not the one that the model ends with.

    Parameters
    ----------
    content : ModelContent
    spec : ModelSpec
        Inside it.

    Raises
    ------
    ModelContractError
        Sigmoid over a SOFTMAX or the other way, or logarithms that are said to be scores.
    """
    places = spec.output_places([output.size for output in content.tensors.outputs])
    for place in places:
        _check_end(score_operator(content, place), spec)


def _check_end(last: str, spec: ModelSpec) -> None:
    """Refuse an output whose last operator differs from what the spec says."""
    expected = ACTIVATION_OF.get(last)
    is_logarithm = last == "LOG_SOFTMAX" and spec.score_transform == "none"
    if expected in (None, spec.activation) and not is_logarithm:
        return
    raise ModelContractError(
        f"the spec says {spec.activation} but the model ends with {last}; was it written for another model? "
        f"Describe it anew with: earproof metadata write FILE --activation {expected or 'softmax'} --out NEW.tflite"
    )


def score_kind(content: ModelContent) -> ScoreKind:
    """Return what the graph says about a model's scores: its last operators and what is fused into them."""
    path = score_path(content.graphs[0])
    names = [operator.name for operator in path]
    if not names:
        return ScoreKind("", "none", "puts out what no operator makes")
    if names[0] == "LOG_SOFTMAX":
        return ScoreKind("softmax", "exp", "puts out log-softmax scores")
    if names[0] == "LOG":
        source = next((name for name in names[1:] if name not in _MARGINS), "")
        if source in ACTIVATION_OF:
            return ScoreKind(ACTIVATION_OF[source], "exp", f"puts out the logarithm of {source}")
    source = next((name for name in names if name not in _KEEPS_RANGE), "")
    if source in ACTIVATION_OF:
        return ScoreKind(ACTIVATION_OF[source], "none", f"makes its scores with {source}")
    return _without_activation(path[0], names)


def _without_activation(last: Operator, names: list[str]) -> ScoreKind:
    """Last operators that put out no scores."""
    number = int(last.options.get("fused_activation_function", 0))
    fused = _FUSED[number] if 0 <= number < len(_FUSED) else str(number)
    if last.name in ("MUL", "DIV") and "LOG" in names:
        return ScoreKind("", "none", "puts out scaled logarithms, such as dB")
    if last.name == "TANH" or fused == "TANH":
        return ScoreKind("", "none", "ends with TANH, which gives -1 to 1")
    if last.name in _LINEAR and not fused:
        return ScoreKind("", "none", f"ends with {last.name} and no activation: logits, as it seems", True)
    return ScoreKind("", "none", f"ends with {last.name}{f' and {fused}' if fused else ''}")
