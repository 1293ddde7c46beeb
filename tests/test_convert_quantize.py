"""What the recipes do to a graph, on networks of a few hundred weights made by code."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from convert import RECIPES, choose_calibration, export_float, find_recipe, quantize  # noqa: E402
from convert.graph.float_scope import body_operations, network_operations  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object  # noqa: E402
from convert.graph.model_scores import model_scores  # noqa: E402
from convert.quantization.quantize import measure_ranges  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from metadata import ModelContractError  # noqa: E402

WINDOW_LENGTH = 256  # samples
N_FFT = 32  # samples
N_MELS = 8
SMALL = ("float16", "dynamic_int8", "int8")


class TinyMel(keras.layers.Layer):
    """Power of blocks of samples in a few bands: a front end in small, with its own matrix product."""

    def call(self, waveform):
        blocks = keras.ops.reshape(waveform, (-1, WINDOW_LENGTH // N_FFT, N_FFT))
        real, imag = keras.ops.rfft(blocks)
        power = keras.ops.square(real) + keras.ops.square(imag)
        filters = np.abs(np.random.default_rng(3).normal(size=(1 + N_FFT // 2, N_MELS))).astype(np.float32)
        bands = keras.ops.matmul(power, filters)
        return keras.ops.transpose(keras.ops.log(keras.ops.maximum(bands, 1e-10)), (0, 2, 1))


def waveform_network() -> keras.Model:
    layers = keras.layers
    audio = layers.Input((WINDOW_LENGTH,), name="audio")
    x = layers.Reshape((WINDOW_LENGTH, 1), name="samples")(audio)
    for number, (filters, kernel) in enumerate(((4, 8), (8, 8), (8, 4)), start=1):
        x = layers.Conv1D(filters, kernel, strides=2, activation="relu", name=f"conv_{number}")(x)
        x = layers.BatchNormalization(name=f"norm_{number}")(x)
        if number < 3:
            x = layers.MaxPooling1D(2, name=f"pool_{number}")(x)
            x = layers.ReLU(name=f"pool_relu_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(16, activation="relu", name="dense_1")(x)
    return keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(x), name="tiny_waveform")


def mel_network() -> keras.Model:
    layers = keras.layers
    audio = layers.Input((WINDOW_LENGTH,), name="audio")
    x = TinyMel(name="mel_spectrogram")(audio)
    x = layers.Reshape((N_MELS, WINDOW_LENGTH // N_FFT, 1), name="mel")(x)
    for number in (1, 2):
        x = layers.Conv2D(4 * number, 3, activation="relu", name=f"conv_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(16, activation="relu", name="dense_1")(x)
    return keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(x), name="tiny_mel")


def _as_if_trained(model: keras.Model) -> keras.Model:
    """Give normalizations statistics that do not cancel out, so that they stay in the graph."""
    generator = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            bounds = ((0.5, 2.0), (-0.2, 0.2), (-0.5, 0.5), (0.1, 1.0))
            layer.set_weights([generator.uniform(low, high, shape) for low, high in bounds])
    return model


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    generator = np.random.default_rng(7)
    levels = 10.0 ** generator.uniform(-2, -0.5, (60, 1))
    return (levels * generator.normal(size=(60, WINDOW_LENGTH))).astype(np.float32)


@pytest.fixture(scope="module")
def calibration(windows):
    return choose_calibration(windows, np.arange(60) % 3, num_windows=30, seed=1)


@pytest.fixture(scope="module")
def floats() -> dict[str, bytes]:
    keras.utils.set_random_seed(11)
    return {
        "waveform": export_float(_as_if_trained(waveform_network()), fast=False),
        "mel": export_float(mel_network()),
    }


@pytest.fixture(scope="module")
def files(floats, calibration) -> dict[tuple[str, str], bytes]:
    return {
        (kind, name): quantize(content, find_recipe(name), calibration if RECIPES[name].needs_calibration else None)
        for kind, content in floats.items()
        for name in RECIPES
    }


def _scores(model: bytes, windows: np.ndarray) -> np.ndarray:
    interpreter = open_interpreter(model)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scores = []
    for window in windows:
        interpreter.set_tensor(source["index"], window[np.newaxis])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(target["index"])[0].copy())
    return np.array(scores)


def _touched(model: bytes) -> dict[str, set[str]]:
    """The types of activations and weights that meet in each operation, by its first output's name."""
    graph = read_graph(model)
    types = {tensor.name: tensor.dtype for tensor in graph.tensors}
    return {item.outputs[0]: {types[name] for name in (*item.inputs, *item.outputs)} for item in graph.operations}


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_but_int8_io_keeps_float32_input_and_output(files, kind, name):
    graph = read_graph(files[kind, name])
    assert (graph.input.dtype, graph.output.dtype) == (
        ("INT8", "INT8") if name == "int8_io" else ("FLOAT32", "FLOAT32")
    )
    assert graph.input.shape == (1, WINDOW_LENGTH)


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize("name", list(RECIPES))
def test_the_same_model_and_windows_give_the_same_bytes(files, floats, calibration, kind, name):
    assert quantize(floats[kind], find_recipe(name), calibration) == files[kind, name]


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize("name", SMALL)
def test_the_scores_stay_near_those_of_the_float_model(files, floats, windows, kind, name):
    scores = _scores(files[kind, name], windows)
    assert np.abs(scores - _scores(floats[kind], windows)).max() < (0.002 if name == "float16" else 0.06)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize(("name", "width"), [("int8_io", "INT8"), ("int16x8", "INT16")])
