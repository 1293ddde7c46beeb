"""Real recordings through the phone harness, through `earproof listen`, and offline: the same scores, bit for bit.

    python benchmarks/phone_offline.py MODEL.tflite... [--audio AUDIO...]

Compared are the windows that all hear: those that begin a multiple of 0.5 s into the recording and end inside it.
On the path "float" (samples divided by 32768) offline is `Classifier.classify` as it stands; on "int16"
(divided by 32767, as TensorAudio does) it is the same with windows scaled so. Exits with 1 where a bit differs.
Without --audio every 16-bit recording of ../shared/data is used. Needs the train extra.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.listen.listener import Listener, ListenSettings
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.harness import TICK_SECONDS, PhoneHarness
from train.recordings.decoding.decode import decode

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
SCALES = {"float": np.float32(32768), "int16": np.float32(32767)}


def main() -> int:
    """Print one row a model and path."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL.tflite")
    parser.add_argument("--audio", type=Path, nargs="+", help="recordings (default: all of ../shared/data)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth recording (default 1)")
    args = parser.parse_args()
    found = args.audio or sorted(path for suffix in ("wav", "flac") for path in DATA.rglob(f"*.{suffix}"))
    if not found:
        print("skipped: no recordings given, and ../shared/data is not there")
        return 0
    paths, unequal = found[:: args.every], 0
    print(f"{'model':<44}{'path':<7}{'recordings':>11}{'windows':>9}{'phone differs':>15}{'listen differs':>16}")
    for model in args.models:
        classifier = Classifier(model)
        recordings = [to_shorts(decode(path, classifier.spec.sample_rate)) for path in paths]
        for pcm in SCALES:
            counts = np.sum([compare(classifier, shorts, pcm) for shorts in recordings], axis=0)
            unequal += int(counts[1:].sum())
            print(f"{model.name:<44}{pcm:<7}{len(paths):>11}{counts[0]:>9}{counts[1]:>15}{counts[2]:>16}", flush=True)
    return 1 if unequal else 0


def compare(classifier: Classifier, shorts: np.ndarray, pcm: str) -> tuple[int, int, int]:
    """Return how many windows were compared, and how many of the phone's and the listener's scores differ."""
    spec = classifier.spec
    hop = round(TICK_SECONDS * spec.sample_rate)
    if shorts.size < spec.window_length:
        return 0, 0, 0
    offline = classifier.classify(
        shorts.astype(np.float32) / SCALES[pcm], classifier.spec.sample_rate, window_hop=hop, tail="drop"
    ).scores
    phone = PhoneHarness(classifier=classifier, pcm=pcm).run(shorts, classifier.spec.sample_rate).scores
    listener = Listener(classifier, ListenSettings(pcm=pcm))
    ticks = listener.push(shorts, classifier.spec.sample_rate)
    heard = np.stack([tick.scores for tick in [*ticks, *listener.finish()[0]]])
    full = spec.window_length // hop  # the tick at which the ring buffer is full for the first time
    phone, heard = phone[full : full + len(offline)], heard[full - 1 : full - 1 + len(offline)]
    return len(offline), unequal_rows(offline, phone), unequal_rows(offline, heard)


def unequal_rows(reference: np.ndarray, candidate: np.ndarray) -> int:
    """Return how many rows differ in any bit, missing ones included."""
    rows = min(len(reference), len(candidate))
    same = reference[:rows].view(np.uint32) == candidate[:rows].view(np.uint32)
    return int((~same.all(axis=1)).sum()) + abs(len(reference) - len(candidate))


if __name__ == "__main__":
    sys.exit(main())
