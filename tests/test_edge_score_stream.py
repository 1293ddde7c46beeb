"""Scores of a whole recording: windows that overlap, averages known by hand, blocks and wholes that are the same."""

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

from edge_runtime.model.classifier import Classifier
from edge_runtime.segments.score_stream import (
    averaged_rows,
    recording_scores,
    score_blocks,
    score_rows,
)
from metadata import FrameScores, pack_model

RATE = 16_000


def _spec(frames=4, hop=100, window=400):
    return tiny_spec(
        labels=("first", "mean"),
        activation="sigmoid",
        window_length=window,
        frames=FrameScores(frames, hop) if frames else None,
    )


class _Told:
    """Scores that show what was heard: of each frame its first sample and its mean, and all windows in a row."""

    def __init__(self, spec):
        self.spec, self.windows = spec, []

    def frame_scores(self, window):
        self.windows.append(window)
        rows = window.reshape(self.spec.frames.num_frames, -1)
        return np.column_stack([rows[:, 0], rows.mean(axis=1)]).astype(np.float32)

    def scores(self, window):
        self.windows.append(window)
        return np.array([window[0], window.mean()], np.float32)


def _ramp(num_samples):
    """Sample i is i / 10,000."""
    return (np.arange(num_samples) / 10_000).astype(np.float32)


def test_a_row_is_the_mean_of_the_windows_that_score_it():
    windows = [(0, np.array([[0.0], [0.2], [0.4], [0.6]])), (2, np.array([[0.8], [1.0], [0.5], [0.1]]))]
    blocks = list(averaged_rows(windows, 6))
    assert [block.ravel().tolist() for block in blocks] == [
        pytest.approx([0.0, 0.2]),
        pytest.approx([0.6, 0.8, 0.5, 0.1]),
    ]
    assert np.concatenate(list(averaged_rows(windows, 5, first=1))).ravel() == pytest.approx([0.2, 0.6, 0.8, 0.5])


@pytest.mark.parametrize("num_samples", [1, 99, 100, 101, 400, 401, 600, 601, 1_000, 1_234])
def test_frame_i_stands_for_the_samples_from_i_hops_on(num_samples):
    classifier = _Told(_spec())
    grid = recording_scores(classifier, [_ramp(num_samples)])
    count = -(-num_samples // 100)
    assert grid.scores.shape == (count, 2)
    assert grid.scores[:, 0] == pytest.approx(np.arange(count) * 0.01, abs=1e-6)
    assert grid.hop_seconds == 100 / RATE
    assert len(classifier.windows) == score_rows(classifier.spec).num_windows(num_samples)
    # Each window but the last one lies inside the recording, and the last one reaches its end.
    assert (len(classifier.windows) - 1) * 200 + 200 < max(num_samples, 201)
    assert (len(classifier.windows) - 1) * 200 + 400 >= num_samples


def test_behind_the_end_there_are_zeros_whose_frames_are_dropped():
    classifier = _Told(_spec())
    grid = recording_scores(classifier, [np.full(150, 0.5, np.float32)])
    assert grid.scores.tolist() == [[0.5, 0.5], [0.5, 0.25]]
    assert np.count_nonzero(classifier.windows[0]) == 150


def test_overlapping_windows_that_disagree_are_averaged():
    class Counting(_Told):
        def frame_scores(self, window):
            self.windows.append(window)
            return np.full((4, 2), 0.1 * len(self.windows), np.float32)

    scores = recording_scores(Counting(_spec()), [_ramp(800)]).scores[:, 0]
    assert scores == pytest.approx([0.1, 0.1, 0.15, 0.15, 0.25, 0.25, 0.3, 0.3])
    thirds = recording_scores(Counting(_spec()), [_ramp(800)], hop_seconds=100 / RATE).scores[:, 0]
    assert thirds == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.35, 0.4, 0.45, 0.5])


