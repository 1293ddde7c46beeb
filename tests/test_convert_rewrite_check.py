"""A rewrite that did not happen is refused, one that happened in part is named: every recipe, every graph rewrite."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

pytest.importorskip("ai_edge_quantizer")

from hand_made import altered, hand_made_classifier, named

import convert.winograd.fast_convolution as fast_convolution
from convert import RECIPES, quantize
from convert.file_rewrites import all_rewrites
from convert.foreign_model import convert_unproven, foreign_spec, read_foreign
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.model_graph import read_graph, read_model_object, write_model_object
from convert.graph.model_scores import model_scores
from convert.graph.rewrite_check import Rewrite, rewrite_notes
from convert.quantization.mixed_precision import ValidationWindows, _Bench, search_mixed_precision
from convert.quantization.quantize import rewritten
from convert.winograd.fast_convolution import fast_rewrite, with_fast_convolutions
from convert.winograd.fast_operators import COLUMNS
from convert.winograd.plain_convolution import with_plain_convolutions

quantize_module = importlib.import_module(
    "convert.quantization.quantize"
)  # the package's attribute of this name is the function
QUANTIZED = [name for name in RECIPES if name != "float32"]
IN_BODY = ("dynamic_int8", "int8", "auto")
OF_ALL = ("float16", "int8_io", "int16x8")


@pytest.fixture(scope="module")
def model() -> bytes:
    return hand_made_classifier()


@pytest.mark.parametrize("recipe", QUANTIZED)
def test_a_quantizer_that_matches_nothing_is_refused(model, noise_calibration, monkeypatch, recipe):
    monkeypatch.setattr(quantize_module, "_rewrite", lambda float_model, *others: float_model)
    with pytest.raises(RecipeUnfitError, match=r"not one of the|FLOAT32 input"):
        quantize(model, RECIPES[recipe], noise_calibration)


@pytest.mark.parametrize("recipe", QUANTIZED)
def test_a_recipe_that_finds_no_operation_is_refused(model, noise_calibration, monkeypatch, recipe):
    monkeypatch.setattr(quantize_module, "_settings", lambda *arguments: [])
    with pytest.raises(RecipeUnfitError, match=r"no layer for|FLOAT32 input"):
        quantize(model, RECIPES[recipe], noise_calibration)


@pytest.mark.parametrize("recipe", QUANTIZED)
def test_all_layers_that_a_recipe_names_are_counted_in_the_file(model, noise_calibration, recipe):
    found = rewritten(model, quantize(model, RECIPES[recipe], noise_calibration), RECIPES[recipe])
    count = 3 if recipe in IN_BODY else 5
    assert (found.done, found.total, found.left) == (count, count, ())


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("float16", "4 of 5 layers in 16-bit floating point; stays float32: conv_3 (CONV_2D)"),
        ("dynamic_int8", "2 of 3 layers in 8 bits; stays float32: conv_3 (CONV_2D)"),
        ("int8", "2 of 3 layers in 8 bits; stays float32: conv_3 (CONV_2D)"),
        ("int16x8", "4 of 5 layers in 8 bits with 16 between them; stays float32: conv_3 (CONV_2D)"),
    ],
)
def test_a_layer_that_the_quantizer_passes_over_is_named(model, noise_calibration, monkeypatch, recipe, sentence):
    add = quantize_module._add_setting

    def forgetful(job, recipe_name, kind, operations):
        add(job, recipe_name, kind, [one for one in operations if "conv_3" not in one.outputs[0]])

    monkeypatch.setattr(quantize_module, "_add_setting", forgetful)
    found = rewritten(model, quantize(model, RECIPES[recipe], noise_calibration), RECIPES[recipe])
    assert found.sentence() == sentence


@pytest.mark.parametrize("recipe", QUANTIZED)
def test_a_convolution_whose_kernel_is_computed_stays_float_and_is_named(noise_calibration, noise_windows, recipe):
    model = hand_made_classifier(computed_kernel=True)
    made = quantize(model, RECIPES[recipe], noise_calibration)
    found = rewritten(model, made, RECIPES[recipe])
    assert (found.done, found.total) == ((2, 3) if recipe in IN_BODY else (4, 5))
    assert "conv_3 (CONV_2D)" in found.left
    assert np.abs(model_scores(made, noise_windows) - model_scores(model, noise_windows)).max() < 0.05


@pytest.mark.parametrize("recipe", ["int8", "int8_io", "int16x8"])
def test_an_operator_that_the_quantizer_does_not_know_is_named_where_it_lies_among_the_layers(
    noise_calibration, recipe
):
    model = hand_made_classifier(between="ELU")
    found = rewritten(model, quantize(model, RECIPES[recipe], noise_calibration), RECIPES[recipe])
    assert found.done == found.total
    assert found.left == ("between (ELU)",)


@pytest.mark.parametrize("recipe", ["float16", "dynamic_int8"])
def test_recipes_that_store_weights_alone_say_nothing_of_operators_without_any(noise_calibration, recipe):
    model = hand_made_classifier(between="ELU")
    assert rewritten(model, quantize(model, RECIPES[recipe], noise_calibration), RECIPES[recipe]).left == ()


def test_the_form_of_another_recipe_does_not_count(model, noise_calibration):
    dynamic = quantize(model, RECIPES["dynamic_int8"])
    with pytest.raises(RecipeUnfitError, match=r"dynamic_int8 in place of int8"):
        rewritten(model, dynamic, RECIPES["int8"])
    with pytest.raises(RecipeUnfitError, match="0 of 5 layers in 16-bit floating point"):
        rewritten(model, quantize(model, RECIPES["int8"], noise_calibration), RECIPES["float16"])


def test_a_file_that_no_interpreter_opens_is_refused(model, noise_calibration, monkeypatch):
    whole = quantize(model, RECIPES["int8"], noise_calibration)

    def broken(*arguments):
        def without_scale(content):
            for tensor in content.subgraphs[0].tensors:
                if tensor.quantization is not None and tensor.quantization.scale is not None:
                    tensor.quantization.scale = [-1.0] * len(tensor.quantization.scale)

        return altered(whole, without_scale)

    monkeypatch.setattr(quantize_module, "_rewrite", broken)
    with pytest.raises(RecipeUnfitError, match="cannot be opened"):
        quantize(model, RECIPES["int8"], noise_calibration)


def test_a_recipe_that_rewrote_nothing_leaves_no_file_and_says_so(model, tmp_path, monkeypatch):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(model)
    foreign = read_foreign(path)
    spec = foreign_spec(path, foreign, ("a", "b", "c"), 4_000)  # 64 ms: shorter ones are asked about
    monkeypatch.setattr(quantize_module, "_rewrite", lambda float_model, *others: float_model)
    told: list[str] = []
    recipes = [RECIPES[name] for name in ("float32", "float16", "dynamic_int8")]
    written = convert_unproven(foreign, spec, tmp_path, recipes, told.append)
    assert [one.name for one in written] == ["theirs-float32.tflite"]
    assert [line.split(":")[0] for line in told] == ["left out float16", "left out dynamic_int8"]


def test_auto_that_keeps_every_layer_float_is_refused(model, noise_calibration, noise_windows, monkeypatch):
    def only_all_float(self, kept):
        return all(kept.get(place) == "float32" for place in range(len(self.layers)))

    monkeypatch.setattr(_Bench, "holds", only_all_float)
    truth = np.arange(20) % 3
    validation = ValidationWindows(windows=noise_windows, truth=truth, groups=truth.astype(str))
    with pytest.raises(RecipeUnfitError, match="not one of 3 layers may have 8 bits"):
        search_mixed_precision(model, RECIPES["auto"], noise_calibration, validation, tell=lambda text: None)


def test_what_auto_keeps_wider_does_not_count_as_left_out(model, noise_calibration, noise_windows, monkeypatch):
    def one_dynamic(self, kept):
        return kept == {0: "dynamic_int8"}

    monkeypatch.setattr(_Bench, "holds", one_dynamic)
    monkeypatch.setattr(_Bench, "alone_snr_db", lambda self, place: float(place))
    truth = np.arange(20) % 3
    validation = ValidationWindows(windows=noise_windows, truth=truth, groups=truth.astype(str))
    found = search_mixed_precision(model, RECIPES["auto"], noise_calibration, validation, tell=lambda text: None)
    assert all_rewrites(model, model, found.model, RECIPES["auto"], found.exceptions)[0].sentence() == (
        "3 of 3 layers in 8 bits"
    )
    plain = rewritten(model, found.model, RECIPES["auto"])
    assert plain.left == ("conv_2 (CONV_2D, dynamic_int8 in place of int8)",)


def test_fast_convolutions_that_were_not_written_are_refused(model, monkeypatch):
    def plain(writer, convolution, axis):
        inputs = [convolution.source, convolution.kernel, convolution.bias]
        from ai_edge_litert import schema_py_generated as schema

        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        writer.run("CONV_2D", inputs, convolution.target, options)

    monkeypatch.setattr(fast_convolution, "write_fast", plain)
    with pytest.raises(RuntimeError, match="2 convolutions were to take their fast form and 0 are found"):
        with_fast_convolutions(_of_stride_1(), lambda convolution: COLUMNS)


@pytest.mark.parametrize("name", [None, "", "x", "net/fast/product0/weights", "net/fast/shaped/shape"])
def test_fast_convolutions_are_found_and_made_plain_whatever_the_tensors_are_called(name):
    plain = _of_stride_1()
    fast = with_fast_convolutions(plain, lambda convolution: COLUMNS)
    assert fast_rewrite(plain, fast).sentence().startswith("2 of 2 convolutions")
    renamed = altered(fast, named(name))
    assert fast_rewrite(plain, renamed).done == 2
    back = with_plain_convolutions(renamed)
    assert [one.name for one in read_graph(back).operations] == [one.name for one in read_graph(plain).operations]
    image = np.random.default_rng(1).normal(size=(3, 40 * 16)).astype(np.float32)
    np.testing.assert_allclose(model_scores(back, image), model_scores(plain, image), rtol=1e-3, atol=1e-4)
    assert (
        with_fast_convolutions(renamed, lambda convolution: COLUMNS) == write_model_object(read_model_object(renamed))
        or with_fast_convolutions(renamed, lambda convolution: COLUMNS) is renamed
    )


@pytest.mark.parametrize("name", ["net/fast/product0/weights", "net/fast/shaped/shape"])
def test_tensors_that_are_called_as_those_of_a_fast_convolution_are_not_taken_for_one(model, name):
    renamed = altered(model, named(name))
    assert with_plain_convolutions(renamed) is renamed


def test_two_convolutions_that_share_a_kernel_are_quantized_in_their_fast_form():
    plain = altered(_of_stride_1(), _share_the_first_kernel)
    fast = with_fast_convolutions(plain, lambda convolution: COLUMNS)
    names = [tensor.name for tensor in read_model_object(fast).subgraphs[0].tensors]
    assert len(set(names)) == len(names)
    found = all_rewrites(plain, fast, quantize(fast, RECIPES["float16"]), RECIPES["float16"])
    assert [(one.done, one.total, one.left) for one in found] == [(2, 2, ()), (1, 1, ())]


def _of_stride_1() -> bytes:
    """A chain of two convolutions along columns, 5 and 3 taps, of 16 channels."""
    from ai_edge_litert import schema_py_generated as schema

    from convert.graph.graph_writer import GraphWriter

    content = schema.ModelT()
    content.version, content.operatorCodes, content.buffers = 3, [], [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, content.subgraphs = [], [graph]
    writer, generator = GraphWriter(content), np.random.default_rng(9)
    x = audio = writer.tensor("image", (1, 1, 40, 16))
    for number in (1, 2):
        kernel = writer.constant(f"net/conv_{number}/kernel", generator.normal(size=(16, 1, 5, 16)) / 9)
        bias = writer.constant(f"net/conv_{number}/bias", generator.normal(size=16))
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        shape = (1, 1, writer.shape(x)[2] - 4, 16)
        x = writer.run("CONV_2D", [x, kernel, bias], (f"net/conv_{number}/output", shape), options)
    graph.inputs, graph.outputs = np.array([audio], np.int32), np.array([x], np.int32)
    writer.finish()
    return write_model_object(content)


def _share_the_first_kernel(content) -> None:
    first, second = content.subgraphs[0].operators
    second.inputs = [second.inputs[0], first.inputs[1], first.inputs[2]]


def test_the_report_names_what_is_rewritten_in_part_and_counts_the_rest():
    part = Rewrite(what="layers in 8 bits", done=7, total=8, left=("conv1d_3 (CONV_2D)",), instead="stays float32")
    whole = Rewrite(what="layers in 8 bits", done=8, total=8)
    files = [
        {"file": "a.tflite", "rewrites": []},
        {"file": "b.tflite", "rewrites": [part.as_dict()]},
        {"file": "c.tflite", "rewrites": [whole.as_dict()]},
        {"file": "d.tflite"},
    ]
    assert rewrite_notes(files) == [
        "b.tflite: 7 of 8 layers in 8 bits; stays float32: conv1d_3 (CONV_2D).",
        "Read back from the files: in 1 of them every layer that the recipe names is stored as it says.",
    ]
    assert rewrite_notes(files[:1]) == []


def test_of_many_that_are_left_the_first_are_named():
    many = Rewrite(what="layers in 8 bits", done=1, total=13, left=tuple(f"conv_{number}" for number in range(12)))
    assert many.sentence().endswith("conv_7, and 4 more")
