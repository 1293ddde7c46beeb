"""Options that several verbs share: --out, --channel, silence, hop, and the rules of a detector."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from edge_runtime.audio.downmix import AUTO, CHANNEL_HELP
from metadata.plural import counted
from metadata.spec import ModelSpec

_NAMED = 5  # of a folder's other files


def check_out_file(path: Path, force: bool) -> None:
    """Refuse a file that could not be written later.

    Raises
    ------
    FileExistsError
        It is there and is not to be overwritten.
    FileNotFoundError
        Its folder is not there.
    """
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; expected a new file, or --force to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for {path.name} does not exist; make it first")


def model_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files named, a folder's `.tflite` files in its place; say of a folder what was taken and what not.

    Raises
    ------
    ValueError
        A folder without any.
    """
    return [file for path in paths for file in (_models_in(path) if path.is_dir() else [path])]


def _models_in(folder: Path) -> list[Path]:
    """Return the `.tflite` files of a folder, not of those below it."""
    files = sorted(folder.glob("*.tflite"))
    if not files:
        raise ValueError(f"{folder} holds no .tflite files; expected a folder such as earproof build fills")
    others = [path for path in folder.iterdir() if path not in files and not path.name.startswith(".")]
    tell_taken(folder, counted(len(files), ".tflite file"), others)
    return files


def recording_files(paths: Sequence[Path], suffixes: Collection[str]) -> list[Path]:
    """Return the recordings named, in a folder's place those in and below it; say what was taken and what not.

    Raises
    ------
    ValueError
        A folder without any.
    """
    return [file for path in paths for file in (_recordings_in(path, suffixes) if path.is_dir() else [path])]


def _recordings_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Return the recordings in and below a folder, by their names; hidden files are none."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    files = [path for path in found if path.suffix.lower() in suffixes]
    if not files:
        raise ValueError(f"{folder} holds no recordings; expected files that end in {', '.join(suffixes)}")
    tell_taken(folder, counted(len(files), "recording"), set(found) - set(files))
    return files


def tell_taken(folder: Path, taken: str, others: Collection[Path]) -> None:
    """Say on stderr what was taken of a folder, and name some of what was not."""
    names = sorted(str(path.relative_to(folder)) + ("/" if path.is_dir() else "") for path in others)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    left = f"; not taken: {', '.join(names[:_NAMED])}{more}" if names else ""
    print(f"{folder}: {taken}{left}", file=sys.stderr)


def add_channel_argument(parser: argparse.ArgumentParser) -> None:
    """Add which channel is used."""
    parser.add_argument(
        "--channel", default=AUTO, metavar="WHICH", help=f"of several channels: {CHANNEL_HELP} (default auto)"
    )


def add_silence_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the level below which there is silence."""
    parser.add_argument(
        "--silence-below",
        type=float,
        metavar="DB",
        help=f"leave out {what} whose RMS is below this many dBFS, such as -60 (default: none)",
    )


def add_detecting_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rules of a detector, as `edge_runtime.segments.detecting.detecting_of` reads them."""
    parser.add_argument(
        "--hop", type=float, metavar="S", help="of a detector: from window to window (default: half a window)"
    )
    parser.add_argument(
        "--median-frames", type=int, metavar="N", help="smooth scores of frames by the median of so many, such as 7"
    )
    parser.add_argument("--gap", type=float, metavar="S", help="events of a label with at most this between are one")
    parser.add_argument("--shortest", type=float, metavar="S", help="shorter events are left out (default 0)")


def hop_in_samples(seconds: float | None, spec: ModelSpec) -> int | None:
    """Return --hop in samples at the model's rate.

    Raises
    ------
    ValueError
        Not positive, or less than a sample.
    """
    if seconds is None:
        return None
    hop = round(seconds * spec.sample_rate) if 0.0 < seconds < float("inf") else 0
    if hop < 1:
        raise ValueError(f"--hop is {seconds} s; expected a positive time of at least one sample")
    return hop
