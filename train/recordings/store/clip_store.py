"""Decoded recordings: each file is decoded and resampled once, kept in a cache folder, and read from there.

A recording in memory is a `PackedWaveform`, which reads what is asked for; arrays serve as well.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_runtime.segments.segment import Segment
from edge_runtime.segments.write_segments import segments_text
from metadata.plural import counted
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.decoding.decode import AudioError
from train.recordings.decoding.waveform_blocks import waveform_blocks
from train.recordings.loudness import is_silent, peak
from train.recordings.source_notes import describe_sound_sources
from train.recordings.split import check_same_audio, check_split, describe_contradictions
from train.recordings.store.packed_store import PackedStore
from train.recordings.store.packed_waveform import PackedWaveform, Waveform
from train.recordings.store.sound_source import SoundSource, measure_source

if TYPE_CHECKING:
    from train.recordings.pair_index import MixtureIndex

CACHE_VARIABLE = "EARPROOF_CACHE"
_HASH_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class LoadedClips:
    """Clips with their waveforms.

    Attributes
    ----------
    index : ClipIndex
        The clips that could be read, and only these.
    waveforms : list of PackedWaveform or np.ndarray
        float32 (n_samples,), one a clip.
    digests : list of str
        SHA-256 of the samples, one a clip.
    skipped : list of str
        Why a file was left out, one line each.
    pairs : MixtureIndex, optional
        The mixtures of two that may be heard, where they were chosen (`train.tasks.chosen_mixtures`); else all are.
    near_copies : str
        What was found of one side of the split that another side has too (`train.checks.near_copies`); '' for nothing.
    """

    index: ClipIndex
    waveforms: list[Waveform]
    digests: list[str]
    skipped: list[str]
    pairs: MixtureIndex | None = None
    near_copies: str = ""

    @property
    def events(self) -> Mapping[str, tuple[Segment, ...]] | None:
        """By the clip's path which label sounds from when to when; None for recordings without annotations."""
        return self.index.events

    def events_at(self, places: Iterable[int]) -> list[tuple[Segment, ...]]:
        """Return the events of the clips at these positions.

        Raises
        ------
        ValueError
            The recordings have no annotations.
        """
        if self.events is None:
            raise ValueError("these recordings have no annotations; expected onset, offset and label of their events")
        return [self.events.get(self.index.clips[place].path, ()) for place in places]

    def places(self, split: str) -> list[int]:
        """Return the positions of the clips on one side."""
        return [place for place, clip in enumerate(self.index.clips) if clip.split == split]

    def chosen(self, places: Sequence[int]) -> LoadedClips:
        """Return the clips at these positions."""
        return replace(
            self,
            index=self.index.with_clips(self.index.clips[place] for place in places),
            waveforms=[self.waveforms[place] for place in places],
            digests=[self.digests[place] for place in places],
            pairs=None,  # they count by position; events stay, which go by path
        )

    def silent(self, num_samples: int | None = None) -> list[int]:
        """Return the positions of clips without sound, or without any among their first samples."""
        return [
            place
            for place, waveform in enumerate(self.waveforms)
            if is_silent(waveform if num_samples is None else waveform[:num_samples])
        ]

    def highest_peak(self) -> float:
        """Return the largest absolute sample of all clips."""
        return max(peak(waveform) for waveform in self.waveforms)

    def data_sha256(self) -> str:
        """Return one hash for labels, samples, events of all clips and chosen pairs, whatever paths and order."""
        lines = [f"{digest},{';'.join(clip.labels)}" for clip, digest in self._pairs()]
        if self.pairs is not None:
            parts = self.pairs.parts.tolist()
            lines += [" with ".join(sorted((self.digests[one], self.digests[other]))) for one, other in parts]
        if self.events is not None:
            heard = [(digest, self.events.get(clip.path, ())) for clip, digest in self._pairs()]
            lines += [segments_text({digest: events}, "csv") for digest, events in heard]
        return _text_sha256([";".join(self.index.labels), *sorted(lines)])

    def split_sha256(self) -> str:
        """Return one hash for the samples, group and side of all clips."""
        return _text_sha256(sorted(f"{digest},{clip.group},{clip.split}" for clip, digest in self._pairs()))

    def _pairs(self) -> Iterable[tuple[Clip, str]]:
        return zip(self.index.clips, self.digests, strict=True)


