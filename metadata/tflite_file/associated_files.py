"""The files that ride on a `.tflite`: a ZIP after the model, read from the end as every ZIP is.

Notes
-----
Offsets in the ZIP count from the beginning of the whole file, as the tool of tflite-support writes
them: the Task library on Android looks for its files there and nowhere else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from metadata.tflite_file.zip_tail import find_zip, unpack_zip

_DATE_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: equal files give equal bytes
_UNIX, _READABLE_FILE = 3, 0o100644 << 16  # else these depend on the machine that writes


def append_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return the model followed by a ZIP of the files: stored, sorted by name, without a date."""
    import zipfile  # only writing needs it

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
        A damaged ZIP, or what `find_zip` refuses: names that lead elsewhere or come twice, more than 64 MB.
    """
    return unpack_zip(model)


def find_archive(model: bytes) -> int:
    """Return the byte at which the ZIP after the model begins, the length of the file where there is none.

    Raises
    ------
    ModelContractError
        As `read_files`, but nothing is unpacked.
    """
    tail = find_zip(model)
    return len(model) if tail is None else tail.start
