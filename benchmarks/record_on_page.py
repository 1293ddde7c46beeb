"""How long it takes on the page from an empty folder to a file that hears three words or sounds.

    python benchmarks/record_on_page.py --backbone FILE
    python benchmarks/record_on_page.py --backbone FILE --sounds ../shared/data/esc10

A person is played in Chromium: three labels, ten takes each in three sessions (4, 4 and 2 in a row), 1.5 s for each
click, then a training, then the microphone, which hears recordings. By default espeak-ng says three words: a voice a
session, and five other voices to test by. With --sounds they are recordings of ESC-10, each of another source. Needs
what `./setup.sh test` brings, and a backbone (or --without: then a CNN is trained).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import earproof
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.scoring.intervals import wilson_interval

REPOSITORY = Path(__file__).resolve().parents[1]
SESSIONS = (4, 4, 2)  # takes of a label in each
TESTED = 5  # recordings of a label that are heard at the end
SECONDS = 2.0
WORDS = ("yes", "no", "stop")
VOICES = ("en-us+m3", "en-gb+f2", "en-us+f4")
TEST_VOICES = ("en-gb+m7", "en-us+f1", "en-gb+m2", "en-us+m5", "en-gb+f3")
SOUNDS = ("dog", "crying_baby", "clock_tick")
NOISE_DBFS = -60.0
LEVELS = (0.2, 0.6)  # of full scale, drawn for each take


def main() -> int:
    """Play the person and print what was measured; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sounds", type=Path, help="a copy of ESC-10 with meta.csv, in place of words")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--backbone", type=Path, help="a file of a YAMNet, see docs/how-to/backbone.md")
    chosen.add_argument("--without", action="store_true", help="train a CNN")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.sounds and not args.sounds.is_dir():
        print(f"skipped: {args.sounds} is not there", file=sys.stderr)
        return earproof.DONE
    with tempfile.TemporaryDirectory() as folder:
        found = play(args, Path(folder))
    if args.json:
        print(json.dumps(found, indent=2))
        return earproof.DONE
    right = sum(label == said for label, said in found["heard"])
    low, high = wilson_interval(right, len(found["heard"]))
    print(f"empty folder to file: {found['seconds']:.0f} s, of which training {found['training_seconds']:.0f} s")
    print(f"heard by the microphone: {right} of {len(found['heard'])} [{100 * low:.0f}, {100 * high:.0f}] %")
    print(f"first score {found['first_score_ms']:.0f} ms after the microphone was pressed")
    print(machine_line(describe_machine()))
    return earproof.DONE


def play(args: argparse.Namespace, folder: Path) -> dict:
    """Let the browser be used; return what it measured."""
    takes, tests = sounds(args.sounds) if args.sounds else words(folder)
    environment = {**os.environ, "EARPROOF_BACKBONES": str(folder / "backbones")}
    if args.backbone:
        add = [sys.executable, "-m", "earproof", "backbone", "add", str(args.backbone)]
        subprocess.run(add, check=True, env=environment, capture_output=True)
    rng = np.random.default_rng(0)
    job = {
        "sessions": SESSIONS,
        "takes": {label: store(found, folder / "takes" / label, rng) for label, found in takes.items()},
        "tests": {label: store(found, folder / "tests" / label, rng) for label, found in tests.items()},
    }
    command = [sys.executable, "-m", "earproof", "web", "--data", str(folder / "data"), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        job["address"] = server.stdout.readline().strip()
        (folder / "job.json").write_text(json.dumps(job))
        script = REPOSITORY / "benchmarks" / "record_on_page.mjs"
        files = [folder / "job.json", folder / "out.json"]
        done = subprocess.run(["node", script, REPOSITORY / "web", shutil.which("chromium"), *files], check=False)
        server.terminate()
    done.check_returncode()
    return json.loads((folder / "out.json").read_text())


def words(folder: Path) -> tuple[dict, dict]:
    """Return takes and tests by word, as spoken by espeak-ng."""
    folder = folder / "words"
    folder.mkdir()
    rng = np.random.default_rng(1)

    def spoken(word: str, voice: str) -> tuple[np.ndarray, int]:
        path = folder / "said.wav"
        speed, pitch = rng.integers(120, 200), rng.integers(25, 75)
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", path, word], check=True)
        return soundfile.read(path, dtype="float32")

    takes = {
        word: [spoken(word, voice) for voice, count in zip(VOICES, SESSIONS, strict=True) for _ in range(count)]
        for word in WORDS
    }
    return takes, {word: [spoken(word, voice) for voice in TEST_VOICES] for word in WORDS}


def sounds(data: Path) -> tuple[dict, dict]:
    """Return takes and tests by label, each of another source recording of ESC-10."""
    takes, tests = {}, {}
    with (data / "meta.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for label in SOUNDS:
        sources = {row["freesound_id"]: row["filename"] for row in rows if row["category"] == label}
        names = list(sources.values())[: sum(SESSIONS) + TESTED]
        found = [soundfile.read(next(data.rglob(name)), dtype="float32") for name in names]
        takes[label], tests[label] = found[: sum(SESSIONS)], found[sum(SESSIONS) :]
    return takes, tests


def store(recordings: list, folder: Path, rng: np.random.Generator) -> list[str]:
    """Write what a person lets the microphone hear; return the paths."""
    folder.mkdir(parents=True)
    paths = []
    for number, (samples, rate) in enumerate(recordings):
        path = folder / f"{number}.wav"
        soundfile.write(path, in_a_room(samples, rate, rng), rate, subtype="FLOAT")
        paths.append(str(path))
    return paths


def in_a_room(samples: np.ndarray, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return two seconds around the loudest moment of a recording, at a level of its own, in faint noise."""
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    length = round(SECONDS * rate)
    begin = int(np.clip(np.abs(mono).argmax() - length // 2, 0, max(0, mono.size - length)))
    cut = mono[begin : begin + length]
    heard = np.zeros(length, np.float32)
    at = rng.integers(0, length - cut.size + 1)
    heard[at : at + cut.size] = cut * (rng.uniform(*LEVELS) / max(float(np.abs(cut).max()), 1e-6))
    return heard + rng.normal(0.0, 10 ** (NOISE_DBFS / 20), length).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
