from collections import Counter

import numpy as np
import pytest
from many_tones import clip_index

from train.mixtures.mixture_index import pair_clips
from train.mixtures.undersampling import undersample, undersample_label_pairs

MIXTURES = pair_clips(clip_index("abcdefghij", {"train": 32, "val": 4, "test": 4}))


def test_sixteen_hundred_of_46080_are_kept_as_published():
    kept = undersample(MIXTURES, 1600, 0)
    assert kept.counts_by_side() == {"train": 1600, "val": 720, "test": 720}
    assert kept.left_out == MIXTURES.left_out


def test_no_mixture_is_kept_twice_and_their_order_stays():
    kept = undersample(MIXTURES, 500, 1).parts.tolist()
    assert len({tuple(pair) for pair in kept}) == 1500
    assert kept == sorted(kept)


def test_the_same_seed_keeps_the_same_and_another_others():
    one, same, other = (undersample(MIXTURES, 100, seed).parts for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_every_label_pair_keeps_as_many_on_each_side():
    kept = undersample_label_pairs(MIXTURES, 20, 0)
    counts = Counter((kept.splits[place], kept.labels_of(place)) for place in range(len(kept)))
    assert len(counts) == 3 * 45
    assert {split: {count for (side, _), count in counts.items() if side == split} for split in ("train", "val")} == {
        "train": {20},
        "val": {16},  # 4 x 4 are all there are
    }


def test_mixtures_without_a_side_are_undersampled_too():
    assert len(undersample(pair_clips(clip_index("ab", {"": 10})), 7, 0)) == 7


@pytest.mark.parametrize("draw", [undersample, undersample_label_pairs])
def test_fewer_than_one_is_refused(draw):
    with pytest.raises(ValueError, match="expected 1 or more"):
        draw(MIXTURES, 0, 0)
