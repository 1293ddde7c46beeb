"""A bundle as a device unpacks it: model files, golden vectors, a wheel, and a manifest that vouches for each.

`manifest.json` holds

- `format`: 2. In format 1, which is read too, `golden` held the windows themselves, which `stream` holds as well.
- `earproof`: the version that made it
- `made_on`: the machine on which the expected scores were computed
- `models`: for each model file its `file`, `model` name, `recipe`, and where its golden vectors lie: `golden` (windows
  with the trained model's scores), `stream` (a 16-bit WAV file, what the microphone delivers), `expected` (an `.npz`
  with `times_seconds` and `scores` at each tick of the phone harness), and where the app computes its own spectrograms
  `spectrograms` (an `.npz` with `spectrograms` at the first ticks), else null
- `files`: `sha256` and `size_bytes` of every file but the manifest itself

Paths are relative to the bundle's folder, with forward slashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST_NAME = "manifest.json"
FORMAT = 2
_FORMATS_READ = (1, 2)  # the files of models differ by what is in `golden` alone, which says so itself
_HASH_BLOCK = 1 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class BundledModel:
    """One model file of a bundle and its golden vectors; paths as in the manifest."""

    file: str
    model: str
    recipe: str
    golden: str
    stream: str
    expected: str
    spectrograms: str | None = None


@dataclass(frozen=True, kw_only=True)
class BundledFile:
    """What a file must be."""

    sha256: str  # hexadecimal
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An unpacked bundle, as its manifest describes it.

    Attributes
    ----------
    folder : Path
    models : tuple of BundledModel
    files : dict of str to BundledFile
        Every file but the manifest.
    made_on : dict
        The machine on which the expected scores were computed.
    """

    folder: Path
    models: tuple[BundledModel, ...]
    files: dict[str, BundledFile]
    made_on: dict[str, str]


def is_bundle(folder: Path) -> bool:
    """Whether a folder is an unpacked bundle."""
    return (folder / MANIFEST_NAME).is_file()


def read_bundle(folder: Path) -> Bundle:
    """Read the manifest of an unpacked bundle; whether the files are what it says, `find_tampering` tells.

    Raises
    ------
    FileNotFoundError
        No manifest there.
    ValueError
        A manifest that is damaged, of another format, or names a path outside the bundle.
    """
    path = folder / MANIFEST_NAME
    try:
        return parse_manifest(path.read_bytes(), folder)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # the last three: JSON of another shape
        raise ValueError(
            f"{path} is no manifest that earproof bundle wrote: {error}; unpack the bundle anew"
        ) from error


def parse_manifest(content: bytes, folder: Path) -> Bundle:
    """Return the bundle in this folder that a manifest describes; errors as in `read_bundle`, less polite."""
    values: Mapping[str, Any] = json.loads(content)
    if values["format"] not in _FORMATS_READ:
        raise ValueError(
            f"its format is {values['format']!r}; this earproof reads {' and '.join(map(str, _FORMATS_READ))}"
        )
    models = tuple(BundledModel(**model) for model in values["models"])
    files = {_inside(name): BundledFile(**record) for name, record in values["files"].items()}
    for model in models:
        for field in ("file", "golden", "stream", "expected", "spectrograms"):
            name = getattr(model, field)
            if name not in files and not (name is None and field == "spectrograms"):
                raise ValueError(f"it lists no file {name!r}, the {field} of {model.file}")
    if not models:
        raise ValueError("it lists no models")
    return Bundle(folder=folder, models=models, files=files, made_on=dict(values["made_on"]))


def format_manifest(bundle: Bundle, version: str) -> bytes:
    """Return the manifest of a bundle that `version` of earproof made."""
    values = {
        "format": FORMAT,
        "earproof": version,
        "made_on": bundle.made_on,
        "models": [_as_dict(model) for model in bundle.models],
        "files": {name: _as_dict(record) for name, record in sorted(bundle.files.items())},
    }
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def describe_content(content: bytes) -> BundledFile:
    """Return what the manifest says about a file with this content."""
    return BundledFile(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


def find_tampering(bundle: Bundle) -> list[str]:
    """Compare every file with the manifest; return a sentence for each that is missing, changed or foreign."""
    faults = [fault for name, record in bundle.files.items() if (fault := _fault(bundle.folder, name, record))]
    foreign = sorted(path.name for path in bundle.folder.glob("*.tflite") if path.name not in bundle.files)
    return faults + [f"{name} is not in the manifest: it did not come with this bundle" for name in foreign]


def _fault(folder: Path, name: str, record: BundledFile) -> str:
    """Say what is wrong with a file; empty where nothing is."""
    path = folder / name
    if not path.is_file():
        return f"{name} is missing"
    size = path.stat().st_size
    if size != record.size_bytes:
        return f"{name} has {size} bytes; the manifest says {record.size_bytes}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    if digest.hexdigest() != record.sha256:
        return f"{name} was changed: its SHA-256 is {digest.hexdigest()}; the manifest says {record.sha256}"
    return ""


def _inside(name: str) -> str:
    """Return a path after checking that it stays in the bundle."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or path.as_posix() != name:
        raise ValueError(f"it names the path {name!r}; expected one inside the bundle")
    return name


def _as_dict(values: BundledModel | BundledFile) -> dict[str, Any]:
    """Return the fields in their order."""
    return {field.name: getattr(values, field.name) for field in fields(values)}
