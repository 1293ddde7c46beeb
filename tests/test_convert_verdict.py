"""The verdict on a build: when a file is to be taken, what is said where none is, and words that are the numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from judged import LABELS, candidate, evidence, side, verdict, wrong_on

from convert.report.choose import choose
from convert.report.test_side import TestSide, describe_test_side
from convert.report.verdict import Difference, Verdict
from convert.report.verdict_text import gain, verdict_lines
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.split import MIN_TEST_GROUPS


def test_a_good_file_with_enough_groups_is_to_be_taken_and_says_how_sure_that_is():
    heard = side()
    found = verdict(evidence(wrong_on(heard.truth, [0, 30]), heard))

    assert found.take
    assert found.file == "net-int8.tflite"
    assert found.accuracy == pytest.approx(46 / 48)
    assert found.interval[0] < found.accuracy < found.interval[1]
    assert found.num_groups == 12
    assert found.chance_share == 0.5
    assert found.chance.lower > 0
    assert found.text[0].startswith("**Take `net-int8.tflite`**: accuracy 95.8%")


def test_copies_on_two_sides_of_the_split_are_told_with_the_verdict():
    heard = side()
    found = verdict(evidence(heard.truth, heard), near_copies="1 pair of clips on different sides is nearly the same")

    assert found.text[1] == "**Caution:** 1 pair of clips on different sides is nearly the same."
    assert "Caution" not in " ".join(verdict(evidence(heard.truth, heard)).text)


def test_every_label_found_is_said_as_such():
    heard = side()
    found = verdict(evidence(heard.truth, heard))

    assert "Every label is found in all of its windows." in found.text


def test_a_file_that_says_one_label_only_is_never_to_be_taken():
    heard = side()
    found = verdict(evidence(np.zeros_like(heard.truth), heard))

    assert not found.take
    assert "It says 'dog' on every test window" in " ".join(found.text)
    assert found.text[0].startswith("**Take no file yet.**")


def test_shuffled_labels_cannot_be_told_from_chance_and_it_is_said_against_what():
    heard = side(groups_a_label=10)
    guessed = np.random.default_rng(0).permutation(heard.truth)
    found = verdict(evidence(guessed, heard))

    assert not found.take
    assert re.search(r"cannot be told from chance: always saying 'dog' is right on 50\.0%", " ".join(found.text))


def test_with_an_unequal_share_of_labels_chance_is_the_label_that_is_frequent():
    truth = np.repeat([0, 1], [57, 3])
    heard = TestSide(
        labels=LABELS,
        truth=truth,
        groups=np.array([f"g{place}" for place in range(60)]),
        clips=np.arange(60),
        window_seconds=2.0,
    )
    found = verdict(evidence(wrong_on(truth, [57, 58]), heard))

    assert found.accuracy == pytest.approx(58 / 60)
    assert not found.take
    assert "always saying 'dog' is right on 95.0%" in " ".join(found.doubts)
    assert [one.label for one in found.missing] == ["rain"]


def test_a_label_that_is_never_found_keeps_a_file_from_being_taken():
    heard = side(labels=("dog", "rain", "wind"), groups_a_label=8)
    decided = np.where(heard.truth == 2, 1, heard.truth)
    found = verdict(evidence(decided, heard))

    assert not found.take
    assert found.doubts == ("It never finds wind where the test side has it.",)
    assert found.weakest == {"label": "wind", "recall": 0.0, "support": 32}


def test_with_few_groups_a_perfect_file_is_not_to_be_taken_and_what_is_missing_is_named():
    heard = side(groups_a_label=2, in_all=13)
    found = verdict(evidence(heard.truth, heard))

    assert not found.take
    assert found.doubts == ()
    assert [(one.label, one.num_groups, one.more_on_test_side) for one in found.missing] == [
        ("dog", 2, MIN_TEST_GROUPS - 2),
        ("rain", 2, MIN_TEST_GROUPS - 2),
    ]
    # 2 of 13 groups are tested: 5 take 32.5, so 33 in all and 20 more.
    assert {one.more_in_all for one in found.missing} == {21}
    assert {one.seconds_each for one in found.missing} == {8.0}
    told = " ".join(found.text)
    assert "'dog' 2, 'rain' 2" in told
    assert "Record 21 more speakers or sources of 'dog' (about 8 s each, so that 3 more are tested)" in told


def test_of_the_label_with_fewer_recordings_more_are_asked_for():
    """A draw takes one group of three and one of ten: neither is the share that a larger set would have."""
    heard = replace(side(groups_a_label=1, in_all=0), groups_in_all={"dog": 10, "rain": 3})
    missing = {one.label: one.more_in_all for one in heard.shortages()}
    # Of so few, 2 of 13 are no share: at the 15 % of a draw 34 groups a label are needed for 5.
    assert missing == {"dog": 24, "rain": 31}


def test_of_many_groups_the_share_that_is_tested_counts():
    heard = side(groups_a_label=3, in_all=10)
    # 6 of 20 are tested, so that 17 a label are needed for 5.
    assert {one.more_in_all for one in heard.shortages()} == {7}


def test_two_groups_that_are_right_are_too_few_and_no_chance():
    heard = side(groups_a_label=1, in_all=7)
    found = verdict(evidence(heard.truth, heard))

    assert not found.take
    assert "cannot be told from chance" not in " ".join(found.text)
    assert found.chance.lower is None  # two groups, resampled, would promise too much
    assert "50.0 points more often right (there are too few groups" in " ".join(found.text)


def test_the_command_that_tests_all_in_turn_names_the_backbone():
    heard = side(groups_a_label=1, in_all=7)
    found = verdict(replace(evidence(heard.truth, heard, model="transfer"), backbone="yamnet_256"))

    assert "`earproof evaluate DATA --model transfer --backbone yamnet_256 --folds`" in " ".join(found.steps)


@pytest.mark.parametrize(("groups", "take"), [(MIN_TEST_GROUPS - 1, False), (MIN_TEST_GROUPS, True)])
def test_five_groups_a_label_are_enough(groups, take):
    heard = side(groups_a_label=groups)

    assert verdict(evidence(heard.truth, heard)).take == take


def test_between_models_that_cannot_be_told_apart_the_faster_is_taken_and_the_difference_is_said():
    heard = side()
    slow = evidence(heard.truth, heard, model="slow", p50_ms=2.0)
    fast = evidence(wrong_on(heard.truth, [3]), heard, model="fast", p50_ms=0.5)
    found = verdict(slow, fast)

    assert (found.file, found.next.than) == ("fast-int8.tflite", "slow-int8.tflite")
    assert found.next.points == pytest.approx(-100 / 48)
    assert found.next.lower <= found.next.points <= found.next.upper == 0.0
    assert "which may be chance; that one takes 2.00 ms and 300 kB" in " ".join(found.text)


def test_a_model_that_is_better_beyond_chance_is_taken_however_slow_it_is():
    heard = side()
    slow = evidence(heard.truth, heard, model="slow", p50_ms=20.0)
    fast = evidence(wrong_on(heard.truth, np.arange(0, 48, 4)), heard, model="fast", p50_ms=0.1)
    found = verdict(fast, slow)

    assert found.file == "slow-int8.tflite"
    assert found.next.points == pytest.approx(25.0)
    assert found.next.lower > 0


def test_models_that_decide_alike_differ_by_nothing():
    heard = side()
    found = verdict(evidence(heard.truth, heard, model="a", size_bytes=2), evidence(heard.truth, heard, model="b"))

    assert found.file == "a-int8.tflite"
    assert (found.next.points, found.next.lower, found.next.upper) == (0.0, 0.0, 0.0)
    assert "right as often, 0.0 points apart [+0.0, +0.0]" in " ".join(found.text)


def test_a_model_that_gives_one_answer_does_not_win_over_one_that_has_learned():
    heard = side()
    flat = evidence(np.zeros_like(heard.truth), heard, model="flat", p50_ms=0.01, size_bytes=1)
    found = verdict(flat, evidence(heard.truth, heard, model="good"))

    assert (found.take, found.file) == (True, "good-int8.tflite")


def test_models_with_other_windows_are_paired_by_clip():
    long, short = side(windows_a_group=2), side(windows_a_group=4, seconds=1.0)
    found = verdict(evidence(long.truth, long, model="long"), evidence(short.truth, short, model="short", p50_ms=9.0))

    assert found.file == "long-int8.tflite"
    assert found.next.lower == found.next.upper == 0.0


def test_models_of_other_sounds_are_compared_by_their_numbers_alone():
    one, other = side(), side(labels=("cat", "wind"))
    found = verdict(evidence(one.truth, one, model="a"), evidence(wrong_on(other.truth, [1]), other, model="b"))

    assert found.file == "a-int8.tflite"
    assert found.next.lower is None
    assert "too few groups, or not the same windows, to say how sure" in " ".join(found.text)


def test_a_file_that_the_loaders_refuse_is_never_taken_over_one_that_they_open():
    heard = side()
    own = evidence(
        heard.truth, heard, form="spectrogram", file="net-spectrogram-int8.tflite", refused_by=("MediaPipe",)
    )
    plain = evidence(wrong_on(heard.truth, [0, 1, 2, 30]), heard, p50_ms=50.0)

    assert verdict(own, plain).file == "net-int8.tflite"
    alone = verdict(own)
    assert (alone.take, alone.file) == (True, "net-spectrogram-int8.tflite")
    assert "No other kind was made: MediaPipe refuse it" in alone.text[1]


def test_where_no_file_passes_none_is_to_be_taken():
    heard = side()
    found = verdict(evidence(heard.truth, heard, passed=False))

    assert (found.take, found.file) == (False, "")
    assert found.text[0].startswith("**Take no file.** No file with float32 input and output passes")


def test_one_unseen_group_gives_no_paired_interval_and_no_recommendation():
    truth = np.array([0, 0, 1, 1])
    heard = TestSide(
        labels=LABELS, truth=truth, groups=np.array(["me"] * 4), clips=np.array([0, 0, 1, 1]), window_seconds=2.0
    )
    found = verdict(evidence(truth, heard))

    assert not found.take
    assert found.chance.lower is None
    assert [one.num_groups for one in found.missing] == [1, 1]


def test_sets_of_labels_are_judged_by_the_single_sounds_of_each_label():
    singles = np.repeat(np.eye(2, dtype=bool), 6, axis=0)
    mixed = np.ones((6, 2), bool)
    first = [f"a{place}" for place in range(6)] + [f"b{place}" for place in range(6)]
    groups = np.array([[name, ""] for name in first] + [[f"a{place}", f"b{place}"] for place in range(6)])
    truth = np.concatenate([singles, mixed])
    heard = TestSide(labels=LABELS, truth=truth, groups=groups, clips=np.arange(18), window_seconds=5.0)
    good, flat = verdict(evidence(truth, heard)), verdict(evidence(np.ones_like(truth), heard))

    assert [heard.num_groups(place) for place in (0, 1)] == [6, 6]
    assert good.take
    assert good.chance_share == pytest.approx(1 / 3)
    assert "It says 'dog' and 'rain' on every test window" in flat.doubts[0]


def test_a_verdict_is_the_same_from_json():
    import json

    heard = side(groups_a_label=2)
    found = verdict(evidence(heard.truth, heard))

    assert json.loads(json.dumps(found.as_dict()))["missing"][0]["label"] == "dog"


@pytest.mark.parametrize("number", range(200))
def test_the_words_of_a_difference_agree_with_its_numbers(number):
    """Whatever the numbers are: more is positive, sure is an interval without zero."""
    rng = np.random.default_rng(number)
    points = float(rng.choice([0.0, rng.normal(0, 5), rng.normal(0, 0.05), 100.0, -100.0]))
    width = float(rng.choice([0.0, rng.exponential(3)]))
    paired = bool(rng.random() < 0.8)
    found = Difference(
        than="x",
        points=points,
        lower=points - width if paired else None,
        upper=points + width if paired else None,
    )
    told = gain(found)

    shown = float(re.search(r"(\d+\.\d) points", told)[1])
    assert shown == pytest.approx(abs(points), abs=0.0501)
    if "right as often" in told:
        assert abs(points) < 0.05
        return
    assert ("more often" in told, "less often" in told) == (points > 0, points < 0)
    if not paired:
        assert "to say how sure" in told
    else:
        assert ("may be chance" in told) == (found.lower <= 0 <= found.upper)


@pytest.mark.parametrize("number", range(200))
def test_the_reason_of_a_choice_agrees_with_its_numbers_in_whatever_order_they_are(number):
    rng = np.random.default_rng(number)
    recipes = rng.permutation(["float32", "float16", "dynamic_int8", "int8", "auto"])[: rng.integers(1, 6)]
    found = [
        candidate(
            f"net-{recipe}.tflite",
            accuracy=float(rng.choice([0.9, 0.91, 0.95])),
            accuracy_loss=float(rng.choice([-0.01, 0.0, 0.004])),
            size_bytes=int(rng.choice([250_000, 300_000, 1_000_000])),
            p50_ms=float(rng.choice([8.84, 9.0, 9.14, 9.3, 20.0])),
            passed=bool(rng.random() < 0.8),
        )
        for recipe in recipes
    ]
    choice = choose("net", "waveform", found)
    usable = [one for one in found if one.passed]
    if not usable:
        assert "no file" in choice.reason
        return
    best = next(one for one in found if one.file == choice.recommended)
    fastest = min(one.p50_ms for one in usable)
    near = [one for one in usable if one.p50_ms <= 1.05 * fastest]

    assert best in near
    assert best.size_bytes == min(one.size_bytes for one in near)
    assert f"{best.p50_ms:.2f} ms a window here and {best.size_bytes / 1000:.0f} kB" in choice.reason
    assert ("none is faster" in choice.reason) == (best.p50_ms == fastest)
    if "the fastest, " in choice.reason:
        assert f"takes {fastest:.2f} ms" in choice.reason
    if "against it the file" in choice.reason:
        assert ("loses no" in choice.reason) == (best.accuracy_loss == 0)
        assert ("the file gains" in choice.reason) == (best.accuracy_loss < 0)


def test_the_example_whose_words_contradicted_its_numbers():
    """9.14 ms was called the fastest beside float32's 8.84: within the noise, and smaller."""
    found = [
        candidate("net-float32.tflite", size_bytes=1_000_000, p50_ms=8.84),
        candidate("net-int8.tflite", size_bytes=300_000, p50_ms=9.14),
    ]
    reason = choose("net", "waveform", found).reason

    assert "none is faster" not in reason
    assert "it is as fast as the fastest, within 5%, and none of these is smaller: 9.14 ms" in reason
    assert "the fastest, float32, takes 8.84 ms" in reason


