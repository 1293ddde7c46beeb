"""The backbones on this machine: a folder with a copy of each file, and a JSON that says what it is.

The folder is `EARPROOF_BACKBONES`, else `earproof/backbones` where the system keeps data of programs.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from metadata.atomic_file import write_atomically
from metadata.nearest_name import did_you_mean
from metadata.safe_name import safe_part
from train.backbones.h5_weights import read_h5
from train.backbones.known import DEFAULT_LOG_OFFSET, KNOWN, known_by_digest, known_by_name
from train.backbones.tflite_weights import read_tflite
from train.backbones.yamnet import YamnetWeights, check_weights

FOLDER_VARIABLE = "EARPROOF_BACKBONES"
_READERS = {".h5": read_h5, ".hdf5": read_h5, ".tflite": read_tflite}


@dataclass(frozen=True)
class Backbone:
    """A backbone on this machine.

    Attributes
    ----------
    name : str
    file : str
        Its name in the folder.
    sha256 : str
        Of the file.
    licence, source : str
        Empty where nobody said.
    log_offset : float
        What is added to mel magnitudes before the logarithm.
    """

    name: str
    file: str
    sha256: str
    licence: str
    source: str
    log_offset: float

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return backbone_folder() / self.file

    def weights(self) -> YamnetWeights:
        """Read the weights.

        Raises
        ------
        FileNotFoundError, ValueError
            The file is gone, or is another than the one that was added.
        """
        if not self.path.is_file():
            raise FileNotFoundError(
                f"{self.path} is gone; add the file of {self.name} again: earproof backbone add FILE"
            )
        if _sha256(self.path.read_bytes()) != self.sha256:
            raise ValueError(f"{self.path} was changed since it was added; add the file of {self.name} again")
        return read_weights(self.path)


def backbone_folder() -> Path:
    """Return the folder of backbones, there or not."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "earproof" / "backbones"


def read_weights(path: str | Path) -> YamnetWeights:
    """Read the weights of a backbone file and check their shapes.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Another kind of file, a damaged one, or another network.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected a backbone, .h5 or .tflite")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'}; expected a YAMNet as .h5 or .tflite")
    weights = read(path)
    check_weights(weights, str(path))
    return weights


def add_backbone(
    path: str | Path,
    name: str | None = None,
    licence: str | None = None,
    source: str | None = None,
    log_offset: float | None = None,
    force: bool = False,
) -> Backbone:
    """Copy a backbone file into the folder, after reading it.

    Parameters
    ----------
    path : path
    name : str, optional
        What it is called from now on; a known file has a name of its own.
    licence, source, log_offset : optional
        What is known of the file; a known file says so itself.
    force : bool
        Replace another backbone of that name.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `read_weights`; an unknown file without a name, or a name that another backbone has.
    """
    path = Path(path)
    read_weights(path)
    content = path.read_bytes()
    digest = _sha256(content)
    known = known_by_digest(digest)
    name = name or (known.name if known else None)
    if name is None:
        raise ValueError(f"{path} is none of the known files, {_known_names()}; give it a name: --name NAME")
    _check_name(name, digest, force)
    backbone = Backbone(
        name=name,
        file=name + path.suffix.lower(),
        sha256=digest,
        licence=licence if licence is not None else known.licence if known else "",
        source=source if source is not None else known.source if known else "",
        log_offset=log_offset if log_offset is not None else known.log_offset if known else DEFAULT_LOG_OFFSET,
    )
    if not backbone.log_offset > 0:
        raise ValueError(f"the offset of the logarithm is {backbone.log_offset}; expected a value above 0")
    backbone.path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(backbone.path, content)
    write_atomically(_card(name), (json.dumps(asdict(backbone), indent=2) + "\n").encode())
    return backbone


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
    raise ValueError(f"there is no backbone {name!r}; on this machine: {here}; to download: {_known_names()}{hint}")


def _check_name(name: str, digest: str, force: bool) -> None:
    """Refuse names that are no file names, and those of another file."""
    if safe_part(name) != name or not name.strip():
        raise ValueError(
            f"{name!r} cannot be a backbone's name; expected letters, digits, - and _, such as {safe_part(name)}"
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


def _known_names() -> str:
    """The names of all known backbones."""
    return ", ".join(one.name for one in KNOWN)


def _card(name: str) -> Path:
    """Where it is said what a backbone is."""
    return backbone_folder() / f"{name}.json"


def _read_card(path: Path) -> Backbone:
    """What such a JSON says."""
    try:
        return Backbone(**json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}; remove it and add the backbone again") from error


def _sha256(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(content).hexdigest()
