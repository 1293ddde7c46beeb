"""Flickr 8k Audio Caption Corpus: 40,000 spoken captions, `wavs/*.wav`, and `wav2spk.txt`: `<file name> <speaker>`.

All is speech; a speaker's captions form a group.

Notes
-----
D. Harwath and J. Glass, "Deep Multimodal Semantic Embeddings for Speech and Images", ASRU 2015.
"""

from __future__ import annotations

import re
from pathlib import Path

from metadata.plural import counted
from train.recordings.clip import Clip, group_of
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.importers.importer import Importer, mostly
from train.recordings.tables.clip_table import refuse_faults

LICENCE = "CC BY-SA 4.0"
CITATION = "doi:10.1109/ASRU.2015.7404800"
LABEL = "speech"
TABLE, FOLDER = "wav2spk.txt", "wavs"
_CAPTION_NAME = re.compile(r"\d+_[0-9a-f]+_\d$")  # of the photo, its hash, and which of its five captions


def _recognizes(found: FoundFiles) -> str:
    """The list of speakers, where it and the recordings have this data set's names."""
    root = found.root
    if not (root / TABLE).is_file() or not (root / FOLDER).is_dir():
        return ""
    listed = [Path(words[0]) for _, words in _lines(root) if words]
    if not mostly(listed, _CAPTION_NAME) or set(found.by_top_folder()) - {FOLDER, ""}:
        return ""
    return f"{TABLE} names recordings as {listed[0].name} and {FOLDER} holds recordings"


def _lines(root: Path) -> list[tuple[int, list[str]]]:
    """The words of each line of the list, with its number."""
    text = (root / TABLE).read_text(encoding="utf-8", errors="replace")
    return [(line, words.split()) for line, words in enumerate(text.split("\n"), start=1)]


def _read(found: FoundFiles) -> list[Clip]:
    """Every caption that the list names."""
    root = found.root
    if not (root / TABLE).is_file() or not (root / FOLDER).is_dir():
        return []
    lines = _lines(root)
    wrong = [str(line) for line, words in lines if words and len(words) != 2]
    if wrong:
        raise ValueError(
            f"{root / TABLE}: {counted(len(wrong), 'line does', 'lines do')} not hold a file name and a speaker, "
            f"line {', '.join(wrong[:10])}"
        )
    clips = [(line, _clip(*words)) for line, words in lines if words]
    refuse_faults(root / TABLE, clips, root)
    return [clip for _, clip in clips]


def _clip(name: str, speaker: str) -> Clip:
    """One line as a clip."""
    return Clip(f"{FOLDER}/{name}", (LABEL,), group_of(f"flickr8k_speaker_{speaker}"), licence=LICENCE, source=CITATION)


FLICKR8K = Importer(
    name="flickr8k",
    title="Flickr 8k Audio Caption Corpus",
    layout=f"{TABLE} and {FOLDER}/*.wav",
    recognizes=_recognizes,
    signs=(TABLE,),
    read=_read,
)
