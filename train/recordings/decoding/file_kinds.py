"""What a file is by its name, and where that says nothing by its first bytes."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.audio.sound_kinds import SNIFFED_BYTES, recognise
from train.recordings import left_out
from train.recordings.left_out import Reason

# fmt: off
OTHER_SOUND = frozenset((  # endings of sound; those that a decoder reads are asked for before these
    ".3ga", ".3gp", ".8svx", ".aac", ".aax", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape",
    ".au", ".avi", ".awb", ".caf", ".dff", ".dsf", ".dts", ".eac3", ".flv", ".gsm", ".iff", ".m4a", ".m4b", ".m4r",
    ".mka", ".mkv", ".mov", ".mp2", ".mp4", ".mpc", ".mpeg", ".mpg", ".oga", ".ogv", ".opus", ".pcm", ".qcp", ".ra",
    ".raw", ".rf64", ".rm", ".snd", ".sph", ".spx", ".tta", ".voc", ".vox", ".w64", ".wave", ".webm", ".wma", ".wv",
))
ARCHIVES = frozenset((".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst"))
NO_SOUND = frozenset((  # not opened to see whether they are sound
    ".csv", ".doc", ".docx", ".gif", ".h5", ".htm", ".html", ".ini", ".ipynb", ".jpeg", ".jpg", ".json", ".jsonl",
    ".keras", ".lab", ".log", ".mat", ".md", ".md5", ".mid", ".midi", ".npy", ".npz", ".pdf", ".pkl", ".png", ".py",
    ".rst", ".sh", ".sha256", ".srt", ".svg", ".textgrid", ".tflite", ".toml", ".tsv", ".txt", ".vtt", ".xls",
    ".xlsx", ".xml", ".yaml", ".yml",
))
_SYSTEM = frozenset((
    "__macosx", "__pycache__", "@eadir", "@tmp", "@recycle", "#recycle", "#snapshot", "$recycle.bin",
    "lost+found", "desktop.ini", "thumbs.db", ".ds_store", ".localized", ".appledouble", ".ipynb_checkpoints",
    ".trash", ".trashes", ".fseventsd", ".spotlight-v100", ".temporaryitems", ".documentrevisions-v100",
    ".syncthing", ".stfolder", ".git", ".svn", ".hg", "system volume information", "icon\r",
))
# fmt: on
_SYSTEM_BEGINNINGS = ("._", ".trash-", ".nfs", ".fuse_hidden")


def reason_by_name(name: str) -> Reason | None:
    """Return why a file or folder is not even looked at, None where its name says nothing against it."""
    plain = name.casefold()
    if plain in _SYSTEM or plain.startswith(_SYSTEM_BEGINNINGS):
        return left_out.SYSTEM
    if name.startswith("."):
        return left_out.HIDDEN
    try:
        name.encode()
    except UnicodeEncodeError:
        return left_out.NOT_UTF_8
    return None


def reason_by_head(path: Path) -> Reason:
    """Return why a file whose name says nothing is not read, by what it begins with."""
    try:
        with path.open("rb") as file:
            kind = recognise(file.read(SNIFFED_BYTES))
    except OSError:  # a file of no known ending that is closed to us: no more is known of it
        return left_out.NO_SOUND
    if kind is None or kind.what not in ("wav", "decoded", "converted"):
        return left_out.NO_SOUND
    return left_out.OTHER_FORMAT if kind.what == "converted" else left_out.NO_ENDING
