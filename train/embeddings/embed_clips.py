"""Recordings through a network, one after the other: computed once, and kept beside decoded recordings."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.windows import stream_windows, window_starts
from metadata.joined_names import join_names
from metadata.plural import counted
from train.embeddings.embedded import Embeddings, unit_rows
from train.embeddings.embedder import Embedder
from train.progress import note, progress_bar
from train.recordings.clip import LABEL_SEPARATOR
from train.recordings.store.clip_store import LoadedClips, short_clips
from train.recordings.store.packed_waveform import Waveform, waveform_blocks_of
from train.transfer.features import kept_features

BATCH = 16  # windows
TAIL = "align"  # the last window ends with the recording
_FORM = 1  # of what is kept; another one where windows or values change


def embed_clips(
    embedder: Embedder, clips: LoadedClips, per_window: bool = False, cache: Path | None = None
) -> Embeddings:
    """Return the embeddings of recordings at the embedder's sample rate.

    Parameters
    ----------
    embedder : Embedder
    clips : LoadedClips
    per_window : bool
        A row a window; else one a recording.
    cache : Path, optional
        The folder of decoded recordings, the user's own if None. What was embedded before is taken from there.
    """
    if embedder.note:
        note(embedder.note)
    short = short_clips(clips.waveforms, embedder.window_length)
    if short:
        seconds = embedder.window_length / embedder.sample_rate
        note(f"{counted(short, 'recording is', 'recordings are')} shorter than a window of {seconds:g} s: zeros follow")
    starts = [_starts(embedder, waveform) for waveform in clips.waveforms]
    rows = []
    with progress_bar(sum(map(len, starts)), "embed", "window") as bar:
        for place, waveform in enumerate(clips.waveforms):
            before = bar.n
            compute = functools.partial(_windows, embedder, waveform, clips.index.clips[place].path, bar.update)
            of_windows = kept_features(cache, _made_of(embedder, clips.digests[place]), compute)
            bar.update(before + len(starts[place]) - bar.n)  # of those that were there already
            rows.append(of_windows if per_window else pooled(of_windows)[None])
    vectors, norms = unit_rows(np.concatenate(rows))
    counts = [len(row) for row in rows]
    found = clips.index.clips
    return Embeddings(
        embeddings=vectors,
        norms=norms,
        names=np.repeat([clip.path for clip in found], counts),
        starts=np.concatenate(starts) if per_window else np.zeros(len(rows)),
        labels=np.repeat([join_names(clip.labels, LABEL_SEPARATOR) for clip in found], counts),
        groups=np.repeat([clip.group for clip in found], counts),
        sample_sha256=np.repeat(clips.digests, counts),
        model=embedder.name,
        model_sha256=embedder.sha256,
        sample_rate=embedder.sample_rate,
        window_length=embedder.window_length,
        window_hop=embedder.window_hop,
        per_window=per_window,
    )


def pooled(of_windows: np.ndarray) -> np.ndarray:
    """Return mean and maximum over windows, side by side: a short sound among quiet windows moves the mean little."""
    return np.concatenate([of_windows.mean(axis=0), of_windows.max(axis=0)])


def _windows(embedder: Embedder, waveform: Waveform, path: str, tell: Callable[[int], Any]) -> np.ndarray:
    """The vectors of a recording's windows, batch by batch."""
    blocks = waveform_blocks_of(waveform)
    cut = stream_windows(blocks, len(waveform), embedder.window_length, embedder.window_hop, TAIL)
    rows = []
    while batch := [samples for _, samples in itertools.islice(cut, BATCH)]:
        rows.append(embedder.embed(np.stack(batch)))
        if not np.isfinite(rows[-1]).all():
            raise ValueError(f"{embedder.name} gives NaN or infinity for {path}; is the model broken?")
        tell(len(batch))
    return np.concatenate(rows)


def _starts(embedder: Embedder, waveform: Waveform) -> np.ndarray:
    """Where the windows of a recording begin, seconds."""
    return window_starts(waveform.size, embedder.window_length, embedder.window_hop, TAIL) / embedder.sample_rate


def _made_of(embedder: Embedder, digest: str) -> list[str | int]:
    """All that makes the vectors of a recording's windows."""
    return [_FORM, digest, embedder.sha256, embedder.sample_rate, embedder.window_length, embedder.window_hop, TAIL]
