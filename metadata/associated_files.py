"""The files that ride on a `.tflite`: a ZIP after the model, read from the end as every ZIP is.

Notes
-----
Offsets in the ZIP count from the beginning of the whole file, as the tool of tflite-support writes
them: the Task library on Android looks for its files there and nowhere else.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from metadata.errors import ModelContractError

_DATE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: equal files give equal bytes
_UNIX, _READABLE_FILE = 3, 0o100644 << 16  # else these depend on the machine that writes
_MAX_LENGTH = 64 * 1024 * 1024  # bytes of all files together; a label file has some kB
_DAMAGES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,  # a compression method that this Python lacks
    OSError,
    RuntimeError,  # an encrypted file
    ValueError,  # names that are no text, offsets before the beginning
)


def append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return the model followed by a ZIP of the files: stored, sorted by name, without a date."""
    stream = io.BytesIO()
    stream.write(model)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE_TIME)
            entry.create_system, entry.external_attr = _UNIX, _READABLE_FILE
            archive.writestr(entry, files[name])
    return stream.getvalue()


def read_files(model: bytes) -> dict[str, bytes]:
    """Return the files after the model by name; none where there is no ZIP.

    Raises
    ------
    ModelContractError
        A damaged ZIP, or one with more than 64 MB.
    """
    archive = _open(model)
    if archive is None:
        return {}
    try:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        total = sum(entry.file_size for entry in entries)
        if total > _MAX_LENGTH:
            raise ModelContractError(
                f"the files inside the model unpack to {total} bytes; expected at most {_MAX_LENGTH}"
            )
        return {entry.filename: archive.read(entry) for entry in entries}
    except ModelContractError:
        raise
    except _DAMAGES as error:
        raise _damage(error) from error


def find_archive(model: bytes) -> int:
    """Return the byte at which the ZIP after the model begins, the length of the file where there is none.

    Raises
    ------
    ModelContractError
        A damaged ZIP.
    """
    archive = _open(model)
    if archive is None:
        return len(model)
    return min([entry.header_offset for entry in archive.infolist()] + [archive.start_dir])


def _open(model: bytes) -> zipfile.ZipFile | None:
    """Open the ZIP at the end of a file."""
    stream = io.BytesIO(model)
    try:
        return zipfile.ZipFile(stream) if zipfile.is_zipfile(stream) else None
    except _DAMAGES as error:
        raise _damage(error) from error


def _damage(error: Exception) -> ModelContractError:
    """The error for a ZIP that cannot be read."""
    return ModelContractError(
        f"the files inside the model cannot be read: {error}; was the model changed or truncated on its way here?"
    )