def test_a_hop_of_a_part_of_a_frame_is_rounded_and_told():
    five = _spec(frames=5, hop=100, window=500)
    rows = score_rows(five)
    assert rows.hop_rows == 2
    assert rows.rounded == (
        "windows begin every 0.0125 s in place of 0.015625 s: a whole number of frames, 2 of 0.00625 s"
    )
    assert score_rows(_spec()).rounded == score_rows(_spec(), 3 * 100 / RATE).rounded == ""
    # 44 frames of 1024 in a second of 44.1 kHz: the last one is not whole, and no window begins behind it.
    last = tiny_spec(sample_rate=44_100, window_length=44_100, activation="sigmoid", frames=FrameScores(44, 1024))
    assert (score_rows(last, 1.0).hop_rows, score_rows(last).hop_rows) == (43, 21)


@pytest.mark.parametrize("hop", [0.0, -1.0, float("nan"), 0.026])
def test_a_hop_that_is_none_or_longer_than_a_window_is_refused(hop):
    with pytest.raises(ValueError, match=r"expected one of up to 0\.025 s, the window"):
        score_rows(_spec(), hop)


def test_without_frame_scores_a_window_stands_for_the_hop_around_its_middle():
    classifier = _Told(_spec(frames=0))
    grid = recording_scores(classifier, [_ramp(1_000)])
    assert grid.hop_seconds == 200 / RATE
    # Around 100, 300, 500 ... the first and the last one are moved into the recording.
    assert [round(float(one[0]) * 10_000) for one in classifier.windows] == [0, 100, 300, 500, 600]
    assert grid.scores[:, 0] == pytest.approx([0.0, 0.01, 0.03, 0.05, 0.06], abs=1e-6)


def test_without_frame_scores_a_short_recording_is_one_window_with_zeros_behind():
    classifier = _Told(_spec(frames=0))
    assert recording_scores(classifier, [_ramp(150)]).scores.shape == (1, 2)
    assert np.array_equal(classifier.windows[0], np.pad(_ramp(150), (0, 250)))


@pytest.fixture(scope="module", params=["frames", "windows"])
def classifier(request):
    if request.param == "windows":
        return Classifier(pack_model(tiny_classifier(activation="sigmoid"), tiny_spec(activation="sigmoid")))
    spec = tiny_spec(activation="sigmoid", frames=FrameScores(125, 256))
    return Classifier(pack_model(tiny_detector(), spec))


def test_blocks_of_any_length_and_from_any_row_on_are_the_whole(classifier):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 100_000).astype(np.float32)
    whole = recording_scores(classifier, [samples])
    assert whole.labels == classifier.spec.labels
    rows = score_rows(classifier.spec)
    assert len(whole.scores) == rows.num_rows(samples.size)
    for first in (0, 1, len(whole.scores) // 2, len(whole.scores) - 1):
        pieces = (samples[start : start + 777] for start in range(0, samples.size, 777))
        blocks = list(score_blocks(classifier, pieces, samples.size, rows, first))
        assert np.array_equal(np.concatenate(blocks), whole.scores[first:])
        assert max(map(len, blocks)) <= rows.rows_per_window


def test_windows_before_the_first_row_that_is_wanted_are_not_scored():
    classifier = _Told(_spec())
    found = np.concatenate(list(score_blocks(classifier, [_ramp(1_000)], 1_000, score_rows(classifier.spec), 7)))
    assert found[:, 0] == pytest.approx([0.07, 0.08, 0.09], abs=1e-6)
    assert [round(float(one[0]) * 10_000) for one in classifier.windows] == [400, 600]


def test_frame_scores_of_a_real_file_are_those_of_its_windows():
    spec = tiny_spec(activation="sigmoid", frames=FrameScores(125, 256))
    classifier = Classifier(pack_model(tiny_detector(), spec))
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 48_000).astype(np.float32)
    found = recording_scores(classifier, [samples], hop_seconds=62 * 256 / RATE).scores
    early, later = (classifier.frame_scores(samples[start : start + 32_000]) for start in (0, 62 * 256))
    assert found[:62] == pytest.approx(early[:62])
    assert found[62:125] == pytest.approx((early[62:] + later[:63]) / 2)
    assert found[125:187] == pytest.approx(later[63:])


def test_a_recording_without_samples_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        recording_scores(_Told(_spec()), [])
