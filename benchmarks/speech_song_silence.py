"""The main job on real recordings: train, convert and prove both models, then hear six recordings of a published app.

    python benchmarks/speech_song_silence.py --out runs/speech_song_silence

Prints the table of `earproof build`, how long it took, and for each of the six recordings what every float32 and int8
file decides, window by window and at every tick of the phone harness. Needs ../shared/data (or --data); without it the
program says so and ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import earproof
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.harness import PhoneHarness
from train.recordings.decoding.decode import decode

REPOSITORY = Path(__file__).resolve().parents[1]
SHOWN_RECIPES = ("float32", "int8")
TICKS_WITH_LEADING_ZEROS = 4  # the ring buffer is full after 2 s


def main() -> int:
    """Run the job; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, required=True, help="the folder to build in; one that is there is resumed")
    parser.add_argument("--num-runs", type=int, default=200)
    args = parser.parse_args()
    if not (args.data / "speech_song_silence").is_dir():
        print(f"skipped: {args.data / 'speech_song_silence'} is not there", file=sys.stderr)
        return 0
    begin = time.monotonic()
    command = ["build", str(args.data / "speech_song_silence"), "--out", str(args.out), "--resume"]
    code = earproof.main([*command, "--num-runs", str(args.num_runs)])
    print(f"\nearproof build: {(time.monotonic() - begin) / 60:.1f} minutes, exit code {code}\n")
    if code == earproof.BAD_INPUT:
        return code
    for recording in sorted((args.data / "android_app").rglob("*.wav")):
        for recipe in SHOWN_RECIPES:
            for path in sorted(args.out.glob(f"*-{recipe}.tflite")):
                print(hear(path, recording))
    return code


def hear(path: Path, recording: Path) -> str:
    """Return one line: how a file decides on a recording whose folder names the truth."""
    classifier = Classifier(path)
    truth, spec = recording.parent.name, classifier.spec
    waveform = decode(recording, spec.sample_rate)
    result = classifier.classify(waveform, spec.sample_rate, tail="drop")
    right = sum(classifier.decide(scores) == truth for scores in result.scores)
    shorts = np.clip(np.round(waveform.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
    ticks = (
        PhoneHarness(classifier=classifier)
        .run(shorts, spec.sample_rate, np.random.default_rng(0))
        .decisions[TICKS_WITH_LEADING_ZEROS:]
    )
    verdict = "right" if result.decision == truth else f"WRONG: {result.decision}"
    return (
        f"{recording.name:<18} {path.name:<40} {verdict:<8} windows {right}/{len(result.scores)}  "
        f"phone ticks {sum(decision == truth for decision in ticks)}/{len(ticks)}"
    )


if __name__ == "__main__":
    sys.exit(main())
