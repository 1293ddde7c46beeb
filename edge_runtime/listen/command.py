"""The verb `earproof listen`: events in the sound of a microphone, a pipe or a recording."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.live_microphone import LiveMicrophone
from edge_runtime.audio.piped_audio import PipedAudio
from edge_runtime.audio.recordings import Decode, open_recording
from edge_runtime.audio.resampling import Resampler
from edge_runtime.audio.sample_format import ShortArray, to_shorts
from edge_runtime.listen.event_files import open_event_file
from edge_runtime.listen.listener import OFF_SHARE, Listener, ListenSettings
from edge_runtime.listen.report import ListenReport
from edge_runtime.listen.smoothing import SMOOTHINGS
from edge_runtime.listen.uncertain_takes import WITHIN, UncertainTakes
from edge_runtime.model.classifier import Classifier
from edge_runtime.options import add_channel_argument, add_silence_argument
from edge_runtime.phone.audio_record import PCM_ENCODINGS
from edge_runtime.phone.harness import TICK_SECONDS
from edge_runtime.scoring.threshold_choice import chosen_thresholds, label_place
from edge_runtime.stop_request import StopRequest
from metadata.plural import counted
from metadata.spec import MelFrontEnd, ModelSpec, StftFrontEnd

DONE, INTERRUPTED = 0, 130


class Source(Protocol):
    """Where sound comes from: a recording, a pipe or a microphone; an empty block means wait."""

    sample_rate: int

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield mono float32 blocks."""
        ...


