"""How well `earproof data duplicates` finds copies on ESC-10: copies of 100 clips, and pairs among the 400 themselves.

Run: python benchmarks/near_duplicates.py
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from train.checks.duplicates import find_duplicates
from train.checks.fingerprint import SAMPLE_RATE, fingerprint
from train.recordings.clip_index import find_clips
from train.recordings.decoding.decode import read_file, to_waveform

ESC_10 = Path(__file__).resolve().parents[2] / "shared" / "data" / "esc10"
EVERY = 4  # of the clips is copied
CUT_SECONDS = 0.3  # off both ends

Sound = tuple[np.ndarray, int]


def main() -> int:
    """Print one line a kind of copy, and the pairs among the clips themselves."""
    if not ESC_10.is_dir():
        print(f"skipped: {ESC_10} is not there", file=sys.stderr)
        return 0
    index = find_clips(ESC_10)
    sounds = [read_file(index.root / clip.path) for clip in index.clips]
    heard = [to_waveform(*sound, SAMPLE_RATE) for sound in sounds]
    prints = [fingerprint(waveform) for waveform in heard]
    print("| copy | found | of |\n| --- | --- | --- |")
    for name, change in COPIES.items():
        found = sum(_is_found(heard[place], sounds[place], change) for place in range(0, len(sounds), EVERY))
        print(f"| {name} | {found} | {len(range(0, len(sounds), EVERY))} |")
    pairs = find_duplicates([str(place) for place in range(len(heard))], prints, lambda place, a, b: heard[place][a:b])
    print(f"\n{len(pairs)} pairs among the {len(heard) * (len(heard) - 1) // 2} of the {len(heard)} clips themselves:")
    for pair in pairs:
        one, other = index.clips[pair.first], index.clips[pair.second]
        print(f"  {one.path} (fold {one.fold}), {other.path} (fold {other.fold}): correlation {pair.correlation:.2f}")
    return 0


def _is_found(heard: np.ndarray, sound: Sound, change: Callable[[np.ndarray, int], Sound]) -> bool:
    """Whether a copy is found beside its original."""
    waveforms = [heard, to_waveform(*change(*sound), SAMPLE_RATE)]
    prints = [fingerprint(waveform) for waveform in waveforms]
    return bool(find_duplicates("ab", prints, lambda place, a, b: waveforms[place][a:b]))


def _quieter(samples: np.ndarray, rate: int) -> Sound:
    """12 dB quieter, rounded to 16 bits again."""
    return (np.round(samples * 0.25 * 32768) / 32768).astype(np.float32), rate


def _resampled(new_rate: int) -> Callable[[np.ndarray, int], Sound]:
    """At another rate."""
    return lambda samples, rate: (soxr.resample(samples, rate, new_rate), new_rate)


def _coded(kind: str, subtype: str) -> Callable[[np.ndarray, int], Sound]:
    """Through a lossy codec at libsndfile's own quality."""

    def code(samples: np.ndarray, rate: int) -> Sound:
        file = io.BytesIO()
        soundfile.write(file, samples, rate, format=kind, subtype=subtype)
        file.seek(0)
        return soundfile.read(file, dtype="float32", always_2d=True)

    return code


def _cut(samples: np.ndarray, rate: int) -> Sound:
    """Without its first and last 0.3 s."""
    ends = int(CUT_SECONDS * rate)
    return samples[ends:-ends], rate


COPIES: dict[str, Callable[[np.ndarray, int], Sound]] = {
    "12 dB quieter, 16 bits": _quieter,
    "at 22.05 kHz": _resampled(22_050),
    "at 8 kHz": _resampled(8_000),
    "Ogg Vorbis": _coded("OGG", "VORBIS"),
    "MP3": _coded("MP3", "MPEG_LAYER_III"),
    f"{CUT_SECONDS} s cut off both ends": _cut,
}

if __name__ == "__main__":
    sys.exit(main())
