import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import tiny_spec

from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.front_end.mel import model_input
from metadata import MelFrontEnd, StftFrontEnd

JLIBROSA = MelFrontEnd(inside_model=False)
FRONT_ENDS = {
    "as JLibrosa": JLIBROSA,
    "zero padding": MelFrontEnd(inside_model=False, pad_mode="constant"),
    "log mel, hop that divides the window": MelFrontEnd(
        inside_model=False, n_fft=512, hop_length=160, win_length=400, n_mels=64, log="log10"
    ),
    "magnitude mel with empty bands": MelFrontEnd(
        inside_model=False, n_fft=256, hop_length=100, win_length=256, power=1.0
    ),
    "no frame beyond the ends": MelFrontEnd(
        inside_model=False, n_fft=512, hop_length=160, win_length=401, pad_mode="none", log="ln_plus"
    ),
    "magnitude stft": StftFrontEnd(inside_model=False, n_fft=256, hop_length=64, win_length=256, power=1.0),
    "stft of odd hop": StftFrontEnd(inside_model=False, n_fft=400, hop_length=77, win_length=301, power=1.7),
    "hop above half a frame": MelFrontEnd(inside_model=False, n_fft=512, hop_length=500, win_length=512, n_mels=20),
}


def stream(num_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, num_samples).astype(np.float32)


def spec_of(front_end, window_length=32_000):
    return tiny_spec(front_end=front_end, window_length=window_length)


@pytest.mark.parametrize("front_end", FRONT_ENDS.values(), ids=FRONT_ENDS)
@pytest.mark.parametrize("hops", [1, 5, 16])
@pytest.mark.parametrize("window_length", [8000, 8003])
def test_windows_that_share_frames_are_bit_for_bit_those_computed_alone(front_end, hops, window_length):
    spec, tick = spec_of(front_end, window_length), hops * front_end.hop_length
    audio, cache = stream(20 * tick + window_length), FrameCache(spec)
    for start in range(0, 20 * tick, tick):
        window = audio[start : start + window_length]

        assert cache.model_input(window, start).tobytes() == model_input(window, spec).tobytes()
    assert cache.reused_frames > 0 or tick > window_length - front_end.n_fft


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(FRONT_ENDS)),
    window_length=st.integers(1025, 6000),
    jumps=st.lists(st.integers(-1000, 7000), max_size=8),
    in_hops=st.booleans(),
)
def test_any_way_through_a_stream_gives_what_is_computed_alone(name, window_length, jumps, in_hops):
    front_end = FRONT_ENDS[name]
    spec, cache, audio, start = spec_of(front_end, window_length), None, stream(70_000), 8000
    cache = FrameCache(spec)
    for jump in jumps:
        start += jump // front_end.hop_length * front_end.hop_length if in_hops else jump
        window = audio[start : start + window_length]

        assert cache.model_input(window, start).tobytes() == model_input(window, spec).tobytes()


def test_of_63_frames_those_at_the_ends_and_the_new_ones_are_computed():
    cache, audio = FrameCache(spec_of(JLIBROSA)), stream(60_000)
    cache.model_input(audio[:32_000], 0)
    assert (cache.computed_frames, cache.reused_frames) == (63, 0)

    cache.model_input(audio[8192 : 8192 + 32_000], 8192)  # 16 frames on: 2 frames at each end, 16 new ones
    assert (cache.computed_frames, cache.reused_frames) == (63 + 20, 43)


def test_half_a_second_is_no_multiple_of_512_samples_so_nothing_is_shared():
    cache, audio = FrameCache(spec_of(JLIBROSA)), stream(60_000)
    for start in range(0, 24_001, 8000):
        cache.model_input(audio[start : start + 32_000], start)

    assert (cache.computed_frames, cache.reused_frames) == (4 * 63, 0)


def test_a_frame_at_the_end_of_a_window_is_not_taken_into_the_next_one():
    """With reflect padding it holds the window's own end turned round, not what the stream went on with."""
    audio = np.zeros(40_192, np.float32)
    audio[32_000:] = 0.5  # begins just after the first window
    spec, cache = spec_of(JLIBROSA), FrameCache(spec_of(JLIBROSA))
    cache.model_input(audio[:32_000], 0)
    second = cache.model_input(audio[8192 : 8192 + 32_000], 8192)

    assert second[:, 46].any()  # centred on sample 31,744: silent in the first window, not here
    assert second.tobytes() == model_input(audio[8192 : 8192 + 32_000], spec).tobytes()


def test_a_waveform_model_gets_its_window_and_no_frame_is_computed():
    cache, window = FrameCache(tiny_spec()), stream(32_000)

    assert np.array_equal(cache.model_input(window, 0), window)
    assert (cache.computed_frames, cache.reused_frames) == (0, 0)


def test_a_window_of_another_length_is_refused():
    with pytest.raises(ValueError, match="takes 32000"):
        FrameCache(spec_of(JLIBROSA)).model_input(stream(31_999), 0)
