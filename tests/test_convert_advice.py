"""What a verdict advises: longer training where it was short, a larger test side where that is all that is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from judged import candidate, evidence, side, verdict, wrong_on

from convert.report.test_side import MIN_TEST_GROUPS
from convert.report.training_end import find_short_training
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.split import read_shares, split_clips

COSINE = {"epochs": 40, "patience": 20, "cosine_decay": True}


def ended(num_epochs, kept, model="mel_cnn", **settings):
    return find_short_training(
        {"model": model, "epochs": num_epochs, "kept_epoch": kept}, {**COSINE, "epochs": num_epochs, **settings}
    )


def told(found):
    return " ".join(found.text)


@pytest.mark.parametrize(
    ("epochs", "kept", "settings", "is_short"),
    [
        (1, 1, {}, True),
        (3, 2, {}, True),  # patience of 20 could not end it
        (30, 30, {}, True),  # below the model's own 40, and the last was the best
        (30, 12, {}, False),
        (40, 40, {}, False),  # the rate has fallen to zero as the model's own settings have it
        (40, 40, {"cosine_decay": False}, True),
        (25, 5, {"epochs": 40}, False),  # patience ended it
        (2, 2, {"epochs": 40}, False),  # something else did
    ],
)
def test_a_training_is_short_that_its_limit_ended_while_it_gained(epochs, kept, settings, is_short):
    assert (ended(epochs, kept, **settings) is not None) == is_short


def test_a_short_training_is_told_with_its_epochs_and_what_the_model_usually_takes():
    heard = side()
    found = verdict(replace(evidence(np.zeros_like(heard.truth), heard), short_training=ended(3, 3)))

    assert "Its training ended at its limit of 3 epochs (--epochs), the last of which had the lowest" in told(found)
    assert "What to do: Train longer: without --epochs this model takes up to 40." in told(found)
    assert told(found).count("rain longer") == 1


def test_a_file_that_may_be_taken_is_still_said_to_have_been_trained_shortly():
    heard = side()
    found = verdict(replace(evidence(heard.truth, heard), short_training=ended(50, 50, cosine_decay=False)))

    assert found.take
    assert "What to do: Train longer: --epochs 100." in told(found)


def test_a_model_with_one_answer_is_advised_against_just_that():
    heard = side()
    found = verdict(evidence(np.zeros_like(heard.truth), heard))

    assert "Against one answer for everything, see whether the labels are right" in told(found)
    assert "try a --learning-rate of a third" in told(found)
    assert "test on more" not in told(found)


def test_where_there_are_enough_groups_the_test_side_is_to_be_larger_instead_of_recording_more():
    heard = side(groups_a_label=2, in_all=13)
    found = verdict(evidence(heard.truth, heard))

    assert "Or test on more of what there is: `earproof data split DATA --shares 40:15:45 --out CSV`" in told(found)
    assert "`earproof evaluate DATA --model net --folds`" in told(found)


def test_the_shares_that_are_advised_give_every_label_enough_groups():
    clips = [Clip(f"{label}{n}.wav", (label,), f"{label}{n}") for label in ("dog", "rain") for n in range(13)]
    index = ClipIndex(root=Path(), labels=("dog", "rain"), clips=tuple(clips))
    tested = split_clips(index, 0, read_shares("40:15:45")).of_split("test")

    assert min(sum(clip.labels == (label,) for clip in tested) for label in index.labels) >= MIN_TEST_GROUPS


def test_with_too_few_groups_for_any_share_more_are_to_be_recorded():
    heard = side(groups_a_label=2, in_all=8)
    found = verdict(evidence(heard.truth, heard))

    assert "Record " in told(found)
    assert "--shares" not in told(found)


def test_a_wide_interval_of_a_small_test_side_is_no_reason_to_doubt_the_labels_alone():
    heard = side(groups_a_label=MIN_TEST_GROUPS, in_all=33)
    wrong = [place for place in range(heard.truth.size) if place // 4 in (0, 1, 5, 6)]
    found = verdict(evidence(wrong_on(heard.truth, wrong), heard))

    assert found.accuracy == pytest.approx(0.6)
    assert not found.take
    assert "The test side is small: test on more of what there is: `earproof data split DATA --shares 55:15:30" in told(
        found
    )


def test_a_test_side_that_is_large_already_is_not_to_be_made_smaller():
    heard = side(groups_a_label=MIN_TEST_GROUPS, in_all=10)
    wrong = [place for place in range(heard.truth.size) if place // 4 in (0, 1, 5, 6)]

    assert "--shares" not in told(verdict(evidence(wrong_on(heard.truth, wrong), heard)))


@pytest.mark.parametrize("is_flat", [False, True])
def test_of_a_file_that_somebody_else_trained_nothing_is_said_that_only_a_training_of_ours_has(is_flat):
    heard = replace(side(groups_a_label=2, in_all=13), is_unseen=False)
    decided = np.zeros_like(heard.truth) if is_flat else wrong_on(heard.truth, [0, 1, 2, 3, 8, 9])
    text = told(verdict(evidence(decided, heard)))

    for word in ("unseen", "rain longer", "learned", "Record", "record ", "--test-fold", "--learning-rate", "build"):
        assert word not in text
    assert "of 4 groups of --data" in text
    assert "Whether the file was trained on these recordings is not known" in text
    assert "Give with --data 21 more speakers or sources of 'dog'" in text
    assert "--shares 15:15:70" in text
    assert "--labels" in text


def test_a_candidate_of_a_good_foreign_file_may_be_taken():
    heard = replace(side(), is_unseen=False)
    found = verdict(evidence(heard.truth, heard))

    assert (found.take, found.file) == (True, candidate().file)
    assert "What to do" not in told(found)
