"""Flickr 8k Audio Caption Corpus: 40,000 spoken captions, `wavs/*.wav`, and `wav2spk.txt`: `<file name> <speaker>`.

All is speech; a speaker's captions form a group.

Notes
-----
D. Harwath and J. Glass, "Deep Multimodal Semantic Embeddings for Speech and Images", ASRU 2015.
"""

from __future__ import annotations

from pathlib import Path

from train.recordings.clip import Clip
from train.recordings.clip_table import refuse_faults
from train.recordings.importers.importer import Importer

LICENCE = "CC BY-SA 4.0"
CITATION = "doi:10.1109/ASRU.2015.7404800"
LABEL = "speech"
TABLE, FOLDER = "wav2spk.txt", "wavs"


def _recognizes(root: Path) -> bool:
    """Whether the list of speakers and the recordings are there."""
    return (root / TABLE).is_file() and (root / FOLDER).is_dir()


def _read(root: Path) -> list[Clip]:
    """Every caption that the list names."""
    if not _recognizes(root):
        return []
    lines = [(line, text.split()) for line, text in enumerate((root / TABLE).read_text().splitlines(), start=1)]
    wrong = [str(line) for line, words in lines if words and len(words) != 2]
    if wrong:
        raise ValueError(
            f"{root / TABLE}: {len(wrong)} lines do not hold a file name and a speaker, line {', '.join(wrong[:10])}"
        )
    clips = [(line, _clip(*words)) for line, words in lines if words]
    refuse_faults(root / TABLE, clips, root)
    return [clip for _, clip in clips]


def _clip(name: str, speaker: str) -> Clip:
    """One line as a clip."""
    return Clip(f"{FOLDER}/{name}", (LABEL,), f"flickr8k_speaker_{speaker}", licence=LICENCE, source=CITATION)


FLICKR8K = Importer(
    name="flickr8k",
    title="Flickr 8k Audio Caption Corpus",
    layout=f"{TABLE} and {FOLDER}/*.wav",
    recognizes=_recognizes,
    read=_read,
)
