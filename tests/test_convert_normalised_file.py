"""Files as old or careless writers leave them: made uniform on the way in, and then quantized as any other."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_quantizer")

from ai_edge_litert import schema_py_generated as schema
from hand_made import (
    NUM_LABELS,
    altered,
    hand_made_classifier,
    named,
    with_old_codes,
)

import earproof
from convert import RECIPES, quantize
from convert.foreign_model import read_foreign
from convert.graph.model_graph import normalised, read_graph, read_model_object, tell_normalised
from convert.graph.model_scores import model_scores
from convert.graph.static_shapes import pin_batch
from metadata import ModelContractError
from metadata.gate.model_check import check_model


@pytest.fixture(scope="module")
def modern() -> bytes:
    return hand_made_classifier()


@pytest.fixture(scope="module")
def files(modern, noise_calibration) -> dict[str, bytes]:
    return {name: quantize(modern, recipe, noise_calibration) for name, recipe in RECIPES.items()}


def with_a_code_an_operator(content) -> None:
    codes = []
    for operator in content.subgraphs[0].operators:
        old, code = content.operatorCodes[operator.opcodeIndex], schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = old.builtinCode, old.builtinCode, old.version
        codes.append(code)
        operator.opcodeIndex = len(codes) - 1
    content.operatorCodes = codes


def with_float_scales(content) -> None:
    for tensor in content.subgraphs[0].tensors:
        if tensor.type == schema.TensorType.FLOAT32:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [0.1], [0]


def with_empty_scales(content) -> None:
    for tensor in content.subgraphs[0].tensors:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [], []


def with_two_names(content) -> None:
    """Names that the quantizer itself makes of other names."""
    for place, tensor in enumerate(content.subgraphs[0].tensors):
        tensor.name = b"a" if place % 2 else b"a_quantized"


def with_long_names(content) -> None:
    for place, tensor in enumerate(content.subgraphs[0].tensors):
        tensor.name = ("ü文;|*$[(\n" * 40 + str(place)).encode()


def without_an_own_graph_name(content) -> None:
    content.subgraphs[0].name = None


def with_current_codes_only(content) -> None:
    for code in content.operatorCodes:
        code.deprecatedBuiltinCode = 0


def old_and_nameless(content) -> None:
    with_old_codes(content)
    named(None)(content)


ALTERED = {
    "old codes": with_old_codes,
    "one name": named("x"),
    "empty names": named(""),
    "no names": named(None),
    "two names": with_two_names,
    "long names": with_long_names,
    "old and nameless": old_and_nameless,
    "a code an operator": with_a_code_an_operator,
    "current codes only": with_current_codes_only,
    "float scales": with_float_scales,
    "empty scales": with_empty_scales,
    "no graph name": without_an_own_graph_name,
}


@pytest.mark.parametrize("recipe", list(RECIPES))
@pytest.mark.parametrize("change", list(ALTERED))
def test_every_recipe_makes_the_same_of_an_altered_file(
    modern, files, noise_calibration, noise_windows, change, recipe
):
    made = quantize(altered(modern, ALTERED[change]), RECIPES[recipe], noise_calibration)
    np.testing.assert_array_equal(model_scores(made, noise_windows), model_scores(files[recipe], noise_windows))
    assert _stored(made) == _stored(files[recipe])
    assert len(read_graph(made).operations) == len(read_graph(files[recipe]).operations)


def _stored(model: bytes) -> list[tuple[str, int]]:
    """Type and bytes of every constant."""
    content = read_model_object(model)
    tensors = [(tensor.type, content.buffers[tensor.buffer].data) for tensor in content.subgraphs[0].tensors]
    return sorted((str(kind), len(data)) for kind, data in tensors if data is not None and len(data))


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_with_old_codes_the_file_is_byte_for_byte_that_of_the_modern_one(modern, files, noise_calibration, recipe):
    assert quantize(altered(modern, with_old_codes), RECIPES[recipe], noise_calibration) == files[recipe]


def test_what_todays_converters_write_is_not_touched(modern, files):
    assert normalised(modern) is modern
    assert all(normalised(content) is content for content in files.values())


def test_a_name_that_was_there_once_stays(modern):
    def shared_inside(content):
        ends = {*content.subgraphs[0].inputs, *content.subgraphs[0].outputs}
        for place, tensor in enumerate(content.subgraphs[0].tensors):
            if place not in ends:
                tensor.name = b"x"

    graph = read_graph(normalised(altered(modern, shared_inside)))
    assert (graph.input.name, graph.output.name) == ("audio", "scores")
    names = [tensor.name for tensor in graph.tensors]
    assert len(set(names)) == len(names)


def test_a_name_that_is_given_is_nobody_elses(modern):
    def colliding(content):
        tensors = content.subgraphs[0].tensors
        named("x")(content)
        tensors[0].name = b"x_1"  # what tensor 1 would be given

    names = [tensor.name for tensor in read_graph(altered(modern, colliding)).tensors]
    assert names[0] == "x_1"
    assert len(set(names)) == len(names)


def test_names_are_told_apart_over_all_subgraphs(modern):
    def doubled(content):
        content.subgraphs.append(read_model_object(modern).subgraphs[0])

    content = read_model_object(altered(modern, doubled))
    names = [tensor.name for graph in content.subgraphs for tensor in graph.tensors]
    assert len(set(names)) == len(names)
    with pytest.raises(ModelContractError, match="2 subgraphs; expected one"):
        read_graph(altered(modern, doubled))


def test_tensors_of_two_types_in_one_buffer_get_one_each(modern, noise_calibration, noise_windows):
    """Zero is zero in every type, and a converter stores it once; the quantizer rewrote it for both."""

    def sharing(content):
        tensors, buffers = content.subgraphs[0].tensors, content.buffers
        bias = next(tensor for tensor in tensors if tensor.name == b"net/conv_2/bias")
        buffers[bias.buffer].data = np.zeros(32, np.uint8)
        shape = schema.TensorT()
        shape.name, shape.shape, shape.type = b"zeros", np.array([8], np.int32), schema.TensorType.INT32
        shape.buffer = bias.buffer
        tensors.append(shape)

    shared = altered(modern, sharing)
    content = read_model_object(shared)
    by_name = {tensor.name: tensor.buffer for tensor in content.subgraphs[0].tensors}
    assert by_name[b"zeros"] != by_name[b"net/conv_2/bias"]
    made = quantize(shared, RECIPES["int16x8"], noise_calibration)
    check_model(made)
    assert np.abs(model_scores(made, noise_windows) - model_scores(shared, noise_windows)).max() < 0.01


def test_what_is_changed_is_told(modern):
    told: list[str] = []
    tell_normalised("theirs", altered(modern, old_and_nameless), told.append)
    count = len(read_graph(modern).tensors)
    assert told == [
        "theirs: 4 operator codes were stored as TensorFlow 2.3 and older store them; they were written anew",
        f"theirs: {count} of {count} tensors had no name of their own; they were given one",
    ]


def test_shapes_that_a_static_file_does_not_store_are_filled_in(modern, noise_windows):
    def shapeless(content):
        graph = content.subgraphs[0]
        for operator in graph.operators[:-1]:
            graph.tensors[operator.outputs[0]].shape = None

    without = altered(modern, shapeless)
    assert not read_graph(without).tensors[read_model_object(without).subgraphs[0].operators[1].outputs[0]].shape
    pinned = pin_batch(without)
    assert {tensor.name: tensor.shape for tensor in read_graph(pinned).tensors if not tensor.is_constant} == {
        tensor.name: tensor.shape for tensor in read_graph(modern).tensors if not tensor.is_constant
    }
    np.testing.assert_array_equal(model_scores(pinned, noise_windows), model_scores(modern, noise_windows))


@pytest.mark.parametrize("change", ["old codes", "one name", "no names", "old and nameless"])
def test_a_file_of_somebody_elses_is_read_and_predicts_as_it_came(modern, noise_windows, tmp_path, change):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(altered(modern, ALTERED[change]))
    model = read_foreign(path)
    np.testing.assert_array_equal(model.predict(noise_windows), model_scores(modern, noise_windows))
    np.testing.assert_array_equal(model_scores(model.pinned, noise_windows), model_scores(modern, noise_windows))


def test_the_command_makes_small_files_of_an_old_one_and_says_what_it_did(modern, tmp_path, capsys):
    sizes = {}
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    assert NUM_LABELS == 3
    for name, change in (("modern", lambda content: None), ("old", with_old_codes)):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(altered(modern, change))
        arguments = ["--labels", str(tmp_path / "labels.txt"), "--sample-rate", "4000", "--out", str(tmp_path / name)]
        assert earproof.main(["convert", str(path), *arguments]) == 0
        sizes[name] = {one.name.split("-")[-1]: one.stat().st_size for one in (tmp_path / name).glob("*.tflite")}
    said = capsys.readouterr().err
    assert sizes["old"].keys() == sizes["modern"].keys() == {"float32.tflite", "float16.tflite", "dynamic_int8.tflite"}
    for recipe, size in sizes["old"].items():
        assert abs(size - sizes["modern"][recipe]) < 200  # the names of the two models differ in length
    assert "old: 4 operator codes were stored as TensorFlow 2.3 and older store them" in said
    assert "old-dynamic_int8.tflite: 3 of 3 layers in 8 bits" in said
