"""Decoded recordings: each file is decoded and resampled once, kept in a cache folder, and read from there."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metadata.atomic_file import write_atomically
from train.mixtures.mixing import is_silent
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.decode import AudioError, read_file, to_waveform
from train.recordings.split import check_same_audio, check_split

if TYPE_CHECKING:
    from train.mixtures.mixture_index import MixtureIndex

CACHE_VARIABLE = "EARSHOT_CACHE"
_HASH_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class LoadedClips:
    """Clips with their waveforms.

    Attributes
    ----------
    index : ClipIndex
        The clips that could be read, and only these.
    waveforms : list of np.ndarray
        float32 (n_samples,), memory-mapped, one a clip.
    digests : list of str
        SHA-256 of the samples, one a clip.
    skipped : list of str
        Why a file was left out, one line each.
    pairs : MixtureIndex, optional
        The mixtures of two that may be heard, where they were chosen (`train.chosen_mixtures`); else all are.
    """

    index: ClipIndex
    waveforms: list[np.ndarray]
    digests: list[str]
    skipped: list[str]
    pairs: MixtureIndex | None = None

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
            pairs=None,  # they count by position
        )

    def silent(self, num_samples: int | None = None) -> list[int]:
        """Return the positions of clips without sound, or without any among their first samples."""
        return [place for place, waveform in enumerate(self.waveforms) if is_silent(waveform[:num_samples])]

    def data_sha256(self) -> str:
        """Return one hash for labels and samples of all clips and for chosen pairs, whatever their paths and order."""
        lines = [f"{digest},{';'.join(clip.labels)}" for clip, digest in self._pairs()]
        if self.pairs is not None:
            parts = self.pairs.parts.tolist()
            lines += [" with ".join(sorted((self.digests[one], self.digests[other]))) for one, other in parts]
        return _text_sha256([";".join(self.index.labels), *sorted(lines)])

    def split_sha256(self) -> str:
        """Return one hash for the samples, group and side of all clips."""
        return _text_sha256(sorted(f"{digest},{clip.group},{clip.split}" for clip, digest in self._pairs()))

    def _pairs(self) -> Iterable[tuple[Clip, str]]:
        return zip(self.index.clips, self.digests, strict=True)


def cache_folder() -> Path:
    """Return where decoded recordings are kept: $EARSHOT_CACHE, else the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earshot"


def load_clips(
    index: ClipIndex,
    sample_rate: int,
    cache: str | Path | None = None,
    strict: bool = False,
    tell: Callable[[int, int], None] | None = None,
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

    Raises
    ------
    AudioError
        A file cannot be read and `strict` is set, or no file can be read.
    LeakError, ValueError
        Without the unreadable files the split is no longer sound (`train.recordings.split`).
    """
    cache = Path(cache) if cache else cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    kept: list[Clip] = []
    waveforms: list[np.ndarray] = []
    digests: list[str] = []
    skipped: list[str] = []
    for done, clip in enumerate(index.clips, start=1):
        try:
            waveform, digest = load_waveform(index.root / clip.path, sample_rate, cache)
        except AudioError as error:
            if strict:
                raise
            skipped.append(str(error))
        else:
            kept.append(clip)
            waveforms.append(waveform)
            digests.append(digest)
        if tell:
            tell(done, len(index.clips))
    if not kept:
        raise AudioError(f"none of the {len(index.clips)} recordings can be read; the first: {skipped[0]}")
    loaded = LoadedClips(index.with_clips(kept), waveforms, digests, skipped)
    if all(clip.split for clip in kept):
        check_split(loaded.index)
        check_same_audio(kept, digests)
    return loaded


def load_waveform(path: Path, sample_rate: int, cache: Path) -> tuple[np.ndarray, str]:
    """Return one waveform, memory-mapped from the cache, and the SHA-256 of its samples."""
    kept = cache / f"{_file_sha256(path)}-{sample_rate}.npy"
    if not kept.is_file():
        samples, file_rate = read_file(path)
        content = io.BytesIO()
        np.save(content, to_waveform(samples, file_rate, sample_rate))
        write_atomically(kept, content.getbuffer())
    waveform = np.load(kept, mmap_mode="r")
    return waveform, hashlib.sha256(waveform.tobytes()).hexdigest()


def short_clips(waveforms: Sequence[np.ndarray], window_length: int) -> int:
    """Return how many clips are shorter than a window, which zeros will fill up."""
    return sum(waveform.size < window_length for waveform in waveforms)


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
