import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.audio.windows import TAILS, cut_windows, stream_windows, window_starts

LENGTH = 100


@pytest.mark.parametrize(
    ("num_samples", "hop", "pad", "drop", "align"),
    [
        (1, 100, [0], [0], [0]),
        (99, 100, [0], [0], [0]),
        (100, 100, [0], [0], [0]),
        (101, 100, [0, 100], [0], [0, 1]),
        (199, 100, [0, 100], [0], [0, 99]),
        (200, 100, [0, 100], [0, 100], [0, 100]),
        (200, 50, [0, 50, 100], [0, 50, 100], [0, 50, 100]),
        (201, 50, [0, 50, 100, 150], [0, 50, 100], [0, 50, 100, 101]),
        (250, 250, [0], [0], [0, 150]),  # the gap after the window is unheard on purpose
        (251, 250, [0, 250], [0], [0, 151]),
        (350, 250, [0, 250], [0, 250], [0, 250]),
    ],
)
def test_starts_are_those_counted_by_hand(num_samples, hop, pad, drop, align):
    found = {tail: window_starts(num_samples, LENGTH, hop, tail).tolist() for tail in TAILS}

    assert found == {"pad": pad, "drop": drop, "align": align}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_window_that_ends_with_the_clip_is_kept(tail, count):
    assert window_starts(count * 32_000, 32_000, 32_000, tail).size == count


@settings(deadline=None)
@given(
    num_samples=st.integers(1, 2000),
    length=st.integers(1, 300),
    hop=st.integers(1, 300),
    tail=st.sampled_from(TAILS),
)
def test_windows_tell_of_every_sample_within_a_hop_that_leaves_no_gap(num_samples, length, hop, tail):
    starts = window_starts(num_samples, length, hop, tail)
    heard = np.zeros(num_samples, bool)
    for start in starts:
        heard[start : start + length] = True

    assert (np.diff(starts) > 0).all()
    assert starts[-1] < num_samples
    if tail != "drop" and hop <= length:
        assert heard.all()
    if tail != "pad" and num_samples >= length:
        assert (starts + length <= num_samples).all()


def test_pad_fills_the_last_window_up_with_zeros():
    windows = cut_windows(np.arange(1, 6, dtype=np.float32), 3, 3, "pad")

    assert windows.dtype == np.float32
    assert windows.tolist() == [[1, 2, 3], [4, 5, 0]]


def test_align_hears_the_end_of_the_clip_without_zeros():
    for words in (("align",), ()):  # it is the default
        assert cut_windows(np.arange(1.0, 6.0), 3, 3, *words).tolist() == [[1, 2, 3], [3, 4, 5]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, 10), "0 samples"),
        ((10, 0, 10), "window_length is 0"),
        ((10, 10, 0), "window_hop 0"),
        ((10, 10, 10, "keep"), "'keep'; expected one of pad, drop, align"),
    ],
)
def test_impossible_windows_are_refused_with_the_value_received(arguments, message):
    with pytest.raises(ValueError, match=message):
        window_starts(*arguments)


def test_sixteen_bit_integers_are_not_taken_for_samples_in_one():
    with pytest.raises(ValueError, match="int16; expected float"):
        cut_windows(np.zeros(10, np.int16), 5, 5)


def test_stereo_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 10\); expected \(n_samples,\)"):
        cut_windows(np.zeros((2, 10), np.float32), 5, 5)


@settings(deadline=None)
@given(
    num_samples=st.integers(1, 1500),
    length=st.integers(1, 300),
    hop=st.integers(1, 400),
    tail=st.sampled_from(TAILS),
    block=st.integers(1, 500),
)
def test_a_stream_gives_the_windows_of_the_whole_clip(num_samples, length, hop, tail, block):
    clip = np.arange(1, num_samples + 1, dtype=np.float32)
    blocks = [clip[first : first + block] for first in range(0, num_samples, block)]
    streamed = list(stream_windows(blocks, num_samples, length, hop, tail))

    assert [start for start, _ in streamed] == window_starts(num_samples, length, hop, tail).tolist()
    assert np.array_equal(np.stack([window for _, window in streamed]), cut_windows(clip, length, hop, tail))


def test_a_stream_that_ends_early_is_an_error_and_no_shorter_window():
    with pytest.raises(ValueError, match="ended after 5 samples; expected 6"):
        list(stream_windows([np.zeros(5, np.float32)], 6, 3, 3))
