"""Recordings classified one after the other into a log, shown on the way, and written out in the form asked for.

What classifies is a `RecordingScorer`: one model (`earproof classify`) or a pipeline of several (`earproof count`).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

from edge_runtime.audio.downmix import check_channel
from edge_runtime.audio.recordings import Decode, Recording, open_recording
from edge_runtime.audio.sound_frames import SoundFrames
from edge_runtime.audio.sound_kinds import AUDIO_SUFFIXES, WAV_SUFFIXES
from edge_runtime.audio.source_counts import describe_sources
from edge_runtime.audio.windows import DEFAULT_TAIL, TAILS, Windowing
from edge_runtime.classify.output_files import WRITERS, Line, check_suffix
from edge_runtime.classify.recording_scorer import RecordingScorer, Row
from edge_runtime.classify.resume_log import ScoreLog
from edge_runtime.classify.screen import RecordingScreen
from edge_runtime.model.classifier import Classifier
from edge_runtime.options import (
    add_channel_argument,
    add_silence_argument,
    check_out_file,
    hop_in_samples,
    recording_files,
)
from edge_runtime.phone.audio_record import PCM_ENCODINGS
from edge_runtime.phone.harness import PhoneHarness
from metadata.atomic_file import open_atomically
from metadata.plural import counted
from metadata.spec import ModelSpec

DONE, BAD_INPUT = 0, 2
Writers = Mapping[str, Callable[[Iterable[Line], TextIO], None]]
Finish = Callable[[Iterable[Line]], None]


def add_recording_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how recordings are classified and where the result goes."""
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="from window to window (default: a window)")
    parser.add_argument(
        "--tail", choices=TAILS, default=DEFAULT_TAIL, help="end of a recording (default: the last window ends with it)"
    )
    add_silence_argument(parser, "windows")
    parser.add_argument("--phone", action="store_true", help="replay through AudioRecord and its ring buffer instead")
    parser.add_argument("--pcm", choices=PCM_ENCODINGS, default="float", help="the phone's sample path (default float)")
    add_channel_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write a .json, .jsonl or .csv file when all is read; in a .csv the last column, kind, is window, tick, "
        "clip or error",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the FILE.part that a stopped run left")
    parser.add_argument("--force", action="store_true", help="overwrite FILE, and begin again where FILE.part is there")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")


def run_recordings(
    ear: RecordingScorer,
    args: argparse.Namespace,
    decode: Decode | None = None,
    writers: Writers = WRITERS,
    finish: Finish | None = None,
) -> int:
    """Hear the recordings; one that cannot be read is named and the others go on, with exit code 2.

    Parameters
    ----------
    ear : RecordingScorer
    args : argparse.Namespace
        Of `add_recording_arguments`, or with the same names.
    decode : callable, optional
    writers : mapping of str to callable
        By suffix, .json among them: what writes the lines of the log.
    finish : callable, optional
        Called with the lines of the log when all is read and written.

    Raises
    ------
    FileExistsError
        The file of --out, or what a stopped run left of it, is there.
    ValueError
        A hop that is not positive, a suffix that stands for no format, --resume of another run, or options that
        exclude each other.
    """
    args.audio = recording_files(args.audio, AUDIO_SUFFIXES if decode else WAV_SUFFIXES)
    header = _header(ear, args)
    if args.out is not None:
        return _hear_into(_checked_part(args), header, ear, args, decode, writers, finish)
    if args.resume:
        raise ValueError("--resume goes on with what --out FILE left; expected --out too")
    with tempfile.TemporaryDirectory() as folder:
        return _hear_into(Path(folder) / "scores.jsonl", header, ear, args, decode, writers, finish)


def windowing_of(args: argparse.Namespace, spec: ModelSpec) -> Windowing:
    """Return the windows that --hop, --tail and --silence-below ask for."""
    hop = hop_in_samples(args.hop, spec)
    return Windowing(hop=hop, tail=args.tail, silence_below_dbfs=args.silence_below)


def phone_harness(classifier: Classifier, args: argparse.Namespace) -> PhoneHarness:
    """Return the phone that --phone asks for."""
    return PhoneHarness(classifier=classifier, pcm=args.pcm, silence_below_dbfs=args.silence_below)


def describe_model(classifier: Classifier, path: Path) -> Row:
    """Return what the output says about a model."""
    spec = classifier.spec
    foreign: Row = {} if spec.score_transform == "none" else {"score_transform": spec.score_transform}
    if classifier.notes:
        foreign["notes"] = list(classifier.notes)
    return {
        "file": str(path),
        "name": spec.name,
        "recipe": spec.recipe,
        "labels": list(spec.labels),
        "activation": spec.activation,
        "thresholds": list(spec.thresholds),
        "sample_rate": spec.sample_rate,
        "window_length": spec.window_length,
        "sha256": hashlib.sha256(classifier.model).hexdigest(),
        **foreign,
    }


