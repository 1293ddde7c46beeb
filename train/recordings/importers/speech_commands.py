"""Speech Commands: one word a second, `<word>/<speaker>_nohash_<take>.wav`, and two lists that name the official split.

A speaker's takes form a group over all words; files in `validation_list.txt` are the validation side, those in
`testing_list.txt` the test side, all others are to train on. Without the lists, as in the small edition, the split is
drawn. `_silence_` and `_unknown_` are labels as the words are; their files that no list names are put on sides by the
rule that made the lists. `_background_noise_` holds six long recordings that are no word; it is not read, and told.

Notes
-----
P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", arXiv 1804.03209; the rule is
`which_set` of its README.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from metadata.plural import counted
from train.recordings.clip import Clip, group_of
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import MOST_NAMED, Importer, mostly, refuse_names
from train.recordings.left_out import Reason

LICENCE = "CC BY 4.0"
CITATION = "arXiv:1804.03209"
LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
NOISE_FOLDER = "_background_noise_"
_TAKE_NAME = re.compile(r"(?P<speaker>[0-9a-f]{8})_nohash_\d+$")
_NO_WORD = Reason("no_word", "noise, which is no word; cut into a folder such as _silence_ it would be a label")
_MOST_IN_A_CLASS = 2**27 - 1  # of `which_set`
_PERCENT = {"val": 10.0, "test": 20.0}  # below 10 validation, below 20 test


def which_side(name: str) -> str:
    """Return the side that the data set's rule gives a file: by the hash of its name up to `_nohash_`."""
    hashed = int(hashlib.sha1(re.sub(r"_nohash_.*$", "", name).encode()).hexdigest(), 16)
    percent = hashed % (_MOST_IN_A_CLASS + 1) * (100.0 / _MOST_IN_A_CLASS)
    return next((side for side, limit in _PERCENT.items() if percent < limit), "train")


def _recognizes(found: FoundFiles) -> str:
    """The takes' names."""
    takes = _takes(found)
    if not mostly([Path(name) for name in takes if not name.startswith("_")], _TAKE_NAME):
        return ""
    lists = " and ".join(name for name in LISTS.values() if (found.root / name).is_file())
    return f"its recordings are named as {takes[-1]}" + (f" and {lists} name the sides" if lists else "")


def _read(found: FoundFiles) -> list[Clip]:
    """Every take of every word, and of the labels that are none."""
    takes = _takes(found)
    words = [Path(name) for name in takes if not name.startswith("_")]
    if not mostly(words, _TAKE_NAME):
        return []
    refuse_names(
        [path for path in words if not _TAKE_NAME.match(path.stem)], "Speech Commands", "0a7c2a8d_nohash_0.wav"
    )
    sides = _sides(found.root)
    _refuse_missing(found.root, sides)
    return [_clip(name, sides) for name in takes]


def _takes(found: FoundFiles) -> list[str]:
    """The recordings in folders of words and other labels, relative to the root."""
    return [path for path in found.recordings if path.count("/") == 1 and not path.startswith(f"{NOISE_FOLDER}/")]


def _sides(root: Path) -> dict[str, str]:
    """The side of each listed file; empty where the lists are not there."""
    there = {split: root / name for split, name in LISTS.items() if (root / name).is_file()}
    if len(there) == 1:
        absent = next(name for split, name in LISTS.items() if split not in there)
        raise ValueError(f"{root} has no {absent} beside {next(iter(there.values())).name}; expected both, or none")
    return {
        line.strip(): split
        for split, path in there.items()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    }


def _refuse_missing(root: Path, sides: dict[str, str]) -> None:
    """Refuse lists that name files which are not there."""
    missing = [name for name in sides if not (root / name).is_file()]
    if missing:
        raise ValueError(
            f"{root}: {counted(len(missing), 'file')} of {' and '.join(LISTS.values())} are not there: "
            f"{', '.join(missing[:MOST_NAMED])}; unpack the data set again"
        )


def _clip(name: str, sides: dict[str, str]) -> Clip:
    """One take as a clip; a file without a speaker's hash is a group of its own."""
    label, stem = name.split("/")[0], Path(name).stem
    take = _TAKE_NAME.match(stem)
    group = group_of(f"speech_commands_{take['speaker']}" if take else f"speech_commands_{label}_{stem}")
    unlisted = which_side(Path(name).name) if label.startswith("_") else "train"
    split = sides.get(name, unlisted) if sides else ""
    return Clip(name, (label,), group, split, licence=LICENCE, source=CITATION)


SPEECH_COMMANDS = Importer(
    name="speech_commands",
    title="Speech Commands, without _background_noise_",
    layout="one folder a word with <speaker>_nohash_<take>.wav, validation_list.txt and testing_list.txt",
    recognizes=_recognizes,
    signs=tuple(LISTS.values()),
    read=_read,
    not_read={NOISE_FOLDER: _NO_WORD},
)
