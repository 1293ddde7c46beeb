"""Convolutions from fewer multiplications: equal to the plain ones whatever their shape, and only where it pays."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from ai_edge_litert import schema_py_generated as schema  # noqa: E402

from convert import RECIPES, choose_calibration, export_float, find_recipe, quantize  # noqa: E402
from convert.foreign_model import read_foreign  # noqa: E402
from convert.graph.graph_writer import GraphWriter  # noqa: E402
from convert.graph.layer_name import layer_name  # noqa: E402
from convert.graph.model_graph import read_graph, write_model_object  # noqa: E402
from convert.graph.model_scores import model_scores  # noqa: E402
from convert.quantization.layer_drift import compare_layers  # noqa: E402
from convert.winograd.fast_convolution import choose_axis, stored_form, with_fast_convolutions  # noqa: E402
from convert.winograd.fast_operators import COLUMNS, ROWS, Convolution  # noqa: E402
from convert.winograd.minimal_filtering import POINTS, minimal_filtering  # noqa: E402
from convert.winograd.plain_convolution import with_plain_convolutions  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from train.models import mel_cnn, waveform_cnn  # noqa: E402

NONE, RELU, RELU6 = (getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6"))
TOLERANCE = 1e-6  # of the largest sum of absolute values that an output is made of


class One:
    """A model of one convolution."""

    def __init__(self, height, width, channels, filters, taps, *, same=False, activation=NONE, stride=1):
        generator = np.random.default_rng([height, width, channels, filters, *taps])
        self.image = generator.normal(size=(1, height, width, channels)).astype(np.float32)
        self.kernel = generator.normal(size=(*taps, channels, filters)).astype(np.float32)
        self.bias = generator.normal(size=filters).astype(np.float32)
        self.same, self.activation, self.stride = same, activation, stride

    def model(self) -> bytes:
        content = schema.ModelT()
        content.version, content.operatorCodes, content.buffers = 3, [], [schema.BufferT()]
        graph = schema.SubGraphT()
        graph.tensors, content.subgraphs = [], [graph]
        writer = GraphWriter(content)
        source = writer.tensor("image", self.image.shape)
        kernel = writer.constant("net/conv_1/kernel", np.moveaxis(self.kernel, 3, 0))
        bias = writer.constant("net/conv_1/bias", self.bias)
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if self.same else schema.Padding.VALID
        options.strideH = options.strideW = self.stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = self.activation
        shape = self.expected()[0].shape
        target = writer.run("CONV_2D", [source, kernel, bias], ("net/conv_1/output", shape), options)
        graph.inputs, graph.outputs = np.array([source], np.int32), np.array([target], np.int32)
        writer.finish()
        return write_model_object(content)

    def expected(self) -> tuple[np.ndarray, float]:
        """The output in double precision, and the largest sum of absolute values."""
        plain, sizes = self._sums(self.image, self.kernel), self._sums(np.abs(self.image), np.abs(self.kernel))
        plain += self.bias
        limits = {NONE: (-np.inf, np.inf), RELU: (0.0, np.inf), RELU6: (0.0, 6.0)}
        return np.clip(plain, *limits[self.activation]), float(sizes.max())

    def _sums(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        taps = kernel.shape[:2]
        if self.same:
            image = np.pad(image, [(0, 0), *(((one - 1) // 2, one // 2) for one in taps), (0, 0)])
        patches = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), taps, axis=(1, 2))
        return np.einsum("bhwcij,ijco->bhwo", patches[:, :: self.stride, :: self.stride], kernel.astype(np.float64))


def output_of(model: bytes, values: np.ndarray, use_xnnpack: bool = True) -> np.ndarray:
    interpreter = open_interpreter(model, use_xnnpack=use_xnnpack)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def kinds(model: bytes) -> list[str]:
    return [operation.name for operation in read_graph(model).operations]


def described(height, width, channels, filters, taps) -> Convolution:
    """What the rule looks at, of a convolution that pads nothing."""
    return Convolution(
        source=0,
        kernel=1,
        bias=2,
        target=3,
        weights=np.zeros((*taps, channels, filters), np.float32),
        output_size=(height - taps[0] + 1, width - taps[1] + 1),
        padding=((0, 0), (0, 0)),
        activation=NONE,
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    model = mel_cnn.build(3)
    generator = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.3, 1.2, one.shape) for one in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def plain(model) -> bytes:
    return export_float(model)


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    generator = np.random.default_rng(8)
    levels = np.array([0.3, 0.03, 0.003, 0.0])[:, np.newaxis]
    bursts = np.where(np.arange(mel_cnn.WINDOW_LENGTH) % 8000 < 400, 1.0, 0.01)  # loud beside quiet
    return (levels * bursts * generator.normal(size=(4, mel_cnn.WINDOW_LENGTH))).astype(np.float32)


@pytest.mark.parametrize("outputs", [1, 2, 4, 6])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5])
def test_products_at_points_give_the_outputs_of_the_filter(outputs, taps):
    if outputs + taps > len(POINTS) + 2:
        with pytest.raises(ValueError, match=f"{outputs} outputs of {taps} taps; expected at least 1 each and 9"):
            minimal_filtering(outputs, taps)
        return
    filtering = minimal_filtering(outputs, taps)
    generator = np.random.default_rng(outputs * 10 + taps)
    samples, weights = generator.normal(size=outputs + taps - 1), generator.normal(size=taps)
    products = (filtering.kernel_side @ weights) * (filtering.input_side @ samples)
    assert filtering.num_products == outputs + taps - 1
    np.testing.assert_allclose(filtering.output_side @ products, np.correlate(samples, weights, "valid"), atol=1e-13)


def test_two_outputs_of_three_taps_are_winograds_four_products():
    filtering = minimal_filtering(2, 3)
    assert filtering.input_side.tolist() == [[-1, 0, 1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]]
    assert filtering.kernel_side.tolist() == [[-1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]
    assert filtering.output_side.tolist() == [[1, 1, 1, 0], [0, 1, -1, 1]]


@pytest.mark.parametrize("taps", [3, 4, 5])
def test_the_constants_in_the_graph_are_exact_in_half_precision(taps):
    filtering = minimal_filtering(4, taps)
    for side in (filtering.input_side, filtering.output_side):
        assert np.array_equal(side, side.astype(np.float16))


@pytest.mark.parametrize("axis", [ROWS, COLUMNS])
@pytest.mark.parametrize(
    ("sizes", "settings"),
    [
        ((8, 8, 4, 4, (5, 5)), {}),
        ((60, 29, 24, 48, (5, 5)), {"activation": RELU}),
        ((27, 12, 48, 48, (5, 5)), {"activation": RELU}),
        ((23, 8, 48, 60, (4, 4)), {"activation": RELU6}),
        ((13, 17, 7, 5, (3, 5)), {"same": True}),
        ((14, 11, 3, 9, (4, 3)), {"same": True, "activation": RELU}),
        ((5, 5, 2, 3, (5, 5)), {}),
        ((6, 31, 1, 1, (3, 4)), {"activation": RELU}),
        ((1, 50, 8, 8, (5, 5)), {"same": True}),
    ],
)
def test_a_convolution_of_any_size_gives_the_same(axis, sizes, settings):
    one = One(*sizes, **settings)
    plain = one.model()
    fast = with_fast_convolutions(plain, choose=lambda convolution: axis)
    expected, size = one.expected()
    assert kinds(plain) == ["CONV_2D"]
    assert kinds(fast).count("CONV_2D") == sizes[4][axis - 1] + 3
    for model in (plain, fast):
        assert np.abs(output_of(model, one.image) - expected).max() <= TOLERANCE * size
    assert np.abs(output_of(fast, one.image, use_xnnpack=False) - expected).max() <= TOLERANCE * size


@pytest.mark.parametrize("axis", [ROWS, COLUMNS])
@pytest.mark.parametrize("same", [False, True])
def test_random_shapes_give_the_same(axis, same):
    generator = np.random.default_rng(axis)
    for _ in range(10):
        taps = tuple(int(one) for one in generator.integers(3, 6, 2))
        height, width = (int(low + generator.integers(0, 20)) for low in taps)
        one = One(height, width, *(int(size) for size in generator.integers(1, 33, 2)), taps, same=same)
        expected, size = one.expected()
        fast = with_fast_convolutions(one.model(), choose=lambda convolution: axis)
        assert np.abs(output_of(fast, one.image) - expected).max() <= TOLERANCE * size


def test_a_stride_is_left_alone():
    plain = One(60, 29, 24, 48, (5, 5), stride=2).model()
    assert with_fast_convolutions(plain, choose=lambda convolution: ROWS) is plain


@pytest.mark.parametrize(
    ("convolution", "axis"),
    [
        (described(60, 29, 24, 48, (5, 5)), ROWS),  # the mel CNN's second; 56 rows are 14 steps, 25 columns are not 6
        (described(27, 12, 48, 48, (5, 5)), COLUMNS),  # its third; 8 columns are two steps
        (described(128, 63, 1, 24, (6, 6)), None),  # its first: too many taps, too few channels
        (described(123, 63, 1, 24, (5, 5)), None),
        (described(23, 8, 48, 60, (4, 4)), None),  # its fourth: fast, but not worth its weights
        (described(40, 40, 16, 16, (3, 3)), None),  # slower than plain
        (described(1, 500, 64, 64, (1, 5)), None),
        (described(60, 29, 24, 48, (1, 2)), None),
    ],
)
def test_the_rule_takes_what_was_measured_to_pay(convolution, axis):
    assert choose_axis(convolution) == axis


def test_the_mel_model_keeps_the_scores_of_keras(model, plain, windows):
    fast = with_fast_convolutions(plain)
    expected = model.predict(windows, verbose=0)
    scores = model_scores(fast, windows)
    assert kinds(plain).count("CONV_2D") == 5
    assert kinds(fast).count("CONV_2D") == 3 + 2 * 8
    assert np.abs(scores - expected).max() <= 1e-5
    assert np.array_equal(scores.argmax(axis=1), expected.argmax(axis=1))
    assert len(fast) < 1.15 * len(plain)


def test_the_same_model_gives_the_same_bytes_and_a_second_time_changes_nothing(plain):
    fast = with_fast_convolutions(plain)
    assert with_fast_convolutions(plain) == fast
    assert with_fast_convolutions(fast) is fast


def test_every_new_operator_belongs_to_its_layer_and_takes_no_dead_constant(plain):
    fast = read_graph(with_fast_convolutions(plain))
    weighted = [item for item in fast.operations if item.name in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    assert {layer_name(item) for item in weighted} == {f"conv_{number}" for number in range(1, 6)}
    used = {name for item in fast.operations for name in (*item.inputs, *item.outputs)}
    assert {tensor.name for tensor in fast.tensors} == used
    assert len(used) == len(fast.tensors)


def test_only_float_recipes_store_the_fast_form(plain):
    stored = {name: stored_form(plain, recipe) != plain for name, recipe in RECIPES.items()}
    assert [name for name, is_fast in stored.items() if is_fast] == ["float32", "float16"]


def test_a_waveform_model_has_nothing_to_gain():
    plain = export_float(waveform_cnn.build(3))
    assert with_fast_convolutions(plain) is plain


def test_half_precision_weights_keep_the_fast_form_and_the_decisions(plain, windows):
    fast = quantize(with_fast_convolutions(plain), find_recipe("float16"))
    assert kinds(fast).count("CONV_2D") == 19
    assert np.abs(model_scores(fast, windows) - model_scores(plain, windows)).max() < 5e-3
    drifts = {drift.layer: drift for drift in compare_layers(plain, fast, windows)}
    assert all(drifts[f"conv_{number}"].snr_db > 50 for number in range(1, 6))


def test_a_fast_file_can_be_made_plain_again(plain, windows):
    again = with_plain_convolutions(with_fast_convolutions(plain))
    assert kinds(again) == kinds(plain)
    assert np.abs(model_scores(again, windows) - model_scores(plain, windows)).max() <= 1e-5
    assert with_plain_convolutions(plain) is plain


@pytest.mark.parametrize("axis", [ROWS, COLUMNS])
def test_padding_and_activation_survive_there_and_back(axis):
    one = One(14, 11, 3, 9, (4, 3), same=True, activation=RELU6)
    fast = with_fast_convolutions(one.model(), choose=lambda convolution: axis)
    again = with_plain_convolutions(fast)
    expected, size = one.expected()
    assert kinds(again).count("CONV_2D") == 1
    assert "DEPTHWISE_CONV_2D" not in kinds(again)
    assert np.abs(output_of(again, one.image) - expected).max() <= TOLERANCE * size


def test_a_fast_file_that_comes_back_is_quantized_as_if_it_were_plain(plain, windows, tmp_path):
    path = tmp_path / "fast.tflite"
    path.write_bytes(with_fast_convolutions(plain))
    foreign = read_foreign(path)
    assert kinds(foreign.pinned) == kinds(plain)
    calibration = choose_calibration(windows, np.zeros(len(windows), int), num_windows=4)
    integer = quantize(foreign.pinned, find_recipe("int8"), calibration)
    assert kinds(integer) == kinds(quantize(plain, find_recipe("int8"), calibration))
