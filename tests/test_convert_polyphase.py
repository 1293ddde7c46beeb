"""The regrouped first layer: its arithmetic, and that every size gives what the plain layer gives."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert.export.layer_chain import build_chain, read_chain  # noqa: E402
from convert.export.polyphase import Grouping, choose_grouping, regroup_first_layer, regroup_kernel  # noqa: E402


def _model(length: int, taps: int, stride: int, pool: int | None, filters: int = 3, **settings) -> keras.Model:
    audio = keras.Input((length,), name="audio")
    x = keras.layers.Reshape((length, 1), name="samples")(audio)
    x = keras.layers.Conv1D(filters, taps, strides=stride, activation="relu", name="conv_1", **settings)(x)
    x = keras.layers.BatchNormalization(name="norm_1")(x)
    if pool:
        x = keras.layers.MaxPooling1D(pool, name="pool_1")(x)
    return keras.Model(audio, x, name="first_layer")


def _outputs(model: keras.Model, seed: int = 3) -> np.ndarray:
    windows = np.random.default_rng(seed).normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    return np.asarray(model(windows))


def test_a_kernel_of_three_taps_is_moved_by_one_sample_a_phase():
    kernel = np.array([1.0, 2.0, 3.0])[:, None, None]
    spread = regroup_kernel(kernel, Grouping(taps=3, stride=1, phases=2))
    assert spread.shape == (2, 2, 2)
    assert spread.reshape(4, 2).T.tolist() == [[1, 2, 3, 0], [0, 1, 2, 3]]


def test_the_published_first_layer_takes_blocks_of_eight_samples():
    grouping = choose_grouping(64, 2)
    assert (grouping.phases, grouping.block, grouping.block_taps) == (4, 8, 9)
    assert grouping.growth == 1.125


@pytest.mark.parametrize(("taps", "stride"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_few_taps_are_left_alone(taps, stride):
    assert choose_grouping(taps, stride) is None


@pytest.mark.parametrize("taps", [16, 33, 64, 512])
@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7, 160])
def test_no_choice_costs_more_lanes_than_one_channel_would(taps, stride):
    grouping = choose_grouping(taps, stride)
    assert grouping is None or (grouping.lane_cost <= 8 * taps and grouping.growth <= 1.5)


@pytest.mark.parametrize(
    ("length", "taps", "stride", "pool"),
    [
        (400, 64, 2, 8),  # published, in small
        (400, 64, 2, None),
        (399, 64, 2, 8),  # lengths that do not divide
        (401, 63, 2, 7),
        (397, 32, 3, 5),
        (300, 31, 5, 2),
        (200, 16, 1, 4),
        (97, 16, 1, None),
        (71, 64, 2, 4),  # four outputs, one of the pool
        (64, 64, 2, None),  # one output
        (1000, 40, 7, 3),
    ],
)
def test_the_regrouped_layer_gives_what_the_plain_one_gives(length, taps, stride, pool):
    keras.utils.set_random_seed(length + taps)
    plain = _model(length, taps, stride, pool)
    links, note = regroup_first_layer(read_chain(plain))
    regrouped = build_chain(plain, links)
    assert note == ""
    assert regrouped.get_layer("conv_1").input.shape[-1] > 1
    assert regrouped.output_shape == plain.output_shape
    np.testing.assert_allclose(_outputs(regrouped), _outputs(plain), atol=2e-6)


def test_the_plain_model_is_left_as_it_was():
    plain = _model(400, 64, 2, 8)
    before = _outputs(plain)
    build_chain(plain, regroup_first_layer(read_chain(plain))[0])
    assert np.array_equal(_outputs(plain), before)
    assert read_chain(plain) is not None


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"padding": "same"}, "its padding is same"),
        ({"padding": "causal"}, "its padding is causal"),
        ({"stride": 1, "dilation_rate": 2}, "its taps are 2 samples apart"),
        ({"taps": 3}, "3 taps at stride 2 are too few to gain"),
    ],
)
def test_what_cannot_be_regrouped_stays_and_says_why(settings, reason):
    links = read_chain(_model(**{"length": 400, "taps": 32, "stride": 2, "pool": 4, **settings}))
    same, note = regroup_first_layer(links)
    assert same == links
    assert note.startswith("conv_1 stays as it is, not regrouped: ")
    assert reason in note


def test_a_first_layer_over_several_channels_is_no_case_for_it():
    audio = keras.Input((64, 4), name="audio")
    model = keras.Model(audio, keras.layers.Conv1D(2, 16, name="conv_1")(audio), name="wide")
    links = read_chain(model)
    assert regroup_first_layer(links) == (links, "")
