"""VocalSet: 20 singers, `<singer>/<exercise>/<technique>/*.wav` below the folder, `FULL` or `data_by_singer`.

All is song, but for the excerpts spoken (technique `spoken`), which are speech. A singer's recordings form a group.
`data_by_technique` and `data_by_vowel` hold the same recordings again and are not read.

Notes
-----
J. Wilkins, P. Seetharaman, A. Wahl and B. Pardo, "VocalSet: A Singing Voice Dataset", ISMIR 2018.
"""

from __future__ import annotations

import re
from pathlib import Path

from train.recordings.clip import Clip
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer
from train.recordings.left_out import Reason

LICENCE = "CC BY 4.0"
CITATION = "doi:10.5281/zenodo.1193957"
LABEL, SPOKEN_LABEL, SPOKEN_TECHNIQUE = "song", "speech", "spoken"
_SINGER = re.compile(r"(?P<voice>female|male)(?P<number>\d+)$")
_AGAIN = Reason("vocalset_again", "the recordings of the singers' folders again")
_DEPTH = 3  # exercise, technique, file
_PLACES = ("FULL", "data_by_singer", ".")  # the first that holds singers


def _singers(root: Path) -> tuple[str, list[Path]]:
    """Where the singers' folders are, and these."""
    for place in _PLACES:
        folder = root / place
        singers = [path for path in sorted(folder.glob("*")) if path.is_dir() and _SINGER.match(path.name)]
        if singers:
            return place, singers
    return "", []


def _recordings(found: FoundFiles) -> list[tuple[Path, Path]]:
    """Every recording with its singer's folder."""
    return [(path, singer) for singer in _singers(found.root)[1] for path in found.below(singer)]


def _is_theirs(path: Path, singer: Path) -> bool:
    """Whether a recording lies and is named as this data set has it: singer/exercise/technique/f1_*.wav."""
    name = _SINGER.match(singer.name)
    assert name is not None  # `_singers` found it by this
    short = f"{name['voice'][0]}{name['number']}_"
    return len(path.relative_to(singer).parts) == _DEPTH and path.stem.startswith(short)


def _recognizes(found: FoundFiles) -> str:
    """The folders and names of the recordings, where no other folder beside the singers holds any."""
    place, singers = _singers(found.root)
    recordings = _recordings(found)
    if 2 * sum(_is_theirs(*one) for one in recordings) <= len(recordings):
        return ""
    around = {path.relative_to(found.root / place).parts[0] for path in found.below(found.root / place)}
    company = around - {singer.name for singer in singers}
    named = recordings[0][0].relative_to(found.root).as_posix()
    return "" if company else f"{len(singers)} singers' folders hold exercise/technique/*.wav, such as {named}"


def _read(found: FoundFiles) -> list[Clip]:
    """Every recording of every singer."""
    return [_clip(found.root, singer, path) for path, singer in _recordings(found)]


def _clip(root: Path, singer: Path, path: Path) -> Clip:
    """One recording as a clip."""
    label = SPOKEN_LABEL if SPOKEN_TECHNIQUE in path.relative_to(singer).parts[:-1] else LABEL
    located = path.relative_to(root).as_posix()
    return Clip(located, (label,), f"vocalset_{singer.name}", licence=LICENCE, source=CITATION)


VOCALSET = Importer(
    name="vocalset",
    title="VocalSet",
    layout="FULL or data_by_singer with female1 to female9 and male1 to male11",
    recognizes=_recognizes,
    read=_read,
    not_read=dict.fromkeys(("data_by_technique", "data_by_vowel"), _AGAIN),
)
