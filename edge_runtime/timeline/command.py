"""The verb `earproof timeline`: what sounds in each second of a recording, and where it begins and ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edge_runtime.audio.level import check_silence_limit
from edge_runtime.audio.recordings import Decode
from edge_runtime.classify.output_files import Line
from edge_runtime.classify.recording_run import run_recordings
from edge_runtime.model.classifier import Classifier
from edge_runtime.options import add_channel_argument, add_detecting_arguments, check_out_file
from edge_runtime.segments.detecting import Detecting, detecting_of, no_frame_thresholds
from edge_runtime.segments.forms import FORMS
from edge_runtime.timeline.envelope import recording_envelope
from edge_runtime.timeline.output_files import WRITERS
from edge_runtime.timeline.scorers import FrameScorer, SecondScorer
from edge_runtime.timeline.second_rows import MOST_WINDOW_SECONDS, SILENCE_DBFS, Stamping
from edge_runtime.timeline.segment_files import segment_files, write_segment_files
from metadata.errors import ModelContractError
from metadata.spec import ModelSpec

Draw = Callable[[dict[str, Any], Path], None]
PICTURE_SUFFIXES = (".png", ".svg")
_BY_SECOND = {"--silence-below": "silence_below", "--threshold": "threshold", "--plain-borders": "plain_borders"}


def add_timeline_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof timeline`."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .tflite file whose window is 2 s at most, or that scores frames"
    )
    parser.add_argument(
        "audio", type=Path, nargs="+", metavar="AUDIO", help="recordings, any length and rate, or a folder"
    )
    parser.add_argument(
        "--silence-below",
        type=float,
        metavar="DB",
        help=f"seconds at or below this level in dBFS are silence (default {SILENCE_DBFS:g})",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="SCORE",
        help="lowest score that counts where a second has one label, as 0.7 (default: the highest always counts; where "
        "it has several: the thresholds in the model)",
    )
    parser.add_argument(
        "--plain-borders", action="store_true", help="let labels change with the second: refine no borders"
    )
    add_detecting_arguments(parser)
    add_channel_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write a .csv (a row a second), .json or .jsonl when all is read"
    )
    parser.add_argument(
        "--segments",
        action="append",
        default=[],
        metavar="[FORM=]FILE",
        help=f"write the segments, as {', '.join(FORMS)}: by the suffix, .txt is a label track; may be repeated",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the recording as .png or .svg")
    parser.add_argument("--first", type=float, metavar="S", help="draw its first seconds only (default: all)")
    parser.add_argument("--resume", action="store_true", help="go on with the FILE.part that a stopped run left")
    parser.add_argument("--force", action="store_true", help="overwrite files, and begin again where FILE.part is")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")
    # What `run_recordings` knows of the verbs that cut their own windows.
    parser.set_defaults(phone=False, pcm="float", tail="align", merge=None)


def run_timeline(args: argparse.Namespace, decode: Decode | None = None, draw: Draw | None = None) -> int:
    """Stamp the seconds of recordings; see `run_recordings`.

    Raises
    ------
    FileNotFoundError, ModelContractError
        The model is not there, is none, or has windows of more than 2 s and no scores of frames.
    FileExistsError, ValueError
        As for `run_recordings`; a level or a score that is none, or a picture that cannot be drawn.
    """
    check_silence_limit(args.silence_below)
    if args.threshold is not None and not 0.0 <= args.threshold <= 1.0:
        raise ValueError(f"--threshold is {args.threshold}; expected a score from 0 to 1")
    classifier = Classifier(args.file, args.num_threads)
    scorer = _scorer(classifier, args)
    _check_picture(args, draw)
    files = segment_files(args.segments, _is_one_recording(args), args.force)

    def finish(lines: Iterable[Line]) -> None:
        kept = [line for line in lines if "scores" not in line]
        write_segment_files(files, kept)
        if args.picture is not None and draw is not None:
            _draw(scorer, kept, args, decode, draw)

    return run_recordings(scorer, args, decode, WRITERS, finish)


def _scorer(classifier: Classifier, args: argparse.Namespace) -> SecondScorer | FrameScorer:
    """How the model scores recordings; raises where it cannot, or where options have no use for it."""
    spec, detecting = classifier.spec, detecting_of(args)
    if spec.frames is not None:
        for option, given in _BY_SECOND.items():
            if getattr(args, given) not in (None, False):
                raise ValueError(
                    f"{args.file} scores frames: events begin and end by the thresholds in the model, and silence is "
                    f"no label; expected no {option}. See --median-frames, --gap and --shortest"
                )
        by_frame = FrameScorer(classifier, args, detecting)
        _tell_rules(spec, by_frame.score_rows.rounded)
        return by_frame
    _check_seconds(spec, args)
    if detecting != Detecting():
        raise ValueError(
            f"{args.file} has no scores of frames; expected no --hop, --median-frames, --gap or --shortest, which are "
            "for models such as earproof train event_crnn makes"
        )
    if args.silence_below is None:
        args.silence_below = SILENCE_DBFS
    stamping = Stamping(silence_dbfs=args.silence_below, threshold=args.threshold, refined=not args.plain_borders)
    return SecondScorer(classifier, args, stamping)


def _tell_rules(spec: ModelSpec, rounded: str) -> None:
    """Tell what was rounded and assumed of a model that scores frames."""
    if rounded:
        print(rounded, file=sys.stderr)
    if spec.frames is not None and not spec.frames.thresholds:
        print(no_frame_thresholds(spec), file=sys.stderr)


def _check_seconds(spec: ModelSpec, args: argparse.Namespace) -> None:
    """Refuse a model that cannot say what a single second is, and a threshold that it has no use for."""
    if spec.window_seconds > MOST_WINDOW_SECONDS:
        raise ModelContractError(
            f"{args.file} has windows of {spec.window_seconds:g} s and has no scores for parts of it; time stamps of a "
            f"second need a window of {MOST_WINDOW_SECONDS:g} s at most, or scores of frames. Train one with earproof "
            "train timeline, or with event_crnn for events; the scores of this one, window by window, are those of "
            "earproof classify --hop 1"
        )
    if args.threshold is not None and spec.activation == "sigmoid":
        raise ValueError(
            f"{spec.name} tells several labels, each by its own threshold in the model; expected no --threshold. "
            "Others are written with earproof metadata write"
        )


def _check_picture(args: argparse.Namespace, draw: Draw | None) -> None:
    """Refuse a picture that could not be drawn when all is read."""
    if args.picture is None:
        if args.first is not None:
            raise ValueError("--first says how much is drawn; expected --picture too")
        return
    if draw is None:
        raise ValueError("--picture needs matplotlib, which a device install leaves out; draw where all is installed")
    if args.picture.suffix.lower() not in PICTURE_SUFFIXES:
        raise ValueError(f"--picture is {args.picture}; expected a name that ends in {' or '.join(PICTURE_SUFFIXES)}")
    if not _is_one_recording(args):
        raise ValueError("--picture draws one recording; expected one AUDIO that is a file")
    if args.first is not None and not 0.0 < args.first < float("inf"):
        raise ValueError(f"--first is {args.first}; expected seconds above 0")
    check_out_file(args.picture, args.force)


def _is_one_recording(args: argparse.Namespace) -> bool:
    """Whether one file is named, and no folder."""
    return len(args.audio) == 1 and not args.audio[0].is_dir()


def _draw(
    scorer: SecondScorer | FrameScorer,
    lines: Iterable[Line],
    args: argparse.Namespace,
    decode: Decode | None,
    draw: Draw,
) -> None:
    """Draw the recording."""
    clip = next((line["clip"] for line in lines if "clip" in line), None)
    if clip is None:  # it could not be read, which was said
        return
    document = {
        "file": str(args.audio[0]),
        "model": args.file.name,
        "labels": list(scorer.spec.labels),
        "silence": scorer.silence,
        "segments": clip["segments"],
        **recording_envelope(args.audio[0], decode, args.channel, args.first),
    }
    draw(document, args.picture)
    print(f"wrote {args.picture}", file=sys.stderr)