def _hear_into(
    part: Path,
    header: Row,
    ear: RecordingScorer,
    args: argparse.Namespace,
    decode: Decode | None,
    writers: Writers,
    finish: Finish | None,
) -> int:
    """Hear what the log does not hold yet, then write it out in the form that was asked for."""
    sources: list[tuple[int, int]] = []
    with ScoreLog(part, header, ear, args.resume) as log:
        try:
            for path in args.audio[log.num_ended :]:
                sources += _hear(ear, path, log, args, decode)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{part} keeps the scores so far: add --resume" if args.out else "") from None
        if summary := describe_sources(sources, ear.spec.sample_rate):
            print(summary, file=sys.stderr)
        if log.num_failed and log.num_ended > 1:
            read = f"{log.num_ended - log.num_failed} of {counted(log.num_ended, 'recording')} read"
            print(f"{read}, {log.num_failed} refused with an error, as said above", file=sys.stderr)
        if args.json:
            writers[".json"](log.lines(), sys.stdout)
        if args.out is not None:
            with open_atomically(args.out) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
                writers[args.out.suffix](log.lines(), text)
            print(f"wrote {args.out}", file=sys.stderr)
        if finish is not None:
            finish(log.lines())
    if args.out is not None:
        part.unlink()
    return BAD_INPUT if log.num_failed else DONE


def _hear(
    ear: RecordingScorer, path: Path, log: ScoreLog, args: argparse.Namespace, decode: Decode | None
) -> list[tuple[int, int]]:
    """Hear one recording, or what the log lacks of it; a fault of the recording ends up in the log.

    What comes back is its rate and channels, nothing where it has a fault.
    """
    sources: list[tuple[int, int]] = []
    opening = {"recording": str(path), "duration_seconds": None, "phone": args.phone}
    try:
        with open_recording(path, decode, args.channel) as recording:
            duration = recording.num_samples / recording.sample_rate
            log.begin({**opening, "duration_seconds": duration})
            if log.num_rows:
                print(f"{path}: going on after {counted(log.num_rows, 'row')}", file=sys.stderr)
            end = _hear_rows(ear, path, recording, log, args)
            if isinstance(recording, SoundFrames):
                for remark in recording.remarks(args.phone):
                    print(f"{path}: {remark}", file=sys.stderr)
                sources.append((recording.sample_rate, recording.num_channels))
    except BrokenPipeError:  # of our own output, whose reader has gone
        raise
    except (ValueError, OSError) as error:
        print(f"earproof {ear.verb}: {error}", file=sys.stderr)
        log.begin(opening)
        end = {"error": str(error)}
    log.add(end)
    return sources


def _hear_rows(ear: RecordingScorer, path: Path, recording: Recording, log: ScoreLog, args: argparse.Namespace) -> Row:
    """Put the rows of a recording into the log and on the screen; return the line that ends it."""
    screen = RecordingScreen(ear, path, recording.num_samples / recording.sample_rate, args)
    for row in ear.rows(recording, log.num_rows):
        log.add(row)
        screen.show(row)
    if args.phone:
        lost = log.last_row["lost_samples"] if log.last_row else 0
        screen.note_lost(lost)
        return {"phone": {"lost_samples": lost}}
    clip = ear.clip()
    screen.show_clip(clip)
    return {"clip": clip}


def _header(ear: RecordingScorer, args: argparse.Namespace) -> Row:
    """Return what was asked for, by which `--resume` knows its own log."""
    windowing_of(args, ear.spec)
    check_channel(args.channel)
    if args.phone and args.merge is not None:
        raise ValueError("--merge makes one clip of all windows; --phone shows ticks and makes none. Leave one out")
    heard = {"pcm": args.pcm} if args.phone else {"hop": args.hop, "tail": args.tail, "merge": ear.clip()["merge"]}
    return {
        "model": ear.describe(),
        "settings": {
            "phone": args.phone,
            **heard,
            "silence_below_dbfs": args.silence_below,
            "channel": args.channel,
        },
        "recordings": [_fingerprint(path) for path in args.audio],
    }


def _fingerprint(path: Path) -> Row:
    """Return the part of a path that distinguishes recordings of the same name."""
    there = path.stat() if path.is_file() else None
    return {
        "file": str(path),
        "num_bytes": there.st_size if there else None,
        "modified_ns": there.st_mtime_ns if there else None,
    }


def _checked_part(args: argparse.Namespace) -> Path:
    """Return the log beside the file of --out, after checking that neither would be lost by writing."""
    check_suffix(args.out)
    check_out_file(args.out, args.force)
    part = Path(f"{args.out}.part")
    if part.exists() and not (args.resume or args.force):
        raise FileExistsError(
            f"{part} holds the scores of a stopped run; --resume goes on with it, --force begins again"
        )
    return part
