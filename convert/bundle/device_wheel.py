"""A wheel of the part of earproof that runs on a device: `metadata`, `edge_runtime` and the command.

A wheel without compiled parts is a ZIP of the modules and four text files, so it is written here: a build back end
would stamp its own version into it, and a new environment of Python 3.12 or later has none. The same sources give the
same bytes.

Notes
-----
The format is PyPA's "Binary distribution format", version 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import zipfile
from email.message import Message
from pathlib import Path

import edge_runtime

DEVICE_PACKAGES = ("metadata", "edge_runtime")
DISTRIBUTION = "earproof"
_COMMAND_MODULE = "earproof.py"
_SOURCES = (".py", ".c", ".h")  # the front end for microcontrollers is in C
_KEPT_FIELDS = ("Metadata-Version", "Name", "Version", "Summary", "License-Expression", "License-File")
_KEPT_LISTS = ("Classifier", "Requires-Python", "Requires-Dist")
_WHEEL = "Wheel-Version: 1.0\nGenerator: earproof\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_ENTRY_POINTS = "[console_scripts]\nearproof = earproof:main\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP can hold
_FILE_MODE = 0o100644


def device_wheel() -> tuple[str, bytes]:
    """Return file name and content of the wheel, made of the modules that are running.

    Raises
    ------
    RuntimeError
        earproof is not installed, so that nothing says which version this is and what it needs.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise RuntimeError(
            "earproof is not installed; expected ./setup.sh to have run: a wheel needs its version"
        ) from error
    stem = f"{DISTRIBUTION}-{distribution.version}"
    files = _modules()
    info = f"{stem}.dist-info"
    files[f"{info}/METADATA"] = _describe(distribution.metadata).encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/entry_points.txt"] = _ENTRY_POINTS.encode()
    for name in distribution.metadata.get_all("License-File") or ():
        files[f"{info}/licenses/{name}"] = _licence(distribution, name)
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD").encode()
    return f"{stem}-py3-none-any.whl", _zip(files)


def _modules() -> dict[str, bytes]:
    """Return the source files of the device part by their place in the wheel."""
    root = _root()
    paths = [root / _COMMAND_MODULE]
    for package in DEVICE_PACKAGES:
        paths += sorted(path for path in (root / package).rglob("*") if path.suffix in _SOURCES)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _root() -> Path:
    """Return the folder in which the packages and the command lie."""
    return Path(str(edge_runtime.__file__)).resolve().parents[1]


def _describe(fields: importlib.metadata.PackageMetadata) -> str:
    """Return METADATA without extras: on a device there are none."""
    kept = Message()
    for name in (*_KEPT_FIELDS, *_KEPT_LISTS):
        for value in fields.get_all(name) or ():
            if "extra ==" not in value:
                kept[name] = value
    return kept.as_string()


def _licence(distribution: importlib.metadata.Distribution, name: str) -> bytes:
    """Return the text of a licence file: beside the modules in a clone, else where pip put it."""
    beside = _root() / name
    if beside.is_file():
        return beside.read_bytes()
    text = distribution.read_text(f"licenses/{name}")
    if text is None:
        raise RuntimeError(f"the installed earproof lacks its licence file {name}; install it anew")
    return text.encode()


def _record(files: dict[str, bytes], own_name: str) -> str:
    """Return RECORD: every file with its digest and size, and itself with neither."""
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    return "\n".join([*lines, f"{own_name},,", ""])


def _digest(content: bytes) -> str:
    """Return a SHA-256 as wheels write it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: dict[str, bytes]) -> bytes:
    """Return a ZIP in this order, without the times and owners of this machine."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr, entry.compress_type, entry.create_system = _FILE_MODE << 16, zipfile.ZIP_DEFLATED, 3
            wheel.writestr(entry, content)
    return archive.getvalue()