def test_the_integer_recipes_leave_nothing_float_behind_the_front_end(files, floats, kind, name, width):
    graph, touched = read_graph(files[kind, name]), _touched(files[kind, name])
    first = next(item for item in network_operations(read_graph(floats[kind])))
    names = [item.outputs[0] for item in graph.operations]
    network = [item for item in graph.operations[names.index(first.outputs[0]) :] if item.name != "DEQUANTIZE"]
    assert all("FLOAT32" not in touched[item.outputs[0]] and width in touched[item.outputs[0]] for item in network)


def test_a_waveform_model_without_a_front_end_begins_in_integers(files):
    graph, touched = read_graph(files["waveform", "int8_io"]), _touched(files["waveform", "int8_io"])
    assert all("FLOAT32" not in touched[item.outputs[0]] for item in graph.operations)


def test_the_mel_front_end_computes_in_float_between_an_integer_input_and_an_integer_network(files):
    graph = read_graph(files["mel", "int8_io"])
    names = [item.name for item in graph.operations]
    assert names[0] == "DEQUANTIZE"
    assert names.index("RFFT2D") < names.index("QUANTIZE") < names.index("CONV_2D")


@pytest.mark.parametrize("kind", ["waveform", "mel"])
def test_the_scores_of_int8_io_have_the_scale_that_tflite_asks_of_a_softmax(files, kind):
    output = open_interpreter(files[kind, "int8_io"]).get_output_details()[0]
    assert output["quantization"] == (1 / 256, -128)


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize(("name", "tolerance"), [("int8_io", 0.1), ("int16x8", 0.01)])
def test_integer_scores_stay_near_the_float_ones_on_sound_within_the_ranges(
    files, floats, calibration, kind, name, tolerance
):
    scores = model_scores(files[kind, name], calibration.windows)
    assert np.abs(scores - model_scores(floats[kind], calibration.windows)).max() < tolerance


def test_layers_named_as_exceptions_are_not_rewritten(floats, calibration):
    graph = read_graph(floats["waveform"])
    conv = next(item for item in body_operations(graph) if item.name == "CONV_2D")
    for form, types in (("float32", {"FLOAT32"}), ("dynamic_int8", {"FLOAT32", "INT8"})):
        model = quantize(floats["waveform"], find_recipe("int8"), calibration, kept={conv.outputs[0]: form})
        assert _touched(model)[conv.outputs[0]] == types


