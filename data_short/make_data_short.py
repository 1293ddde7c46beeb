"""Make data_short: thirty clips of silence, song and speech, and clips.csv, from a seed.

Run `python data_short/make_data_short.py --force` to make the committed files again.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from noise import SAMPLE_RATE
from recording import record, to_pcm16
from room_tone import ROOMS, Room, room_tone
from singing_voice import sing
from spoken_text import VOICES, Voice, speak
from sung_melody import SINGERS, Singer

SEED = 20
LEVELS_DBFS = np.linspace(-30.0, -18.0, 10)  # one a clip, in the same order for song and speech
SILENCE_SECONDS = (8.5, 12.5)
SONG_SECONDS = (8.0, 9.5)  # then the phrase is sung to its end
CLIP_SECONDS = (8.0, 20.0)
CSV_COLUMNS = ("path", "labels", "group", "split", "licence")
LICENCE = "Apache-2.0"  # that of this repository, whose code makes every sample


@dataclass(frozen=True)
class Clip:
    """One clip to be made; `render` turns a random generator into a waveform."""

    label: str
    group: str
    split: str
    render: Callable[[np.random.Generator], np.ndarray]

    @property
    def path(self) -> str:
        """Where the clip lies, relative to data_short."""
        return f"{self.label}/{self.group}.flac"


def planned_clips(seed: int) -> list[Clip]:
    """Return all clips in the order of clips.csv: one a room, one a singer, one a voice."""
    levels = shuffled_levels(seed)
    silence = [Clip("silence", room.name, room.split, partial(silence_in, room)) for room in ROOMS]
    song = [
        Clip("song", singer.name, singer.split, partial(song_by, singer, level))
        for singer, level in zip(SINGERS, levels, strict=True)
    ]
    speech = [
        Clip("speech", voice.name, voice.split, partial(speech_by, voice, level))
        for voice, level in zip(VOICES, levels, strict=True)
    ]
    return silence + song + speech


def silence_in(room: Room, rng: np.random.Generator) -> np.ndarray:
    """Return some seconds of a room's tone."""
    return room_tone(room, int(rng.uniform(*SILENCE_SECONDS) * SAMPLE_RATE), rng)


def song_by(singer: Singer, level_dbfs: float, rng: np.random.Generator) -> np.ndarray:
    """Return a recorded song."""
    return record(sing(singer, rng.uniform(*SONG_SECONDS), rng), level_dbfs, rng)


def speech_by(voice: Voice, level_dbfs: float, rng: np.random.Generator) -> np.ndarray:
    """Return recorded speech."""
    return record(speak(voice, rng), level_dbfs, rng)


def shuffled_levels(seed: int) -> np.ndarray:
    """Return LEVELS_DBFS in a random order, one for song and speech, so that a level tells nothing on either side."""
    return generator(seed, "levels").permutation(LEVELS_DBFS)


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the random generator of one named thing, so that adding a clip changes no other."""
    return np.random.default_rng([seed, *name.encode()])


def rendered(clips: list[Clip], seed: int) -> Iterator[np.ndarray]:
    """Yield the int16 samples of each clip, checked for length.

    Raises
    ------
    ValueError
        A clip came out shorter or longer than CLIP_SECONDS.
    """
    shortest, longest = CLIP_SECONDS
    for number, clip in enumerate(clips, start=1):
        samples = to_pcm16(clip.render(generator(seed, clip.path)))
        seconds = len(samples) / SAMPLE_RATE
        if not shortest <= seconds <= longest:
            raise ValueError(f"{clip.path} is {seconds:.1f} s long; expected {shortest:g} to {longest:g} s")
        print(f"{number:2d}/{len(clips)} {clip.path} {seconds:.1f} s", file=sys.stderr)
        yield samples


def write_data(folder: Path, seed: int) -> None:
    """Write all clips and then clips.csv into a folder; nothing is written before every clip is made."""
    clips = planned_clips(seed)
    for clip, samples in zip(clips, list(rendered(clips, seed)), strict=True):
        write_atomically(folder / clip.path, flac_bytes(samples))
    write_atomically(folder / "clips.csv", csv_bytes(clips))


def flac_bytes(samples: np.ndarray) -> bytes:
    """Return int16 samples as a FLAC file."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)
    return buffer.getvalue()


def csv_bytes(clips: list[Clip]) -> bytes:
    """Return clips.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows((clip.path, clip.label, clip.group, clip.split, LICENCE) for clip in clips)
    return text.getvalue().encode()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def check_tools() -> None:
    """Raise RuntimeError that names what has to be installed, if anything."""
    for module in ("soundfile", "soxr"):
        if importlib.util.find_spec(module) is None:
            raise RuntimeError(f"the Python package {module} is not installed; run: pip install -e '.[train]'")
    if shutil.which("espeak-ng") is None:
        raise RuntimeError("espeak-ng is not installed, it speaks the speech clips; run: apt-get install espeak-ng")


def check_folder(folder: Path, force: bool) -> None:
    """Raise FileExistsError if the folder holds the data already and `force` is not given."""
    if not force and (folder / "clips.csv").exists():
        raise FileExistsError(f"{folder / 'clips.csv'} exists; give --force to make the clips again, or another --out")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="a number of 0 or more; default: %(default)s")
    parser.add_argument("--force", action="store_true", help="replace the clips that are there")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error(f"--seed is {options.seed}; expected 0 or more")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Make the data; return 0, or 2 if that is not possible."""
    options = parse_arguments(arguments)
    try:
        check_folder(options.out, options.force)
        check_tools()
        write_data(options.out, options.seed)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"make_data_short: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
