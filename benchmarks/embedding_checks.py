"""What `earproof data check --embeddings` finds on ESC-10: labels changed on purpose, and copies of 40 clips.

Run: python benchmarks/embedding_checks.py BACKBONE [...]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from near_duplicates import COPIES, ESC_10, Sound

from train.checks.embedding_findings import find_by_embeddings
from train.embeddings.embed_clips import embed_clips
from train.embeddings.embedder import Embedder, open_embedder
from train.recordings.clip_index import ClipIndex, find_clips
from train.recordings.decoding.decode import read_file, to_waveform
from train.recordings.store.clip_store import LoadedClips, load_clips

NUM_WRONG, NUM_DRAWS = 5, 100  # labels changed at once, and how often they are drawn
EVERY = 10  # of the clips is copied
AT_ONCE = 10  # copies among the clips: many would change what is near on the median
NOISE_DB = 20.0  # below the recording


def main(backbones: list[str]) -> int:
    """Print two tables a backbone."""
    if not ESC_10.is_dir():
        print(f"skipped: {ESC_10} is not there", file=sys.stderr)
        return 0
    for backbone in backbones:
        embedder = open_embedder(backbone)
        clips = load_clips(find_clips(ESC_10).without_split(), embedder.sample_rate)
        vectors = embed_clips(embedder, clips).embeddings
        _tell_labels(backbone, clips.index, vectors)
        for name, change in {**COPIES, **HARDER}.items():
            _tell_copies(backbone, name, change, embedder, clips, vectors)
    return 0


def _tell_labels(backbone: str, index: ClipIndex, vectors: np.ndarray) -> None:
    """How many changed labels are found, how many of those named are changed, and how early they are named."""
    rng = np.random.default_rng(0)
    named, found, early = 0, 0, []
    for _ in range(NUM_DRAWS):
        wrong = set(rng.choice(len(index.clips), NUM_WRONG, replace=False).tolist())
        spoilt = index.with_clips(
            replace(clip, labels=(_another(clip.labels[0], index.labels, rng),)) if place in wrong else clip
            for place, clip in enumerate(index.clips)
        )
        texts = _texts(spoilt, vectors, "label_unlike_neighbours")
        changed = {index.clips[place].path for place in wrong}
        hits = [text.split(" (")[0] in changed for text in texts]
        named, found = named + len(hits), found + sum(hits)
        early.append(sum(hits[:NUM_WRONG]))
    clean = len(_texts(index, vectors, "label_unlike_neighbours"))
    total = NUM_DRAWS * NUM_WRONG
    print(
        f"{backbone}: found {found / total:.1%} of {total} wrong labels; {found / named:.1%} of the clips named are "
        f"wrong; {np.sum(early) / total:.1%} are among the first {NUM_WRONG}, in at least "
        f"{min(early)} of {NUM_WRONG}; as published {clean} clips are named"
    )


def _another(label: str, labels: tuple[str, ...], rng: np.random.Generator) -> str:
    """A label drawn from the others."""
    return str(rng.choice([one for one in labels if one != label]))


def _tell_copies(
    backbone: str,
    name: str,
    change: Callable[[np.ndarray, int], Sound],
    embedder: Embedder,
    clips: LoadedClips,
    vectors: np.ndarray,
) -> None:
    """How many copies of one kind are found among all clips, and how many other pairs are named; one is a true copy."""
    chosen = clips.chosen(range(0, len(clips.waveforms), EVERY))
    sounds = [change(*read_file(chosen.index.root / clip.path)) for clip in chosen.index.clips]
    copies = [replace(clip, path=f"copy/{clip.path}", group=f"copy {clip.path}") for clip in chosen.index.clips]
    waveforms = [to_waveform(*sound, embedder.sample_rate) for sound in sounds]
    copied = LoadedClips(chosen.index.with_clips(copies), waveforms, chosen.digests, [])
    with tempfile.TemporaryDirectory() as cache:
        of_copies = embed_clips(embedder, copied, cache=Path(cache)).embeddings
    found, others = 0, set()
    for first in range(0, len(copies), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        both = clips.index.with_clips([*clips.index.clips, *copies[some]])
        texts = _texts(both, np.concatenate([vectors, of_copies[some]]), "alike_in_two_groups")
        right = {text for text in texts if f"~ copy/{text.split(' (')[0]} " in text}
        found, others = found + len(right), others | set(texts) - right
    print(f"{backbone}: {name}: {found} of {len(copies)}; {len(others)} other pairs", flush=True)


def _texts(index: ClipIndex, vectors: np.ndarray, kind: str) -> tuple[str, ...]:
    """What one kind of finding names."""
    found = [one.clips for one in find_by_embeddings(index, vectors, ()) if one.kind == kind]
    return found[0] if found else ()


def _faster(share: float) -> Callable[[np.ndarray, int], Sound]:
    """At another speed."""
    return lambda samples, rate: (soxr.resample(samples, rate * (1.0 + share), rate), rate)


def _noisy(samples: np.ndarray, rate: int) -> Sound:
    """Under white noise."""
    level = np.sqrt(np.mean(samples**2)) * 10.0 ** (-NOISE_DB / 20.0)
    noise = np.random.default_rng(0).standard_normal(samples.shape)
    return (samples + level * noise).astype(np.float32), rate


HARDER: dict[str, Callable[[np.ndarray, int], Sound]] = {
    "3 % faster": _faster(0.03),
    "10 % faster": _faster(0.10),
    f"white noise {NOISE_DB:g} dB below": _noisy,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["yamnet_256", "yamnet_1024"]))
