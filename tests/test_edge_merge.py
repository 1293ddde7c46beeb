"""The three rules, by hand, and the classifier, the phone and the listener that leave silence out."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from edge_runtime.audio.windows import Windowing, cut_windows, window_starts
from edge_runtime.listen.listener import Listener, ListenSettings
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import MERGES, ClipMerge, merge_windows
from edge_runtime.phone.harness import PhoneHarness
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model

RATE = 16_000
# Three windows, three labels. The last window is the quietest.
SCORES = [[0.9, 0.2, 0.4], [0.1, 0.3, 0.4], [0.2, 0.7, 0.4]]
LEVELS = [-20.0, -30.0, -70.0]
THRESHOLDS = (0.8, 0.6, 0.5)


def classifier(activation="softmax", window_length=RATE, thresholds=(0.5, 0.5, 0.5), **changes):
    spec = tiny_spec(window_length=window_length, activation=activation, thresholds=thresholds, **changes)
    return Classifier(pack_model(tiny_classifier(window_length, activation=activation), spec))


@pytest.fixture(scope="module", params=["softmax", "sigmoid"])
def model(request):
    return classifier(request.param)


def noise(num_samples, scale=0.1, seed=0):
    return np.random.default_rng(seed).normal(0, scale, num_samples).astype(np.float32)


@pytest.fixture(scope="module")
def clip():
    """Loud, quiet (-60 dBFS), only zeros, and half a loud window: levels -20, -60, none, -20."""
    return np.concatenate([noise(RATE), noise(RATE, 0.001), np.zeros(RATE, np.float32), noise(RATE // 2)])


@pytest.mark.parametrize(
    ("rule", "limit", "scores", "reached"),
    [
        ("mean", None, [0.4, 0.4, 0.4], [False, False, False]),
        ("maximum", None, [0.9, 0.7, 0.4], [True, True, False]),
        ("union", None, [1 / 3, 1 / 3, 0.0], [True, True, False]),
        ("mean", -60.0, [0.5, 0.25, 0.4], [False, False, False]),
        ("maximum", -60.0, [0.9, 0.3, 0.4], [True, False, False]),
        ("union", -60.0, [0.5, 0.0, 0.0], [True, False, False]),
        ("mean", -10.0, [0.0, 0.0, 0.0], [False, False, False]),
        ("maximum", -10.0, [0.0, 0.0, 0.0], [False, False, False]),
        ("union", -10.0, [0.0, 0.0, 0.0], [False, False, False]),
    ],
)
def test_each_rule_by_hand(rule, limit, scores, reached):
    merged = merge_windows(SCORES, LEVELS, THRESHOLDS, rule, limit)

    assert merged.scores.dtype == np.float32
    assert merged.scores.tolist() == pytest.approx(scores, abs=1e-6)
    assert merged.reached.tolist() == reached
    assert (merged.num_windows, merged.num_merged) == (3, {None: 3, -60.0: 2, -10.0: 0}[limit])


@settings(deadline=None)
@given(
    scores=arrays(np.float32, st.tuples(st.integers(1, 6), st.just(3)), elements=st.floats(0, 1, width=32)),
    thresholds=st.tuples(*[st.floats(0, 1)] * 3),
)
def test_union_and_maximum_find_the_same_labels_and_differ_in_the_scores_alone(scores, thresholds):
    levels = np.zeros(len(scores))
    union, maximum = (merge_windows(scores, levels, thresholds, rule) for rule in ("union", "maximum"))
    by_hand = [
        any(np.float32(score) >= np.float32(one) for score in column)
        for column, one in zip(scores.T, thresholds, strict=True)
    ]

    assert union.reached.tolist() == maximum.reached.tolist() == by_hand
    assert maximum.scores.tolist() == scores.max(axis=0).tolist()
    counts = (scores >= np.asarray(thresholds, np.float32)).sum(axis=0)
    assert union.scores.tolist() == (counts / len(scores)).astype(np.float32).tolist()


@pytest.mark.parametrize("rule", MERGES)
def test_a_score_reaches_a_threshold_that_is_the_same_number(rule):
    merged = merge_windows([[0.3, 0.29]], [-20.0], (0.3, 0.3), rule)

    assert merged.reached.tolist() == [True, False]


@pytest.mark.parametrize("rule", MERGES)
def test_a_threshold_of_zero_is_reached_by_sound_and_not_by_silence(rule):
    assert merge_windows([[0.0]], [-20.0], (0.0,), rule, -60.0).reached.tolist() == [True]
    assert merge_windows([[0.0]], [-70.0], (0.0,), rule, -60.0).reached.tolist() == [False]
    assert ClipMerge(rule, (0.0,)).reached.tolist() == [False]


@pytest.mark.parametrize("rule", MERGES)
def test_windows_one_by_one_make_the_same_clip_as_all_at_once(rule):
    rng = np.random.default_rng(0)
    scores, levels = rng.random((1000, 3), np.float32), rng.uniform(-90, 0, 1000)
    merged = ClipMerge(rule, THRESHOLDS)
    for row, level in zip(scores, levels, strict=True):
        merged.add([row], [level < -60.0])
    whole = merge_windows(scores, levels, THRESHOLDS, rule, -60.0)

    assert merged.scores.tolist() == whole.scores.tolist()
    assert merged.reached.tolist() == whole.reached.tolist()
    assert merged.num_silent == whole.num_silent == (levels < -60.0).sum()


def test_scores_of_silent_windows_are_not_looked_at():
    merged = merge_windows([[0.5], [math.nan]], [-20.0, -70.0], (0.5,), "mean", -60.0)

    assert merged.scores.tolist() == [0.5]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([[0.1]], [-20.0], (0.5,), "median"), "merge is 'median'; expected one of mean, union, maximum"),
        (([[0.1, 0.2]], [-20.0], (0.5,)), r"scores have shape \(1, 2\); expected \(1, 1\)"),
        (([[0.1], [0.2]], [-20.0], (0.5,)), r"scores have shape \(2, 1\); expected \(1, 1\)"),
        (([[math.nan]], [-20.0], (0.5,)), "hold NaN"),
    ],
)
def test_what_cannot_be_merged_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        merge_windows(*arguments)


@pytest.mark.parametrize(("seconds", "count"), [(8, 4), (10, 6), (12, 8), (5, 1)])
def test_five_second_windows_every_second_lose_none(seconds, count):
    model = classifier(window_length=5 * RATE)
    heard = model.classify(noise(seconds * RATE), RATE, window_hop=RATE)

    assert heard.starts_seconds.tolist() == list(range(count))
    assert heard.scores.shape == (count, 3)
    assert window_starts(seconds * RATE, 5 * RATE, RATE)[-1] + 5 * RATE == seconds * RATE
    assert (
        len(list(model.classify_windows([noise(seconds * RATE)], seconds * RATE, RATE, Windowing(hop=RATE)))) == count
    )


def test_without_asking_a_clip_is_the_mean_of_its_windows(model, clip):
    heard = model.classify(clip, RATE)

    assert heard.merge == "mean"
    assert heard.clip_scores.tolist() == heard.scores.mean(axis=0, dtype=np.float64).astype(np.float32).tolist()
    assert heard.decision == model.decide(heard.clip_scores)
    assert not heard.silent.any()


def test_the_level_is_that_of_the_samples_that_are_there(model, clip):
    heard = model.classify(clip, RATE, tail="pad", silence_below_dbfs=-22.0)

    # The last window is half padding: its level would be 3 dB less with it, and below the limit.
    assert heard.levels_dbfs.tolist() == pytest.approx([-20.0, -60.0, -math.inf, -20.0], abs=0.2)
    assert heard.silent.tolist() == [False, True, True, False]
    everything = model.classify(clip, RATE, tail="pad")
    assert heard.scores[~heard.silent].tolist() == everything.scores[~heard.silent].tolist()
    assert not heard.scores[heard.silent].any()


@pytest.mark.parametrize("tail", ["pad", "align", "drop"])
@pytest.mark.parametrize("rule", MERGES)
def test_the_classifier_merges_what_is_loud_enough(model, clip, rule, tail):
    heard = model.classify(clip, RATE, window_hop=RATE // 2, tail=tail, merge=rule, silence_below_dbfs=-50.0)
    everything = model.classify(clip, RATE, window_hop=RATE // 2, tail=tail)
    expected = merge_windows(everything.scores, everything.levels_dbfs, model.spec.thresholds, rule, -50.0)

    assert 0 < expected.num_silent < expected.num_windows
    assert heard.clip_scores.tolist() == expected.scores.tolist()
    assert heard.decision == model.decide_clip(expected)


@pytest.mark.parametrize("rule", MERGES)
def test_decisions_of_a_clip_by_activation_and_rule(rule):
    scores, levels = [[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]], [-20.0, -20.0]
    softmax, sigmoid = classifier(), classifier("sigmoid")
    first, second, _ = TINY_LABELS
    merged = merge_windows(scores, levels, (0.5, 0.5, 0.5), rule)

    assert softmax.decide_clip(merged) == {"mean": second, "maximum": second, "union": (first, second)}[rule]
    assert (
        sigmoid.decide_clip(merged) == {"mean": (second,), "maximum": (first, second), "union": (first, second)}[rule]
    )


@pytest.mark.parametrize("rule", MERGES)
def test_a_clip_that_is_all_silent_has_no_label(model, rule):
    heard = model.classify(np.zeros(3 * RATE, np.float32), RATE, merge=rule, silence_below_dbfs=-60.0)

    assert heard.silent.all()
    assert heard.clip_scores.tolist() == [0.0, 0.0, 0.0]
    assert heard.decision == (None if model.spec.activation == "softmax" and rule != "union" else ())


def test_silent_windows_do_not_run_the_model(model, clip, monkeypatch):
    runs = []
    invoke = model.invoke
    monkeypatch.setattr(model, "invoke", lambda: (runs.append(1), invoke()))
    model.classify(clip, RATE, silence_below_dbfs=-50.0)
    list(model.classify_windows([clip], clip.size, RATE, Windowing(silence_below_dbfs=-50.0)))

    assert len(runs) == 4


def test_a_clip_in_blocks_has_the_same_windows_levels_and_silence(model, clip):
    whole = model.classify(clip, RATE, window_hop=4000, silence_below_dbfs=-50.0)
    results = list(
        model.classify_windows(np.array_split(clip, 11), clip.size, RATE, Windowing(hop=4000, silence_below_dbfs=-50.0))
    )

    assert [result.level_dbfs for result in results] == whole.levels_dbfs.tolist()
    assert [result.is_silent for result in results] == whole.silent.tolist()
    assert np.array_equal([result.scores for result in results], whole.scores)
    nothing = None if model.spec.activation == "softmax" else ()
    assert {result.decision for result in results if result.is_silent} == {nothing}


def test_silence_between_windows_that_share_frames_changes_no_score(clip):
    spec = tiny_spec(
        window_length=RATE,
        front_end=MelFrontEnd(inside_model=False, n_fft=512, hop_length=250, win_length=512, n_mels=20),
    )
    model = Classifier(pack_model(tiny_classifier(input_shape=(1, 20, 65, 1)), spec))
    whole = model.classify(clip, RATE, window_hop=4000, silence_below_dbfs=-50.0)
    alone = [model.scores(window) for window in cut_windows(clip, RATE, 4000)]

    assert np.array_equal(whole.scores, np.where(whole.silent[:, np.newaxis], np.float32(0.0), alone))
    assert 0 < whole.silent.sum() < whole.silent.size


@pytest.mark.parametrize("bad", [{"merge": "median"}, {"silence_below_dbfs": 60.0}])
def test_a_wrong_rule_or_limit_is_refused_before_anything_is_heard(model, bad, monkeypatch):
    monkeypatch.setattr(model, "invoke", lambda: pytest.fail("the model ran"))
    with pytest.raises(ValueError, match=r"median|60\.0 dBFS"):
        model.classify(noise(RATE), RATE, **bad)


def test_nan_is_no_silence(model):
    broken = np.zeros(RATE, np.float32)
    broken[5] = math.nan
    with pytest.raises(ValueError, match="NaN or infinity at sample 5"):
        model.classify(broken, RATE, silence_below_dbfs=-60.0)


def test_a_phone_that_leaves_silence_out_shows_nothing_there(model, clip):
    shorts = np.rint(clip * 32768).astype(np.int16)
    plain = list(PhoneHarness(classifier=model).ticks(shorts, RATE))
    ticks = list(PhoneHarness(classifier=model, silence_below_dbfs=-50.0).ticks(shorts, RATE))

    assert [tick.level_dbfs for tick in ticks] == [tick.level_dbfs for tick in plain]
    # Nothing has arrived; half a second, whose level the zeros before it do not lower; then the whole window.
    assert ticks[0].level_dbfs == -math.inf
    assert ticks[1].level_dbfs == pytest.approx(-20.0, abs=0.2)
    assert [tick.is_silent for tick in ticks] == [True, False, False, False, True, True, True, False]
    for tick, unlimited in zip(ticks, plain, strict=True):
        assert not unlimited.is_silent
        assert np.array_equal(tick.scores, np.zeros(3) if tick.is_silent else unlimited.scores)
        assert tick.decision == (model.decide_nothing() if tick.is_silent else unlimited.decision)


def test_a_listener_does_not_classify_silence_and_its_events_end_there(clip):
    model = classifier("sigmoid", thresholds=(0.01, 0.01, 0.01))
    shorts = np.rint(np.concatenate([clip[: 3 * RATE], clip[: 2 * RATE]]) * 32768).astype(np.int16)
    settings = ListenSettings(smooth_seconds=0.0, min_duration_seconds=0.0, min_gap_seconds=0.0)
    found = {}
    for limit in (None, -50.0):
        listener = Listener(model, dataclasses.replace(settings, silence_below_dbfs=limit))
        ticks = listener.push(shorts, RATE)
        found[limit] = [*(event for tick in ticks for event in tick.events), *listener.finish()[1]]
        assert listener.num_silent == (0 if limit is None else 4)
        assert [tick.number for tick in ticks if not tick.scores.any()] == ([] if limit is None else [4, 5, 6, 10])

    assert {len([event for event in found[None] if event.label == label]) for label in TINY_LABELS} == {1}
    assert {len([event for event in found[-50.0] if event.label == label]) for label in TINY_LABELS} == {2}


def test_a_limit_is_checked_when_a_listener_or_phone_is_made(model):
    with pytest.raises(ValueError, match="silence is below 60"):
        ListenSettings(silence_below_dbfs=60.0)
    with pytest.raises(ValueError, match="silence is below 60"):
        PhoneHarness(classifier=model, silence_below_dbfs=60.0)


def test_the_maximum_of_negative_scores_is_the_highest_of_them_and_not_0():
    merged = ClipMerge("maximum", (0.5, 0.5))
    merged.add([[-3.0, -1.0], [-2.0, -4.0]], [False, False])
    assert merged.scores.tolist() == [-2.0, -1.0]


def test_a_clip_of_silent_windows_alone_has_scores_of_0_under_every_rule():
    for rule in MERGES:
        merged = ClipMerge(rule, (0.5, 0.5))
        merged.add([[0.0, 0.0]], [True])
        assert merged.scores.tolist() == [0.0, 0.0]
        assert not merged.reached.any()
