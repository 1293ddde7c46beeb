"""A bundle as one file: a gzipped tar with one folder in it, the same bytes for the same content.

A gzipped tar, because every device has tar, while a small system often has no unzip, and because it can be unpacked
from a pipe. No times and no owners are in it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from edge_runtime.bundle.manifest import MANIFEST_NAME, Bundle, find_tampering, parse_manifest, read_bundle

ARCHIVE_SUFFIX = ".tar.gz"
_FILE_MODE = 0o644
_COMPRESSION = 6


def pack_archive(folder_name: str, contents: Mapping[str, bytes]) -> bytes:
    """Return an archive of these files, by their names, in one folder."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=_COMPRESSION, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in sorted(contents.items()):
            entry = tarfile.TarInfo(f"{folder_name}/{name}")
            entry.size, entry.mode = len(content), _FILE_MODE
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def read_archive(path: Path) -> tuple[Bundle, bytes]:
    """Return what an archive holds, by its manifest, and its bytes; the bundle's folder is the one it unpacks to.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not an archive of `earproof bundle`.
    """
    content = path.read_bytes()
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            name = next(
                name for name in archive.getnames() if name.count("/") == 1 and name.endswith(f"/{MANIFEST_NAME}")
            )
            manifest = archive.extractfile(name)
            assert manifest is not None
            if name.startswith((".", "-")):
                raise ValueError(f"it unpacks to {Path(name).parent}")
            return parse_manifest(manifest.read(), Path(name).parent), content
    except (
        tarfile.TarError,
        StopIteration,
        EOFError,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ) as error:
        raise ValueError(f"{path} is no archive that earproof bundle wrote: {error!r}") from error


def pack_folder(folder: Path) -> tuple[Bundle, bytes]:
    """Return an unpacked bundle and an archive of it, after comparing every file with its manifest.

    Raises
    ------
    ValueError
        A file is not what the manifest says.
    """
    bundle = read_bundle(folder)
    faults = find_tampering(bundle)
    if faults:
        raise ValueError(f"{folder} is not what its manifest says; unpack the bundle anew: {'; '.join(faults)}")
    contents = {name: (folder / name).read_bytes() for name in (*bundle.files, MANIFEST_NAME)}
    return bundle, pack_archive(folder.resolve().name, contents)