def add_listen_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof listen`."""
    default = ListenSettings()
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "audio",
        nargs="?",
        metavar="AUDIO",
        help="a recording, or - for standard input (default: the microphone)",
    )
    parser.add_argument("--device", metavar="NAME", help="the microphone: its number or part of its name")
    parser.add_argument(
        "--raw-rate", type=int, metavar="HZ", help="standard input holds raw 16-bit samples of this rate, no WAV"
    )
    parser.add_argument("--raw-channels", type=int, metavar="N", help="of raw samples, with --raw-rate (default 1)")
    add_channel_argument(parser)
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="end after so much sound")
    parser.add_argument("--tick", type=float, metavar="SECONDS", help=f"between decisions (default {TICK_SECONDS:g})")
    parser.add_argument("--pcm", choices=PCM_ENCODINGS, default=default.pcm, help="the sample path (default float)")
    parser.add_argument("--smoothing", choices=SMOOTHINGS, default=default.smoothing, help="kind (default mean)")
    _add_seconds(parser, "--smooth", default.smooth_seconds, "length of the mean, or the exponential's time constant")
    parser.add_argument(
        "--on",
        action="append",
        default=[],
        metavar="[LABEL=]SCORE",
        help="from which an event begins (default: the thresholds in the model)",
    )
    parser.add_argument(
        "--off",
        action="append",
        default=[],
        metavar="[LABEL=]SCORE",
        help=f"below which it ends (default: {OFF_SHARE:g} of --on)",
    )
    _add_seconds(parser, "--min-duration", default.min_duration_seconds, "shorter events do not count")
    _add_seconds(parser, "--min-gap", default.min_gap_seconds, "events of a label nearer than this are one")
    add_silence_argument(parser, "ticks")
    parser.add_argument(
        "--label", action="append", default=[], metavar="LABEL", help="report this label only; repeatable"
    )
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="write events to a .jsonl, .csv or .txt (Audacity labels) file too; repeatable",
    )
    parser.add_argument("--force", action="store_true", help="overwrite the files of --out")
    parser.add_argument("--save-uncertain", type=Path, metavar="DIR", help="keep windows whose decision was close here")
    parser.add_argument(
        "--uncertain-within",
        type=float,
        metavar="SCORE",
        help=f"how near to its threshold a score must be for that, above 0 and below 1 (default {WITHIN:g})",
    )
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")
    parser.set_defaults(may_be_late="audio")


def run_listen(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Listen until the sound ends, --duration is over, or Ctrl-C; print each event as a line of JSON.

    Returns
    -------
    int
        0, also where Ctrl-C ended a microphone or a pipe; 130 where it cut a recording short.

    Raises
    ------
    FileNotFoundError, ModelContractError
        The model or the recording is not there or is none.
    RuntimeError
        There is no microphone, or what it needs is not installed.
    ValueError
        Thresholds or times that make no sense, an unknown label, options that do not go together, or sound that cannot
        be read.
    """
    _check_together(args)
    classifier = Classifier(args.file, args.num_threads)
    spec = classifier.spec
    settings = _settings(args, spec)
    on = chosen_thresholds(args.on, spec.thresholds, spec)
    off = chosen_thresholds(args.off, tuple(OFF_SHARE * threshold for threshold in on), spec)
    takes = _uncertain_takes(args, spec, on)
    listener = Listener(classifier, settings, on, off, takes.offer if takes else None)
    for label in args.label:
        label_place(label, spec)
    if args.duration is not None and not args.duration * spec.sample_rate >= 1.0:
        raise ValueError(f"--duration is {args.duration} s; expected a positive time of at least one sample")
    with contextlib.ExitStack() as stack:
        source = _open_source(args, spec, decode, stack)
        files = [stack.enter_context(contextlib.closing(open_event_file(path, args.force))) for path in args.out]
        stop = stack.enter_context(StopRequest())
        report = ListenReport(listener, files, frozenset(args.label or spec.labels))
        _note_start(source, args, listener)
        try:
            _hear(source, listener, report, stop, args.duration)
        finally:  # a microphone that is unplugged ends the events too
            report.end(source)
            if takes:
                print(takes.told(), file=sys.stderr)
    if listener.num_samples == 0 and not stop.asked:
        raise ValueError("the sound ended without a single sample; expected some")
    return INTERRUPTED if stop.asked and args.audio not in (None, "-") else DONE


def _check_together(args: argparse.Namespace) -> None:
    """Refuse options that do nothing without another one, before anything is opened."""
    if args.uncertain_within is not None and args.save_uncertain is None:
        raise ValueError("--uncertain-within says which windows --save-uncertain DIR keeps; expected that too")
    if args.device is not None and args.audio is not None:
        raise ValueError(f"--device chooses a microphone, and AUDIO is {args.audio}; expected one of the two")
    if args.raw_rate is not None and args.audio != "-":
        raise ValueError("--raw-rate is of raw samples on standard input; expected - as AUDIO too")
    if args.raw_channels is not None and args.raw_rate is None:
        raise ValueError("--raw-channels is of raw samples on standard input; expected --raw-rate HZ too")
    if args.force and not args.out:
        raise ValueError("--force overwrites the files of --out; expected --out FILE too")


def _uncertain_takes(args: argparse.Namespace, spec: ModelSpec, on: tuple[float, ...]) -> UncertainTakes | None:
    """Return where uncertain windows are kept, if they are."""
    if args.save_uncertain is None:
        return None
    digest = hashlib.sha256(args.file.read_bytes()).hexdigest()
    within = WITHIN if args.uncertain_within is None else args.uncertain_within
    takes = UncertainTakes(args.save_uncertain, spec, on, within, model_sha256=digest)
    for fault in takes.faults:
        print(f"passed over: {fault}", file=sys.stderr)
    return takes


def _hear(source: Source, listener: Listener, report: ListenReport, stop: StopRequest, duration: float | None) -> None:
    """Take blocks until there are no more, or it is time to end."""
    rate = listener.classifier.spec.sample_rate
    most = None if duration is None else round(duration * rate)
    for shorts in _at_model_rate(source, rate):
        left = shorts.size if most is None else min(shorts.size, most - listener.num_samples)
        for tick in listener.push(shorts[:left], rate):
            report.tick(tick)
        report.note_remarks(source, ended=False)
        if stop.asked or listener.num_samples == most:
            return


def _at_model_rate(source: Source, sample_rate: int) -> Iterator[ShortArray]:
    """Yield the sound of a source as a microphone at the model's rate would."""
    resampler = Resampler(source.sample_rate, sample_rate)
    for block in source.blocks():
        yield to_shorts(resampler.push(block))
    yield to_shorts(resampler.finish())


def _open_source(
    args: argparse.Namespace, spec: ModelSpec, decode: Decode | None, stack: contextlib.ExitStack
) -> Source:
    """Open the recording, standard input or the microphone."""
    if args.audio is None:
        return stack.enter_context(LiveMicrophone(spec.sample_rate, args.device, args.channel))
    if args.audio == "-":
        num_channels = 1 if args.raw_channels is None else args.raw_channels
        return PipedAudio(sys.stdin.fileno(), args.raw_rate, num_channels, args.channel)
    return stack.enter_context(open_recording(args.audio, decode, args.channel))


def _settings(args: argparse.Namespace, spec: ModelSpec) -> ListenSettings:
    """Return how to listen; ticks that nobody chose fall on whole frames, so that windows can share them."""
    tick = args.tick
    if tick is None:
        tick = min(TICK_SECONDS, spec.window_seconds)
        if not spec.input_is_waveform and isinstance(spec.front_end, (MelFrontEnd, StftFrontEnd)):
            hop = spec.front_end.hop_length / spec.sample_rate
            tick = max(1, round(tick / hop)) * hop
    return ListenSettings(
        tick_seconds=tick,
        pcm=args.pcm,
        smoothing=args.smoothing,
        smooth_seconds=args.smooth,
        min_duration_seconds=args.min_duration,
        min_gap_seconds=args.min_gap,
        silence_below_dbfs=args.silence_below,
    )


def _note_start(source: Source, args: argparse.Namespace, listener: Listener) -> None:
    """Print the source and the settings."""
    spec, tick = listener.classifier.spec, listener.tick_samples / listener.classifier.spec.sample_rate
    name = getattr(source, "name", args.audio)
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    resampled = f", resampled to {spec.sample_rate} Hz" if source.sample_rate != spec.sample_rate else ""
    channels = getattr(source, "num_channels", 1)
    made_one = f", {counted(channels, 'channel')} made one" if channels > 1 else ""
    print(
        f"{name} at {source.sample_rate} Hz{resampled}{made_one}, a decision every {tick:g} s, time 0 is {begin}",
        file=sys.stderr,
    )
    if tick > spec.window_seconds:
        print(f"ticks of {tick:g} s leave gaps: the window is {spec.window_seconds:g} s", file=sys.stderr)


def _add_seconds(parser: argparse.ArgumentParser, name: str, default: float, text: str) -> None:
    """Add an option that takes a time."""
    parser.add_argument(name, type=float, default=default, metavar="SECONDS", help=f"{text} (default {default:g})")
