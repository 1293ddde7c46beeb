"""Recordings that are to be trained on: whether one side of their split holds slightly changed copies of another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from metadata.plural import counted
from train.checks.duplicates import find_duplicates
from train.checks.fingerprint import SAMPLE_RATE as FINGERPRINT_SAMPLE_RATE
from train.checks.fingerprint import Fingerprint, FingerprintMeter
from train.checks.shared_backgrounds import describe_shared_backgrounds, divide_pairs
from train.checks.split_findings import describe_pair
from train.recordings.decoding.stream_resampler import StreamResampler
from train.recordings.decoding.waveform_blocks import excerpt_of
from train.recordings.store.clip_store import LoadedClips
from train.recordings.store.packed_waveform import waveform_blocks_of


def describe_near_copies(clips: LoadedClips, sample_rate: int, tell: Callable[[int], None] | None = None) -> str:
    """Return how many pairs of clips on different sides hold nearly the same audio, and one of them; '' for none.

    Exact copies are refused before (`train.recordings.split.check_same_audio`). Of annotated recordings that share a
    background and no event, that is told where there is nothing worse.

    Parameters
    ----------
    clips : LoadedClips
        Each clip on a side.
    sample_rate : int
        Hz of the waveforms.
    tell : callable, optional
        Called with the number of clips heard.
    """

    def load(place: int, first: int, last: int) -> np.ndarray:
        return excerpt_of(_resampled(clips.waveforms[place], sample_rate), first, last)

    fingerprints = []
    for done, waveform in enumerate(clips.waveforms, start=1):
        fingerprints.append(_fingerprint(waveform, sample_rate))
        if tell:
            tell(done)
    sides = [clip.split for clip in clips.index.clips]

    def is_divided(first: int, second: int) -> bool:
        return sides[first] != sides[second]

    found = find_duplicates(clips.digests, fingerprints, load, is_divided)
    pairs = [pair for pair in found if is_divided(pair.first, pair.second)]
    copies, shared = (pairs, []) if clips.events is None else divide_pairs(clips.index, clips.events, pairs)
    if not copies:
        return describe_shared_backgrounds(clips.index, shared, "split")
    count = counted(len(copies), "pair of clips", "pairs of clips")
    first = describe_pair(clips.index, copies[0], lambda clip: clip.split)
    return (
        f"{count} on different sides of the split hold nearly the same audio, so that the scores promise too much, "
        f"such as {first}; `earproof data check DATA` names all, `data duplicates --out` gives each pair one group"
    )


def _fingerprint(waveform: Any, sample_rate: int) -> Fingerprint:
    """The fingerprint of a recording in memory or in a pack."""
    meter = FingerprintMeter()
    for block in _resampled(waveform, sample_rate):
        meter.add(block)
    return meter.result()


def _resampled(waveform: Any, sample_rate: int) -> Iterator[np.ndarray]:
    """A recording at the rate of fingerprints, block by block."""
    resampler = StreamResampler(sample_rate, FINGERPRINT_SAMPLE_RATE)
    for block in waveform_blocks_of(waveform):
        yield resampler.push(block)
    yield resampler.finish()