def test_with_every_layer_kept_float_the_file_is_the_float_one(floats, calibration):
    kept = {item.outputs[0]: "float32" for item in read_graph(floats["mel"]).operations}
    assert quantize(floats["mel"], find_recipe("int8"), calibration, kept=kept) == floats["mel"]


@pytest.mark.parametrize("name", ["int8", "int8_io", "int16x8", "auto"])
def test_other_calibration_windows_give_another_file(floats, windows, files, name):
    other = choose_calibration(windows, np.arange(60) % 3, num_windows=30, seed=2)
    assert quantize(floats["waveform"], find_recipe(name), other) != files["waveform", name]


@pytest.mark.parametrize("kind", ["waveform", "mel"])
def test_int8_scores_have_no_steps_of_one_part_in_256(files, windows, kind):
    steps = _scores(files[kind, "int8"], windows) * 256
    assert np.abs(steps - np.rint(steps)).max() > 0.1


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize("name", ["dynamic_int8", "int8"])
def test_the_softmax_and_the_last_layer_stay_float(files, kind, name):
    graph = read_graph(files[kind, name])
    last_two = [operation for operation in graph.operations if operation.name in ("FULLY_CONNECTED", "SOFTMAX")][-2:]
    assert [operation.name for operation in last_two] == ["FULLY_CONNECTED", "SOFTMAX"]
    touched = _touched(files[kind, name])
    assert all(touched[operation.outputs[0]] == {"FLOAT32"} for operation in last_two)


@pytest.mark.parametrize("name", SMALL)
def test_the_front_end_keeps_its_operations_and_constants(files, floats, name):
    before, after = read_model_object(floats["mel"]), read_model_object(files["mel", name])
    graph, small = read_graph(floats["mel"]), read_graph(files["mel", name])
    first = [operation.name for operation in graph.operations].index("CONV_2D")
    kept = [operation for operation in small.operations if operation.name != "DEQUANTIZE"][:first]
    assert [item.name for item in kept] == [item.name for item in graph.operations[:first]]
    constants = {name for item in graph.operations[:first] for name in item.inputs}
    assert _constants(before, constants) == _constants(after, constants)


def _constants(content, names: set[str]) -> dict[str, bytes]:
    """The bytes of the named constants."""
    found = {}
    for tensor in content.subgraphs[0].tensors:
        data = content.buffers[tensor.buffer].data
        if tensor.name.decode() in names and data is not None:
            found[tensor.name.decode()] = bytes(data)
    return found


@pytest.mark.parametrize("name", ["dynamic_int8", "int8"])
def test_the_layer_that_reads_the_waveform_stays_float_up_to_its_pool(files, name):
    graph, touched = read_graph(files["waveform", name]), _touched(files["waveform", name])
    names = [operation.name for operation in graph.operations]
    pool = names.index("MAX_POOL_2D")
    assert all(touched[operation.outputs[0]] <= {"FLOAT32", "INT32"} for operation in graph.operations[: pool + 1])
    assert "INT8" in touched[graph.operations[names.index("CONV_2D", pool)].outputs[0]]


def test_a_normalization_behind_a_relu_stays_float_between_integer_layers(files):
    graph, touched = read_graph(files["waveform", "int8"]), _touched(files["waveform", "int8"])
    scaled = [operation for operation in graph.operations if operation.name in ("MUL", "ADD")]
    assert scaled
    assert all(touched[operation.outputs[0]] == {"FLOAT32"} for operation in scaled)