def cache_folder() -> Path:
    """Return where decoded recordings are kept: $EARPROOF_CACHE, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earproof"


def load_clips(
    index: ClipIndex,
    sample_rate: int,
    cache: str | Path | None = None,
    strict: bool = False,
    tell: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> LoadedClips:
    """Decode every clip of an index, or take it from the cache.

    Parameters
    ----------
    index : ClipIndex
    sample_rate : int
        Hz of the waveforms.
    cache : str or Path, optional
        Where decoded recordings are kept; `cache_folder()` by default.
    strict : bool
        Refuse the first unreadable file instead of leaving it out.
    tell : callable, optional
        Called with (clips done, clips in all).
    say : callable, optional
        Called with what a user should know about the cache and about what is heard of the recordings.

    Raises
    ------
    OSError
        The cache cannot be used (`train.recordings.store.packed_store`).
    AudioError
        A file cannot be read and `strict` is set, or no file can be read.
    LeakError, ValueError
        Without the unreadable files the split is no longer sound (`train.recordings.split`).
    """
    kept: list[Clip] = []
    waveforms: list[Waveform] = []
    digests: list[str] = []
    heard: list[tuple[Path, SoundSource]] = []
    skipped: list[str] = []
    with PackedStore(Path(cache) if cache else cache_folder(), say) as store:
        for done, clip in enumerate(index.clips, start=1):
            try:
                path = index.root / clip.path
                waveform, source = load_waveform(path, sample_rate, store)
                waveforms.append(waveform)
                digests.append(waveform.digest)
                heard.append((path, source))
                kept.append(clip)
            except AudioError as error:
                if strict:
                    raise
                skipped.append(str(error))
            if tell:
                tell(done, len(index.clips))
    if not kept:
        raise AudioError(f"none of the {counted(len(index.clips), 'recording')} can be read; the first: {skipped[0]}")
    loaded = LoadedClips(index.with_clips(kept), waveforms, digests, skipped)
    contradictions = describe_contradictions(kept, digests)
    for text in [contradictions, *describe_sound_sources(heard, sample_rate)]:
        if say and text:
            say(text)
    if all(clip.split for clip in kept):
        check_split(loaded.index)
        check_same_audio(kept, digests)
    return loaded


def load_waveform(path: Path, sample_rate: int, store: PackedStore) -> tuple[PackedWaveform, SoundSource]:
    """Return one recording and what its file is like, from the store; decoded where it is not there yet."""
    file_sha256 = _file_sha256(path)
    measured: list[SoundSource] = []
    waveform = store.get(file_sha256, sample_rate, lambda: _decoded(path, sample_rate, measured.append))
    return waveform, store.source(file_sha256, lambda: measured[0] if measured else measure_source(path))


def short_clips(waveforms: Sequence[Waveform], window_length: int) -> int:
    """Return how many clips are shorter than a window, which zeros will fill up."""
    return sum(waveform.size < window_length for waveform in waveforms)


def _decoded(path: Path, sample_rate: int, measured: Callable[[SoundSource], None]) -> Iterator[np.ndarray]:
    """Yield a recording in blocks; raises AudioError where there is none."""
    size = 0
    for block in waveform_blocks(path, sample_rate, measured):
        size += block.size
        yield block
    if not size:
        raise AudioError(f"nothing is left of {path} after resampling to {sample_rate} Hz")


def _text_sha256(lines: Sequence[str]) -> str:
    """SHA-256 of lines of text."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
