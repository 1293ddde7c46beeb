import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_tflite import _Net, pack_aligned, tiny_classifier, tiny_spec

from metadata import ModelContractError, pack_model
from metadata.tflite_file.score_operator import score_operator


@pytest.mark.parametrize(("activation", "name"), [("softmax", "SOFTMAX"), ("sigmoid", "LOGISTIC")])
def test_the_operator_behind_the_scores_is_found(activation, name):
    assert score_operator(tiny_classifier(activation=activation)) == name
    assert score_operator(pack_model(tiny_classifier(activation=activation), tiny_spec(activation=activation))) == name


def _reshaped(name="scores"):
    """A model whose sigmoid scores are handed on by a reshape."""
    net = _Net(np.random.default_rng(0))
    audio = net.tensor("audio", (1, 8))
    logits = net.dense(audio, "logits", (1, 3), 1.0)
    inner = net.tensor("inner", (1, 3))
    net.activate(logits, inner, "sigmoid")
    outer = net.reshape(inner, "outer", (3, 1))
    net.graph.inputs, net.graph.outputs = np.array([audio], np.int32), np.array([outer], np.int32)
    net.model.subgraphs = [net.graph]
    return net


def test_it_is_seen_through_a_reshape():
    assert score_operator(pack_aligned(_reshaped().model)) == "LOGISTIC"


def test_an_output_that_nothing_makes_has_no_operator():
    net = _reshaped()
    net.graph.outputs = net.graph.inputs
    assert score_operator(pack_aligned(net.model)) == ""


def test_operators_that_hand_on_in_a_circle_end():
    net = _reshaped()
    reshape = next(one for one in net.graph.operators if one.builtinOptions is None and len(one.inputs) == 2)
    assert net.model.operatorCodes[reshape.opcodeIndex].builtinCode == schema.BuiltinOperator.RESHAPE
    reshape.inputs = np.array([reshape.outputs[0], reshape.inputs[1]], np.int32)
    assert score_operator(pack_aligned(net.model)) == ""


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelContractError):
        score_operator(b"nothing")