def test_the_body_begins_at_the_second_and_ends_before_the_last_layer_with_weights(floats):
    graph = read_graph(floats["mel"])
    weighted = [item.name for item in body_operations(graph) if item.name in ("CONV_2D", "FULLY_CONNECTED")]
    assert weighted == ["CONV_2D", "FULLY_CONNECTED"]  # conv_2 and dense_1
    assert network_operations(graph)[0].name == "CONV_2D"
    assert network_operations(graph)[-1].name == "SOFTMAX"


@pytest.mark.parametrize("kind", ["waveform", "mel"])
@pytest.mark.parametrize("name", ["dynamic_int8", "int8"])
def test_dense_layers_have_one_scale_for_all_channels_because_old_runtimes_read_only_the_first(files, kind, name):
    content = read_model_object(files[kind, name])
    tensors = content.subgraphs[0].tensors
    graph = read_graph(files[kind, name])
    dense = {item.inputs[1] for item in graph.operations if item.name == "FULLY_CONNECTED"}
    scales = [tensor.quantization.scale for tensor in tensors if tensor.name.decode() in dense and tensor.quantization]
    scales = [scale for scale in scales if scale is not None]
    assert scales
    assert all(len(scale) == 1 for scale in scales)


@pytest.mark.parametrize("name", SMALL)
def test_weights_lie_inside_the_flatbuffer_on_16_byte_borders(files, name):
    from ai_edge_litert import schema_py_generated as schema

    model = files["mel", name]
    root = schema.Model.GetRootAs(model, 0)
    for number in range(root.BuffersLength()):
        buffer = root.Buffers(number)
        assert (buffer.Offset(), buffer.Size()) == (0, 0)
        if not buffer.DataIsNone():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % 16 == 0


def test_small_recipes_are_smaller(files):
    sizes = [len(files["waveform", name]) for name in ("float32", "float16")]
    assert sizes[1] < sizes[0]


def test_ranges_are_the_true_extremes_over_all_windows(floats, windows):
    graph = read_graph(floats["waveform"])
    samples = graph.operations[0].outputs[0]  # the waveform, reshaped
    ranges = measure_ranges(floats["waveform"], windows, [samples])
    assert ranges == {samples: (pytest.approx(windows.min()), pytest.approx(windows.max()))}


def test_the_order_of_the_calibration_windows_does_not_matter(floats, calibration):
    backwards = dataclasses.replace(calibration, windows=calibration.windows[::-1])
    recipe = find_recipe("int8")
    assert quantize(floats["waveform"], recipe, backwards) == quantize(floats["waveform"], recipe, calibration)


def test_a_static_recipe_without_calibration_windows_is_refused(floats):
    with pytest.raises(ValueError, match="needs calibration windows"):
        quantize(floats["mel"], find_recipe("int8"))


def test_calibration_windows_of_another_length_are_refused(floats, windows):
    short = choose_calibration(windows[:, :-1], np.arange(60) % 3)
    with pytest.raises(ValueError, match=r"255 values each; the model takes 256"):
        quantize(floats["mel"], find_recipe("int8"), short)


def test_a_quantized_model_is_not_quantized_again(files):
    with pytest.raises(ValueError, match="quantized already"):
        quantize(files["mel", "int8"], find_recipe("float16"))


def test_bytes_that_are_not_a_model_are_refused():
    with pytest.raises(ModelContractError, match=r"not a \.tflite model"):
        quantize(b"RIFF----WAVE", find_recipe("float16"))


def test_a_network_of_two_layers_has_nothing_left_for_8_bits():
    audio = keras.Input((16,), name="audio")
    hidden = keras.layers.Dense(8, activation="relu", name="dense_1")(audio)
    scores = keras.layers.Dense(2, activation="softmax", name="scores")(hidden)
    model = export_float(keras.Model(audio, scores, name="two_layers"))
    with pytest.raises(ValueError, match=r"2 layers with weights.*float16"):
        quantize(model, find_recipe("dynamic_int8"))
    assert read_graph(quantize(model, find_recipe("float16"))).output.dtype == "FLOAT32"
