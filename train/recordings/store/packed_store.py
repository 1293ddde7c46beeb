"""The cache of decoded recordings: raw samples in few large files, and an index that says what lies where.

waveforms-0001.f32, ...   packs: float32 samples, one recording behind the other, 2 GiB and then the next pack
waveforms.sqlite          for each recording its place, its length, the SHA-256 of its samples and its peak; for each
                          file its rate, channels and peak, and how far its channels cancel

The index is SQLite's and not HDF5's: a process that is killed leaves it whole, several processes may fill it, and it
comes with Python. Recordings are registered after their samples are on the disk, about once a second. Whoever fills
the cache holds the index' write lock meanwhile, so that two processes share the work: each takes its turn and finds
what the other has decoded. What an interrupted process wrote behind the last registered recording is written over.

A pack whose time or size is not as it was left has been touched by something else, cut off or copied: its recordings
count again when their samples have the hash that the index holds, and are decoded anew otherwise.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edge_runtime.audio.downmix import Cancellation
from metadata.plural import counted
from train.recordings.store.packed_waveform import SAMPLE_TYPE, PackedWaveform, waveform_blocks_of
from train.recordings.store.sound_source import SoundSource

INDEX_NAME = "waveforms.sqlite"
PACK_BYTES = 2 << 30  # a pack that has reached this is full
COMMIT_SECONDS = 1.0  # between two rounds of registering
DECODING = 1  # to be raised when the same file gives other samples than before
_LOCK_SECONDS = 0.2  # between two tries; SQLite itself would wait without hearing Ctrl-C
_SAY_SECONDS = 3.0  # of waiting for another process before the user is told
_SCHEMA = """
CREATE TABLE IF NOT EXISTS waveforms (
    file_sha256 TEXT, sample_rate INTEGER, decoding INTEGER,
    pack INTEGER, first INTEGER, size INTEGER, peak REAL, digest TEXT,
    PRIMARY KEY (file_sha256, sample_rate, decoding)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS packs (number INTEGER PRIMARY KEY, bytes INTEGER, mtime_ns INTEGER);
CREATE TABLE IF NOT EXISTS sources (
    file_sha256 TEXT, decoding INTEGER, sample_rate INTEGER, num_channels INTEGER, peak REAL,
    pieces INTEGER, cancelled INTEGER, lost_db REAL, loudest INTEGER, PRIMARY KEY (file_sha256, decoding)
) WITHOUT ROWID;
"""

Say = Callable[[str], None]


class PackedStore:
    """Decoded recordings of one cache folder; a context manager that registers at its end what was added.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    say : callable, optional
        Called with what a user should know.

    Raises
    ------
    OSError
        The folder cannot be written and does not hold what is needed, the disk is full, or the index is damaged.
    """

    def __init__(self, folder: Path, say: Say | None = None):
        self.folder, self._say = folder, say or (lambda text: None)
        self._pack: BinaryIO | None = None  # open while this process has the write lock
        self._number = self._end = 0  # of the pack that is filled, and where its registered part ends, samples
        self._begun = 0.0
        is_new = not (folder / INDEX_NAME).exists()
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
            self._index = sqlite3.connect(folder / INDEX_NAME, timeout=_LOCK_SECONDS, isolation_level=None)
            self._make_tables()
            self._touched = self._touched_packs()
        if is_new:
            self._tell_old_files()

    def __enter__(self) -> PackedStore:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._register()
        finally:
            self._index.close()

    def get(self, file_sha256: str, sample_rate: int, blocks: Callable[[], Iterable[np.ndarray]]) -> PackedWaveform:
        """Return a recording, decoded now where it is not there.

        Parameters
        ----------
        file_sha256 : str
            Of the recording's file.
        sample_rate : int
            Hz.
        blocks : callable
            Returns the decoded recording in blocks, float32 (n,); what it raises comes through, and nothing is kept.
        """
        key = (file_sha256, sample_rate, DECODING)
        if self._pack is not None and time.monotonic() - self._begun > COMMIT_SECONDS:
            self._register()
        found = self._find(key)
        if found is None:
            self._begin()
            found = self._find(key) or self._add(key, blocks())  # another process may have been faster
        return found

    def source(self, file_sha256: str, measure: Callable[[], SoundSource]) -> SoundSource:
        """Return what a recording's file is like, measured now where it is not known; caches of old did not keep it."""
        query = "SELECT * FROM sources WHERE (file_sha256, decoding) = (?, ?)"
        with self._explained():
            row = self._execute(query, (file_sha256, DECODING)).fetchone()
        if row is not None:
            rate, channels, peak, *cancelled = row[2:]
            return SoundSource(rate, channels, peak, Cancellation(*cancelled))
        source = measure()
        self._begin()
        lost = source.cancellation
        values = (
            *(source.sample_rate, source.num_channels, source.peak),
            *(lost.pieces, lost.cancelled, lost.lost_db, lost.loudest),
        )
        with self._explained():
            self._execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (file_sha256, DECODING, *values)
            )
        return source

    def _find(self, key: tuple[str, int, int]) -> PackedWaveform | None:
        """Return a recording that is registered and whole."""
        query = "SELECT pack, first, size, peak, digest FROM waveforms WHERE (file_sha256, sample_rate, decoding) = "
        with self._explained():
            row = self._execute(query + "(?, ?, ?)", key).fetchone()
        if row is None:
            return None
        number, *rest = row
        found = PackedWaveform(self._path(number), *rest)
        return found if number not in self._touched or _is_whole(found) else None

    def _add(self, key: tuple[str, int, int], blocks: Iterable[np.ndarray]) -> PackedWaveform:
        """Write a recording behind the others of the pack and register it."""
        assert self._pack is not None  # `_begin` opened it
        digest, size, peak = hashlib.sha256(), 0, 0.0
        self._pack.seek(self._end * SAMPLE_TYPE.itemsize)
        for block in blocks:
            samples = np.ascontiguousarray(block, SAMPLE_TYPE)
            with self._explained():
                _write_all(self._pack, samples)
            digest.update(samples.data)
            size, peak = size + samples.size, max(peak, float(np.abs(samples).max(initial=0.0)))
        place = (self._number, self._end, size, peak, digest.hexdigest())
        with self._explained():
            self._execute("INSERT OR REPLACE INTO waveforms VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*key, *place))
        self._end += size
        if self._end * SAMPLE_TYPE.itemsize >= PACK_BYTES:
            self._register()
        return PackedWaveform(self._path(place[0]), *place[1:])

    def _begin(self) -> None:
        """Take the write lock, mend the packs that were touched, and open the one to be filled; nothing if held."""
        if self._pack is not None:
            return
        with self._explained():
            self._lock()
            try:
                self._touched = self._touched_packs()
                for number in sorted(self._touched):
                    self._say(f"checking {self._path(number)}: an interrupted run or something else changed it")
                    self._mend(number)
                self._number, self._end = self._last_pack()
                path = self._path(self._number)
                self._pack = path.open("r+b" if path.exists() else "w+b", buffering=0)
            except BaseException:
                self._index.rollback()
                raise
        self._begun = time.monotonic()

    def _lock(self) -> None:
        """Wait for the write lock."""
        asked, is_told = time.monotonic(), False
        while True:
            try:
                self._index.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise
            if not is_told and time.monotonic() - asked > _SAY_SECONDS:
                self._say(f"another process fills {self.folder}; waiting for its turn to end")
                is_told = True

    def _register(self) -> None:
        """Bring what was added to the disk, samples first, and let others have the lock; nothing if it is not held."""
        if self._pack is None:
            return
        pack, self._pack = self._pack, None
        with self._explained(), pack:
            try:
                pack.truncate(self._end * SAMPLE_TYPE.itemsize)
                os.fsync(pack.fileno())
                self._stamp(self._number)
                self._commit()
            except BaseException:
                self._index.rollback()
                raise

    def _commit(self) -> None:
        """End the transaction; readers of another process may hold it up for moments."""
        while True:
            try:
                self._index.execute("COMMIT")
                return
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise

    def _mend(self, number: int) -> None:
        """Forget the recordings of a pack that are no longer whole, and take the pack for as it is now."""
        rows = self._index.execute(
            "SELECT file_sha256, sample_rate, decoding, first, size, peak, digest FROM waveforms WHERE pack = ?",
            (number,),
        ).fetchall()
        lost = [row[:3] for row in rows if not _is_whole(PackedWaveform(self._path(number), *row[3:]))]
        delete = "DELETE FROM waveforms WHERE (file_sha256, sample_rate, decoding) = (?, ?, ?)"
        self._index.executemany(delete, lost)
        if lost:
            self._say(
                f"{len(lost)} of {counted(len(rows), 'recording')} in it are cut off or changed, and decoded anew"
            )
        self._stamp(number)
        self._touched.discard(number)

    def _last_pack(self) -> tuple[int, int]:
        """Return the pack that is filled next, and where its last recording ends, samples."""
        number, end = self._index.execute(
            "SELECT pack, max(first + size) FROM waveforms WHERE pack = (SELECT max(pack) FROM waveforms)"
        ).fetchone()
        if number is None:
            return 1, 0
        return (number, end) if end * SAMPLE_TYPE.itemsize < PACK_BYTES else (number + 1, 0)

    def _touched_packs(self) -> set[int]:
        """Return the packs whose time or size is not as it was left."""
        rows = self._execute("SELECT number, bytes, mtime_ns FROM packs").fetchall()
        return {number for number, *left in rows if left != self._state(number)}

    def _stamp(self, number: int) -> None:
        """Note how a pack was left."""
        self._index.execute("INSERT OR REPLACE INTO packs VALUES (?, ?, ?)", (number, *self._state(number)))

    def _state(self, number: int) -> list[int]:
        """Return bytes and time of a pack, nothing of one that is gone."""
        try:
            state = self._path(number).stat()
        except FileNotFoundError:
            return [0, 0]
        return [state.st_size, state.st_mtime_ns]

    def _path(self, number: int) -> Path:
        return self.folder / f"waveforms-{number:04d}.f32"

    def _make_tables(self) -> None:
        """Make the tables that an index lacks, all of a new one."""
        if self._execute("SELECT count(*) FROM sqlite_master WHERE name = 'sources'").fetchone()[0]:
            return
        self._lock()
        for statement in _SCHEMA.split(";"):
            self._index.execute(statement)
        self._commit()

    def _execute(self, query: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Ask the index, again while another process writes its changes."""
        while True:
            try:
                return self._index.execute(query, values)
            except sqlite3.OperationalError as error:
                if not _is_locked(error):
                    raise

    def _tell_old_files(self) -> None:
        """Say that what an earlier version decoded is not used."""
        old = [path.stat().st_size for path in self.folder.glob("*-*.npy")]
        if old:
            self._say(
                f"{self.folder} holds {len(old)} .npy files of an earlier version ({sum(old) / 1e6:.0f} MB), which are "
                "no longer read; delete them"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what to do where the cache cannot be used."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            what = f"the cache of decoded recordings {self.folder} cannot be used: {error}"
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                hint = f"delete {INDEX_NAME} and the packs beside it, which are made anew"
            else:
                hint = "what was decoded before is kept; make room, or name another folder with --cache"
            raise OSError(f"{what}; {hint}") from error


def _is_whole(found: PackedWaveform) -> bool:
    """Whether the samples of a recording are those that were decoded."""
    digest = hashlib.sha256()
    try:
        for block in waveform_blocks_of(found):
            digest.update(block.astype(SAMPLE_TYPE, copy=False).data)
    except OSError:
        return False
    return digest.hexdigest() == found.digest


def _is_locked(error: sqlite3.OperationalError) -> bool:
    """Whether another process has the index just now."""
    return "locked" in str(error)


def _write_all(file: BinaryIO, samples: np.ndarray) -> None:
    """Write samples to an unbuffered file, which may take them in several parts."""
    rest = samples.data.cast("B")
    while rest:
        rest = rest[file.write(rest) :]
