"""The phone's path against the same windows cut offline, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge_runtime.phone.audio_record import PCM_ENCODINGS, as_blocks
from edge_runtime.phone.harness import TICK_SECONDS, PhoneHarness, offline_windows

if TYPE_CHECKING:
    from edge_runtime.model.classifier import Classifier

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class PhoneComparison:
    """The phone path against the same windows cut offline, over every path and timing that was run."""

    num_windows: int
    unequal_windows: int
    unequal_scores: int
    max_abs_error: float  # of the scores
    lost_samples: int


def compare_with_offline(
    classifier: Classifier,
    recording: npt.ArrayLike,
    sample_rate: int,
    tick_seconds: float = TICK_SECONDS,
    seed: int = 0,
) -> PhoneComparison:
    """Run the harness on both sample paths, on time and up to half a tick late, and compare with `offline_windows`."""
    blocks = as_blocks(recording, sample_rate).at_rate(classifier.spec.sample_rate)
    recording = blocks.take(blocks.size)
    found = [
        _compare_one(
            PhoneHarness(classifier=classifier, tick_seconds=tick_seconds, pcm=pcm, max_late_seconds=late),
            recording,
            seed,
        )
        for pcm in PCM_ENCODINGS
        for late in (0.0, tick_seconds / 2)
    ]
    return PhoneComparison(
        num_windows=sum(one.num_windows for one in found),
        unequal_windows=sum(one.unequal_windows for one in found),
        unequal_scores=sum(one.unequal_scores for one in found),
        max_abs_error=max(one.max_abs_error for one in found),
        lost_samples=sum(one.lost_samples for one in found),
    )


def _compare_one(harness: PhoneHarness, recording: npt.ArrayLike, seed: int) -> PhoneComparison:
    """Compare one replay with windows cut offline at the same times."""
    classifier, spec = harness.classifier, harness.classifier.spec
    run = harness.run(recording, spec.sample_rate, np.random.default_rng(seed), keep_windows=True)
    windows = offline_windows(recording, run.times_seconds, spec.sample_rate, spec.window_length, harness.pcm)
    scores = np.stack([classifier.scores(window) for window in windows])
    return PhoneComparison(
        num_windows=len(windows),
        unequal_windows=_unequal_rows(windows, np.asarray(run.windows)),
        unequal_scores=_unequal_rows(scores, run.scores),
        max_abs_error=float(np.abs(scores.astype(np.float64) - run.scores).max()),
        lost_samples=run.lost_samples,
    )


def _unequal_rows(reference: FloatArray, candidate: FloatArray) -> int:
    """Return how many rows differ in any bit."""
    same = reference.view(np.uint32) == candidate.view(np.uint32)
    return int((~same.all(axis=1)).sum())
