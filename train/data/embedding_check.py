"""What embeddings add to a data check: made on the way, or taken from a file of `earproof embed`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from metadata.plural import counted
from train.checks.data_check import DataCheck
from train.checks.embedding_findings import find_by_embeddings
from train.checks.findings import worst_first
from train.data.prepare import load_with_progress
from train.embeddings.embed_clips import embed_clips
from train.embeddings.embedded import SUFFIX, read_embeddings
from train.embeddings.embedder import open_embedder
from train.progress import note, progress_bar
from train.recordings.store.clip_store import LoadedClips


def check_embeddings(check: DataCheck, source: str | Path) -> DataCheck:
    """Return a data check with what embeddings find too.

    Parameters
    ----------
    check : DataCheck
    source : str or Path
        A file of `earproof embed`, whose recordings are known by their samples; or what `open_embedder` takes.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file or model, or a file that has none of the recordings, or windows in place of them.
    """
    if Path(source).suffix == SUFFIX:
        clips, vectors = _taken(check, source)
    else:
        embedder = open_embedder(source)
        clips = load_with_progress(check.index.without_split(), embedder.sample_rate, None, None)
        vectors = embed_clips(embedder, clips).embeddings
    places = {clip.path: place for place, clip in enumerate(clips.index.clips)}
    old = [clip.path for clip in check.index.clips]
    pairs = [(places.get(old[pair.first]), places.get(old[pair.second]), pair) for pair in check.duplicates]
    known = [replace(pair, first=one, second=two) for one, two, pair in pairs if one is not None and two is not None]
    with progress_bar(len(vectors), "neighbours", "clip") as bar:
        more = find_by_embeddings(clips.index, vectors, known, bar.update)
    return replace(check, findings=worst_first([*check.findings, *more]))


def _taken(check: DataCheck, source: str | Path) -> tuple[LoadedClips, np.ndarray]:
    """The clips of which a file has embeddings, and these."""
    found = read_embeddings(source)
    if found.per_window:
        raise ValueError(f"{source} has a row a window; expected one a recording: earproof embed without --windows")
    clips = load_with_progress(check.index.without_split(), found.sample_rate, None, None)
    rows = {digest: row for row, digest in enumerate(found.sample_sha256.tolist())}
    there = [place for place, digest in enumerate(clips.digests) if digest in rows]
    missing = len(clips.digests) - len(there)
    if not there:
        raise ValueError(f"{source} has embeddings of none of the recordings; earproof embed MODEL DATA makes them")
    if missing:
        note(f"{source} has no embedding of {counted(missing, 'recording')}: they are not compared by them")
    return clips.chosen(there), found.embeddings[[rows[clips.digests[place]] for place in there]]
