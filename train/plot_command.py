"""The verb `plot`: a picture of a recording, as a model sees it and with what it says."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.audio.sound_kinds import READABLE
from edge_runtime.audio.windows import Windowing
from edge_runtime.options import add_channel_argument

if TYPE_CHECKING:
    import numpy as np

    from edge_runtime.model.classifier import Classifier
    from metadata.spec import ModelSpec
    from train.pictures.clip_picture import Hearing

DONE = 0
SAMPLE_RATE = 16_000  # Hz, where no model says
MOST_SECONDS = 60.0  # drawn where --seconds does not say
_PICTURE_SUFFIX = ".png"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("file", type=Path, metavar="FILE", help=f"a recording: {READABLE}")
    add_channel_argument(parser)
    parser.add_argument(
        "--model", type=Path, metavar="MODEL.tflite", help="draw its windows, its spectrogram, its scores"
    )
    parser.add_argument("--out", type=Path, metavar="PNG", help="the picture (default: FILE's name with .png, here)")
    parser.add_argument("--force", action="store_true", help="overwrite PNG")
    parser.add_argument("--hop", type=float, metavar="S", help="seconds from window to window (default: the window's)")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="begin here, in seconds (default 0)")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help=f"draw so many (default: all, {MOST_SECONDS:g} at most)"
    )
    parser.add_argument("--json", action="store_true", help="print windows and scores as one JSON document")


def run(verb: str, args: argparse.Namespace) -> int:
    """Draw one recording; return the exit code."""
    from train.pictures.clip_picture import draw_hearing

    out = args.out or Path(args.file.with_suffix(_PICTURE_SUFFIX).name)
    if out.suffix.lower() != _PICTURE_SUFFIX:
        raise ValueError(f"{out} does not end in {_PICTURE_SUFFIX}; pictures are written as PNG")
    if out.exists() and not args.force:
        raise FileExistsError(f"{out} exists; overwrite it with --force, or choose another name")
    if not args.file.is_file():
        raise FileNotFoundError(f"{args.file} does not exist; expected a recording")
    classifier = _open(args.model)
    hearing = _hear(args, classifier)
    draw_hearing(hearing, out, _title(args, classifier))
    windows = [
        {
            "start_seconds": hearing.start_seconds + result.start_seconds,
            "decision": result.decision,
            "scores": dict(zip(hearing.labels, map(float, result.scores), strict=True)),
        }
        for result in hearing.results
    ]
    print(json.dumps({"picture": str(out), "windows": windows}, indent=2) if args.json else f"wrote {out.resolve()}")
    return DONE


def _open(model: Path | None) -> Classifier | None:
    """The classifier, where one was named."""
    from edge_runtime.model.classifier import Classifier

    return Classifier(model) if model else None


def _hear(args: argparse.Namespace, classifier: Classifier | None) -> Hearing:
    """Read the recording at the model's rate, cut out what is drawn, and run the model on it."""
    from metadata.spec import WaveformFrontEnd
    from train.pictures.clip_picture import Hearing, spectrogram_settings

    if classifier is None:
        if args.hop is not None:
            raise ValueError("--hop is the distance of a model's windows; name the model with --model")
        stft, mel = spectrogram_settings(WaveformFrontEnd(), SAMPLE_RATE)
        waveform = _excerpt(SAMPLE_RATE, args)
        return Hearing(waveform=waveform, sample_rate=SAMPLE_RATE, start_seconds=args.start, stft=stft, mel=mel)
    spec = classifier.spec
    hop = _hop(args.hop, spec)
    stft, mel = spectrogram_settings(spec.front_end, spec.sample_rate)
    waveform = _excerpt(spec.sample_rate, args)
    return Hearing(
        waveform=waveform,
        sample_rate=spec.sample_rate,
        start_seconds=args.start,
        stft=stft,
        mel=mel,
        window_length=spec.window_length,
        window_hop=hop,
        labels=spec.labels,
        thresholds=spec.thresholds if spec.activation == "sigmoid" else (),
        results=list(classifier.classify_windows([waveform], waveform.size, spec.sample_rate, Windowing(hop=hop))),
    )


def _hop(seconds: float | None, spec: ModelSpec) -> int:
    """The hop in samples."""
    if seconds is None:
        return spec.window_length
    hop = round(seconds * spec.sample_rate) if 0.0 < seconds < float("inf") else 0
    if hop < 1:
        raise ValueError(f"--hop is {seconds} s; expected at least one sample of {1 / spec.sample_rate:.6f} s")
    return hop


def _excerpt(sample_rate: int, args: argparse.Namespace) -> np.ndarray:
    """The stretch that --start and --seconds ask for, read in blocks."""
    import numpy as np

    from edge_runtime.audio.recordings import open_recording, resampled_blocks
    from edge_runtime.audio.resampling import resampled_length
    from train.progress import note
    from train.recordings.decoding.decoded_blocks import DecodedBlocks

    with open_recording(args.file, DecodedBlocks, args.channel) as recording:
        size = resampled_length(recording.num_samples, recording.sample_rate, sample_rate)
        first, last = _stretch(size, sample_rate, args)
        parts, start = [], 0
        for block in resampled_blocks(recording, sample_rate):
            parts.append(block[max(0, first - start) : max(0, last - start)])
            start += block.size
            if start >= last:
                break
        for remark in recording.remarks():
            note(f"{args.file}: {remark}")
    return np.concatenate(parts)


def _stretch(size: int, sample_rate: int, args: argparse.Namespace) -> tuple[int, int]:
    """First sample, and the one after the last, of what is drawn of so many."""
    from train.progress import note

    length = size / sample_rate
    if not 0.0 <= args.start < length:
        raise ValueError(f"--start is {args.start} s; {args.file} lasts {length:.2f} s")
    if args.seconds is not None and not 0.0 < args.seconds < float("inf"):
        raise ValueError(f"--seconds is {args.seconds}; expected above 0")
    if args.seconds is None and length - args.start > MOST_SECONDS:
        note(
            f"{args.file} lasts {length:.0f} s; {MOST_SECONDS:g} s from {args.start:g} s on are drawn, "
            "--seconds draws more"
        )
    first = round(args.start * sample_rate)
    return first, first + max(1, round((args.seconds or MOST_SECONDS) * sample_rate))


def _title(args: argparse.Namespace, classifier: Classifier | None) -> str:
    """What the picture shows."""
    if classifier is None:
        return f"{args.file.name} at {SAMPLE_RATE} Hz"
    spec = classifier.spec
    takes = {"mel": "mel spectrogram", "stft": "STFT"}.get(spec.front_end.kind)
    seen = f"it sees the {takes}" if takes else "it takes the samples, the spectrograms are for the eye"
    return (
        f"{args.file.name} as input of {args.model.name}\n"
        f"windows of {spec.window_seconds:g} s at {spec.sample_rate} Hz; {seen}"
    )
