"""What TensorFlow Lite Micro takes, and the arena it needs, by the answers of tflite-micro 0.dev20261023."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_operators import Value, one_operator
from tiny_tflite import tiny_classifier

from metadata.gate.model_check import check_model
from metadata.microcontroller.arena_plan import plan_arena
from metadata.microcontroller.operator_support import micro_refusals, resolver_methods

SOUND = Path(__file__).parent / "damaged_files" / "sound"
# Bytes of head and tail as its RecordingMicroAllocator prints them.
ARENAS = {
    "attention": (2048, 4768),
    "bilstm-fused": (2176, 4240),
    "float32": (4032, 3312),
    "int16x8": (2016, 5632),
    "int8": (4032, 3552),
    "int8_io": (1024, 3376),
    "lstm-fused": (2048, 2656),
    "lstm-unrolled": (2048, 8912),
    "spectrogram": (576, 1680),
    "tiny": (2048, 1680),
}
REFUSED = {
    "bilstm-merged": "has no operator BIDIRECTIONAL_SEQUENCE_LSTM",
    "dynamic_int8": "layers with float activations and int8 weights",
    "float16": "DEQUANTIZE takes no float16",
    "image": "has no operator GELU",
    "lstm-hybrid": "takes no peepholes",
    "lstm-int8-norms": "takes no peepholes, projection, norms",
    "places": "has no operator WHERE, ",
    "stft": "has no operator RFFT2D, COMPLEX_ABS; take the spectrogram form",
    "svdf-hybrid": "layers with float activations",
    "volume": "has no operator CONV_3D",
}


def _read(name):
    return check_model((SOUND / f"{name}.tflite").read_bytes(), unknown_operators=True)


@pytest.mark.parametrize("name", ARENAS)
def test_the_planned_arena_is_the_real_one(name):
    head, tail = ARENAS[name]
    plan = plan_arena(_read(name))
    assert plan.head == head
    assert tail <= plan.tail <= 2 * tail + 2_000  # an estimate from above
    assert plan.total == plan.head + plan.tail


@pytest.mark.parametrize("name", [*ARENAS, "gru-loop", "branch", "variable"])
def test_what_it_takes_is_not_refused(name):
    assert micro_refusals(_read(name)) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses_is_refused_with_the_reason(name):
    assert any(REFUSED[name] in reason for reason in micro_refusals(_read(name)))


def test_a_model_of_several_graphs_is_not_planned():
    with pytest.raises(ValueError, match="has 3 graphs"):
        plan_arena(_read("branch"))


def test_each_operator_is_registered_once_under_the_resolvers_name():
    assert resolver_methods(check_model(tiny_classifier())) == [
        "AddFullyConnected",
        "AddMean",
        "AddReshape",
        "AddSoftmax",
    ]


@pytest.mark.parametrize(("count", "refused"), [(10, False), (11, True)])
def test_more_than_ten_tensors_cannot_be_joined(count, refused):
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    inputs = [Value("float32", (1, 2), "input"), *[Value("float32", (1, 2))] * (count - 1)]
    model = one_operator("CONCATENATION", inputs, [Value("float32", (1, 2 * count), "computed")], options)
    reasons = micro_refusals(check_model(model))
    assert [("CONCATENATION joins 11 tensors" in reason) for reason in reasons] == [True] * refused


def test_a_variable_lies_in_the_tail():
    model = one_operator(
        "ADD",
        [Value("float32", (1, 1000), "input"), Value("float32", (1, 1000), "state")],
        [Value("float32", (1, 1000), "computed")],
        schema.AddOptionsT(),
    )
    plan = plan_arena(check_model(model))
    assert plan.head == 8_000  # 4,000 bytes are a multiple of 16
    assert plan.tail - 4_000 == plan_arena(check_model(_without_state())).tail


def _without_state():
    values = np.zeros(1000)
    inputs = [Value("float32", (1, 1000), "input"), Value("float32", (1, 1000), values=values)]
    return one_operator("ADD", inputs, [Value("float32", (1, 1000), "computed")], schema.AddOptionsT())
