"""Options that several verbs share: --out, --channel, silence and hop."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_runtime.audio.downmix import AUTO, CHANNEL_HELP
from metadata.spec import ModelSpec


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


def add_channel_argument(parser: argparse.ArgumentParser) -> None:
    """Add which channel is heard."""
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
