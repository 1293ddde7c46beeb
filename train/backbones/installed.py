"""The backbones on this machine: a folder with a copy of each file, and a JSON that says what it is.

The folder is `EARPROOF_BACKBONES`, else `earproof/backbones` where the system keeps data of programs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metadata.atomic_file import write_atomically
from metadata.nearest_name import did_you_mean
from metadata.safe_name import safe_part
from train.backbones.backbone import FOLDER_VARIABLE, Backbone, backbone_folder, sha256_of
from train.backbones.keras_backbone import KerasBackbone
from train.backbones.known import KNOWN, known_by_digest, known_by_name, known_by_size
from train.backbones.named_embedding import Asked, Found
from train.backbones.tflite_backbone import TfliteBackbone
from train.backbones.yamnet_backbone import YamnetBackbone

__all__ = ["FOLDER_VARIABLE", "Backbone", "add_backbone", "backbone_folder", "find_backbone", "installed_backbones"]
KINDS: tuple[Any, ...] = (YamnetBackbone, KerasBackbone, TfliteBackbone)  # a file is of the first that can read it
_SUFFIXES = ".h5, .keras or .tflite"


def add_backbone(
    path: str | Path,
    name: str | None = None,
    licence: str | None = None,
    source: str | None = None,
    asked: Asked | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Backbone:
    """Copy a backbone file into the folder, after reading it.

    Parameters
    ----------
    path : path
        A file, or the folder of a finished training.
    name : str, optional
        What it is called from now on; a known file has a name of its own.
    licence, source : str, optional
        What is known of the file; a known file says so itself.
    asked : Asked, optional
        Which layer is the embedding, and what the file does not say.
    force : bool
        Replace another backbone of that name.
    tell : callable
        Called with what was found out about the file.

    Raises
    ------
    FileNotFoundError, ValueError
        A file that no kind of backbone can read; an unknown file without a name, or a name that another backbone has.
    """
    path, asked = Path(path), asked or Asked()
    kind, found = _read(path, asked)
    digest = sha256_of(found.content)
    known = known_by_digest(digest)
    name = name or (known.name if known else None)
    changed = _tell_changed(path, found.content, digest)
    if name is None:
        told = f"{changed} Fetch it again, or" if changed else f"{path} is none of the known files, {_known_names()};"
        raise ValueError(f"{told} give it a name: --name NAME")
    _check_name(name, digest, force)
    fields = found.fields
    if known and asked.log_offset is None and "log_offset" in fields:
        fields = {**fields, "log_offset": known.log_offset}
    backbone: Backbone = kind(
        name=name,
        file=name + found.suffix,
        sha256=digest,
        licence=licence if licence is not None else known.licence if known else found.licence,
        source=source if source is not None else known.source if known else found.source,
        **fields,
    )
    for note in (*found.notes, *([changed] if changed else [])):
        tell(note)
    backbone.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(backbone.path, found.content)
    write_atomically(_card(name), (json.dumps(backbone.as_dict(), indent=2) + "\n").encode())
    return backbone


def _read(path: Path, asked: Asked) -> tuple[Any, Found]:
    """What the first kind reads that can."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; expected a backbone, {_SUFFIXES}")
    refusals: list[ValueError] = []
    for kind in KINDS:
        if kind.may_read(path, asked):
            try:
                return kind, kind.read(path, asked)
            except ValueError as error:
                refusals.append(error)
    if not refusals:
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'}; expected a backbone as {_SUFFIXES}")
    if len(refusals) == 1:
        raise refusals[0]
    raise ValueError("; or ".join(dict.fromkeys(map(str, refusals)))) from refusals[-1]


def installed_backbones() -> tuple[Backbone, ...]:
    """Return the backbones on this machine, by name.

    Raises
    ------
    ValueError
        A JSON in the folder is damaged.
    """
    folder = backbone_folder()
    return tuple(_read_card(path) for path in sorted(folder.glob("*.json"))) if folder.is_dir() else ()


def find_backbone(name: str) -> Backbone:
    """Return the backbone of a name.

    Raises
    ------
    ValueError
        It is not on this machine; the message says how to get it.
    """
    found = installed_backbones()
    for one in found:
        if one.name == name:
            return one
    if known_by_name(name):
        raise ValueError(
            f"the backbone {name} is not on this machine; earproof backbone get {name} downloads it, and earproof "
            "backbone add FILE takes a file that you have"
        )
    names = [one.name for one in found] + [one.name for one in KNOWN]
    here, hint = ", ".join(one.name for one in found) or "none", did_you_mean(name, names)
    if Path(name).exists():
        hint = f"; expected a name, and {name} is a path: earproof backbone add {name} --name NAME gives it one"
    raise ValueError(f"there is no backbone {name!r}; on this machine: {here}; to download: {_known_names()}{hint}")


def _check_name(name: str, digest: str, force: bool) -> None:
    """Refuse names that are no file names, and those of another file."""
    if safe_part(name) != name or not name.strip():
        raise ValueError(
            f"{name!r} cannot be a backbone's name; expected what can be a file's name, such as {safe_part(name)!r}"
        )
    known = known_by_name(name)
    if known and known.sha256 != digest:
        raise ValueError(
            f"{name} is the name of another file, {known.file_name} with SHA-256 {known.sha256}; take another name"
        )
    if _card(name).is_file() and not force and _read_card(_card(name)).sha256 != digest:
        raise ValueError(
            f"there is another backbone {name} on this machine; take another name, or --force to replace it"
        )


def _tell_changed(path: Path, content: bytes, digest: str) -> str:
    """That a file has as many bytes as a known one and is not it; empty where it is, or has another size."""
    known = known_by_size(len(content))
    if known is None or known.sha256 == digest:
        return ""
    return (
        f"{path} has the size of {known.name} ({known.num_bytes:,} bytes), but another content: SHA-256 {digest}, "
        f"expected {known.sha256}; was it damaged on its way here?"
    )


def _known_names() -> str:
    """The names of all known backbones."""
    return ", ".join(one.name for one in KNOWN)


def _card(name: str) -> Path:
    """Where it is said what a backbone is."""
    return backbone_folder() / f"{name}.json"


def _read_card(path: Path) -> Backbone:
    """What such a JSON says."""
    try:
        values = json.loads(path.read_text())
        name = values.pop("kind", YamnetBackbone.kind)  # the first ones had none
        kind = {one.kind: one for one in KINDS}[name]
        backbone: Backbone = kind.from_dict(values)
        return backbone
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}; remove it and add the backbone again") from error