def test_a_verdict_without_anything_to_compare_still_has_its_words():
    found = Verdict(take=True, file="a.tflite", accuracy=1.0, interval=(0.9, 1.0), num_windows=9, num_groups=9)

    assert verdict_lines(found)[0].startswith("**Take `a.tflite`**")


def test_no_loss_is_no_negative_zero():
    heard = side()
    found = verdict(evidence(heard.truth, heard, accuracy_loss=0.0, accuracy_loss_interval=(0.0, 0.0)))

    assert "right as often, 0.0 points apart [+0.0, +0.0]" in " ".join(found.text)
    assert "-0.0" not in repr((found.float_loss, found.text))
    assert gain(Difference(than="x", points=-0.01, lower=-0.04, upper=-0.0)).endswith("[+0.0, +0.0]")


def test_groups_that_are_only_trained_on_do_not_dilute_the_share_that_is_tested():
    clips = [Clip(f"{place}.wav", ("dog",), f"g{place}", "test" if place < 2 else "train") for place in range(4)]
    taken = Clip("take.wav", ("dog",), "session", "train")
    index = ClipIndex(Path(), ("dog",), (*clips, taken), train_only=frozenset({"take.wav"}))
    spec = SimpleNamespace(labels=("dog",), window_seconds=2.0)
    run = SimpleNamespace(spec=spec, clips=SimpleNamespace(index=index), is_unseen=True)
    cut = SimpleNamespace(truth=np.zeros(2, int), groups=np.array(["g0", "g1"]), clips=np.arange(2))

    assert describe_test_side(run, cut).groups_in_all == {"dog": 4}
