"""Golden vectors: real windows with the scores of the trained model, for a device that has no Keras.

The file is that of `edge_runtime.parity.golden_vectors`: `scores` are those of the Keras model, `mel` is librosa's. The
windows are those that `earproof convert` compares files on, so that `earproof parity` judges a file by the same windows
and comes to the same answer; of a long test side they are a share of it, evenly over the labels.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from convert.quantization.calibration import choose_calibration
from convert.report.proof import librosa_mels
from edge_runtime.audio.sample_format import to_floats, to_shorts
from edge_runtime.parity.golden_vectors import NUM_REPLAYED_WINDOWS, Golden, golden_content
from metadata.atomic_file import write_atomically
from train.evaluation.evaluate import TestWindows
from train.evaluation.predict import predict_outputs
from train.evaluation.rotated_windows import ENOUGH_WINDOWS, MOST_TIMES, draw_again
from train.fitting.finished_run import FinishedRun

NUM_GOLDEN_WINDOWS = 200
NUM_MEL_WINDOWS = 24  # with the spectrograms of the first windows; they would fill the file


def write_golden(run: FinishedRun, path: Path, seed: int = 0, num_windows: int | None = NUM_GOLDEN_WINDOWS) -> None:
    """Write golden vectors from test windows in one step: so many, evenly over the labels; all where it is None.

    Where the test side has fewer, it is the whole of it. The first windows are those that a bundle takes along.
    """
    cut = run.test_windows()
    chosen = _evenly(cut, num_windows or len(cut.windows), seed)
    again = draw_again(len(chosen), cut.windows.shape[1], ENOUGH_WINDOWS)
    order = _replayed_first(cut, chosen, seed)
    rank = np.argsort(order)
    golden = Golden(
        windows=cut.windows[chosen[order]],
        scores=np.empty((len(chosen) + len(again), len(run.spec.labels)), np.float32),
        truth=cut.truth[chosen[order]],
        groups=cut.groups[chosen[order]],
        again=np.stack([rank[again[:, 0]], again[:, 1]], axis=1).astype(np.int32),
    )
    write_atomically(path, golden_content(_with_scores(run, _with_more_replayed(golden))))


def _evenly(cut: TestWindows, num_windows: int, seed: int) -> np.ndarray:
    """Return the places of the windows to take: all, or so many evenly over the labels."""
    if num_windows >= len(cut.windows):
        return np.arange(len(cut.windows))
    return choose_calibration(cut.windows, cut.truth, num_windows, seed).indices


def _replayed_first(cut: TestWindows, chosen: np.ndarray, seed: int) -> np.ndarray:
    """Return the order in which those come first, evenly over the labels, that the phone path replays."""
    first = choose_calibration(cut.windows[chosen], cut.truth[chosen], NUM_REPLAYED_WINDOWS, seed).indices
    return np.concatenate([first, np.setdiff1d(np.arange(len(chosen)), first)])


def _with_more_replayed(golden: Golden) -> Golden:
    """Let the first windows be heard as often as may be: a bundle of long windows has no others, and 200 are enough."""
    count = min(NUM_REPLAYED_WINDOWS, len(golden.windows))
    drawn = draw_again(count, golden.windows.shape[1], MOST_TIMES * count)
    times = np.bincount(np.asarray(golden.again)[:, 0], minlength=count)
    turn = np.arange(len(drawn)) // count
    more = drawn[turn >= times[drawn[:, 0]]].astype(np.int32)
    again = np.concatenate([np.asarray(golden.again), more])
    return replace(
        golden, again=again, scores=np.empty((len(golden.windows) + len(again), golden.scores.shape[1]), np.float32)
    )


def _with_scores(run: FinishedRun, golden: Golden) -> Golden:
    """Run the trained model on the windows as the file will hold them, in 16 bits."""
    rounded = replace(golden, windows=to_floats(to_shorts(golden.windows)))
    heard = np.concatenate([rounded.windows, *[window[np.newaxis] for window in rounded.rotated_windows()]])
    mels = librosa_mels(run, rounded.windows[:NUM_MEL_WINDOWS])
    scores, *frames = predict_outputs(run.model, heard)
    return replace(rounded, scores=scores, mel=mels, frame_scores=frames[0] if frames else None)
