"""Embeddings from Python: what `earproof embed` and `earproof search` do, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.nearest_name import did_you_mean

if TYPE_CHECKING:
    from train.embeddings.embedded import Embeddings
    from train.embeddings.embedder import Embedder
    from train.embeddings.nearest import Neighbour
    from train.recordings.clip_index import ClipIndex

PathLike = str | Path


def embed(
    model: PathLike,
    audio: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    windows: bool = False,
    cache: PathLike | None = None,
    strict: bool = False,
    force: bool = False,
) -> Embeddings:
    """Embed recordings, as `earproof embed` does.

    Parameters
    ----------
    model : str or path
        A training's folder, a `.tflite` file, or the name of a backbone.
    audio : path or sequence of paths
        Recordings, folders of them (labels are those of data for training), or a clips.csv.
    out : path, optional
        The `.npz` file to write.
    windows : bool
        A row a window; else one a recording.
    cache : path, optional
        Where decoded recordings and what was embedded are kept.
    strict : bool
        Refuse unreadable files instead of leaving them out.
    force : bool
        Overwrite `out`.

    Returns
    -------
    Embeddings

    Raises
    ------
    FileNotFoundError, FileExistsError, ValueError
        What is not there, is there already, or cannot be used; the message says what to do.
    """
    from edge_runtime.options import check_out_file
    from train.embeddings.embedded import SUFFIX, write_embeddings
    from train.embeddings.embedder import open_embedder

    if out is not None:
        if Path(out).suffix != SUFFIX:
            raise ValueError(f"{out} ends in {Path(out).suffix or 'nothing'}; expected a name that ends in {SUFFIX}")
        check_out_file(Path(out), force)
    index = find_recordings([audio] if isinstance(audio, (str, Path)) else audio)
    embedder = open_embedder(model)
    try:
        found = embed_index(embedder, index, windows, cache, strict)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("recordings that are done are kept; the same command goes on from there") from None
    if out is not None:
        write_embeddings(out, found)
    return found


def search(
    embeddings: PathLike | Embeddings,
    query: PathLike,
    *,
    top: int = 10,
    model: PathLike | None = None,
    cache: PathLike | None = None,
) -> list[Neighbour]:
    """Return the recordings nearest to one, as `earproof search` does.

    Parameters
    ----------
    embeddings : path or Embeddings
        What `embed` wrote or returned.
    query : path
        The name of a recording in it, which is left out of the result, or else a sound file.
    top : int
        How many at most.
    model : str or path, optional
        Where the model is now that the embeddings were made with; where it was then, if None.
    cache : path, optional
        As for `embed`.

    Returns
    -------
    list of Neighbour
        The nearest first.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file or name, or another model than the embeddings were made with; the message says what to do.
    """
    from train.embeddings.embedded import Embeddings, read_embeddings
    from train.embeddings.nearest import nearest

    if top < 1:
        raise ValueError(f"--top is {top}; expected at least 1")
    found = embeddings if isinstance(embeddings, Embeddings) else read_embeddings(embeddings)
    name, path = str(query), Path(query)
    places = found.places(name)
    if places.size:
        return nearest(found, found.embeddings[places].mean(axis=0), top, without=name)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is neither a sound file nor the name of a recording there"
        hint = did_you_mean(name, set(found.names.tolist()), cutoff=0.6)
        raise FileNotFoundError(f"{name} {what}; expected one recording{hint}")
    vectors = embed_index(_same_embedder(found, model), find_recordings([path]), found.per_window, cache, strict=True)
    return nearest(found, vectors.embeddings.mean(axis=0), top)


def embed_index(
    embedder: Embedder, index: ClipIndex, windows: bool, cache: PathLike | None, strict: bool | None
) -> Embeddings:
    """Decode and embed the clips of an index, with progress; what is odd about them is told."""
    from train.data.prepare import load_with_progress
    from train.embeddings.embed_clips import embed_clips

    clips = load_with_progress(index.without_split(), embedder.sample_rate, cache, strict)
    return embed_clips(embedder, clips, windows, None if cache is None else Path(cache))


def find_recordings(audio: Sequence[PathLike]) -> ClipIndex:
    """Return the recordings as clips, those of folders and tables with their labels, and tell what was assumed.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file, or as for `train.recordings.clip_index.find_clips`.
    """
    from train.data.prepare import tell_assumptions
    from train.recordings.clip_index import combine

    index = combine([_index_of(Path(one)) for one in audio])
    tell_assumptions(index)
    return index


def _index_of(path: Path) -> ClipIndex:
    """The clips of a recording, a folder or a table."""
    from train.recordings.clip import Clip
    from train.recordings.clip_index import INDEX_FILE_NAME, TABLE_FILE_NAME, ClipIndex, find_clips
    from train.recordings.decoding.audio_files import find_files
    from train.recordings.shared_groups import group_by_name

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; expected recordings, folders of them, or a CSV")
    if path.is_file() and path.suffix.lower() != ".csv":
        return ClipIndex(path.parent, (), (Clip(path.name, (), group_by_name(path.name)),), str(path))
    found = None if path.is_file() else find_files(path)
    has_table = any((path / name).is_file() for name in (INDEX_FILE_NAME, TABLE_FILE_NAME))
    if found is None or has_table or {*found.by_top_folder()} != {""}:
        return find_clips(path)
    clips = tuple(Clip(name, (), group_by_name(name)) for name in found.recordings)
    notes = (f"{path} has no folder a label: its recordings have none",)
    return ClipIndex(path, (), clips, str(path), found.left_out, notes)


def _same_embedder(found: Embeddings, model: PathLike | None) -> Embedder:
    """What embeddings were made with, opened again."""
    from train.embeddings.embedder import open_embedder

    what_to_do = "name the place of the right one with --model, or embed the recordings again"
    try:
        embedder = open_embedder(found.model if model is None else model)
    except (OSError, ValueError) as error:
        raise ValueError(f"the embeddings were made with {found.model}. {error}; {what_to_do}") from error
    if embedder.sha256 != found.model_sha256:
        raise ValueError(
            f"the embeddings were made with {found.model}, SHA-256 {found.model_sha256}, and {embedder.name} has "
            f"{embedder.sha256}: it is another; {what_to_do}"
        )
    return embedder
