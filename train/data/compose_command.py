"""The action `data compose`: scenes with annotations from clips of one label each and a background."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.plural import counted
from train.data.sides import add_side_arguments, put_on_sides

if TYPE_CHECKING:
    from train.annotations.compose import SceneClips, SceneSettings
    from train.annotations.scene_folder import ComposedScenes
    from train.recordings.clip_index import ClipIndex
    from train.recordings.store.clip_store import LoadedClips

DONE = 0
SAMPLE_RATE = 16_000  # Hz
SIDES = ("train", "val", "test")
ONSETS = ("uniform", "spread")  # as `train.annotations.compose` has them, which would make --help wait for NumPy
DEFAULTS = {  # likewise
    "seconds": 10.0,
    "num_events": (1, 5),
    "event_seconds": (1.0, 4.0),
    "snr_db": (5.0, 25.0),
    "max_polyphony": 2,
    "onsets": "uniform",
}
_DEFAULT_SCENES = "70:15:15"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action."""
    parser.add_argument(
        "--background",
        type=Path,
        required=True,
        metavar="DIR",
        help="recordings to put the events on: a folder, or a CSV; sides of their own if it gives them",
    )
    parser.add_argument("--write", type=Path, required=True, metavar="OUT", help="the folder to fill")
    parser.add_argument(
        "--scenes",
        default=_DEFAULT_SCENES,
        metavar="N",
        help=f"scenes of each side, or A:B:C of train, val and test (default {_DEFAULT_SCENES})",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help=_with_default("length of a scene", "seconds"))
    _add_range(parser, "--events", int, "events of a scene, drawn", "num_events")
    _add_range(parser, "--event-seconds", float, "seconds of an event; a shorter clip is taken whole", "event_seconds")
    _add_range(parser, "--snr", float, "dB of an event over the background, RMS", "snr_db")
    parser.add_argument(
        "--polyphony",
        type=int,
        metavar="N",
        help=_with_default("at most so many events sound together", "max_polyphony"),
    )
    parser.add_argument(
        "--onsets",
        choices=ONSETS,
        help=_with_default("where events begin: anywhere, or each in a part of its own", "onsets"),
    )
    add_side_arguments(parser)
    parser.add_argument("--force", action="store_true", help="empty OUT first if earproof filled it")
    parser.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, before any work is done."""
    scene_counts(args.scenes)
    _settings(args)
    if args.write.is_dir() and not args.force and any(args.write.iterdir()):
        raise FileExistsError(f"{args.write} exists; start again with --force, or choose another")
    if args.background.is_dir() and args.background.resolve() in args.write.resolve().parents:
        raise ValueError(f"{args.write} lies in {args.background}, where it would be read as backgrounds")


def scene_counts(text: str) -> dict[str, int]:
    """Return the scenes of each side that has any, from N or A:B:C.

    Raises
    ------
    ValueError
        Anything else, or no scenes at all.
    """
    numbers = text.split(":")
    if len(numbers) not in (1, len(SIDES)) or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"--scenes is {text!r}; expected a number, or three as {_DEFAULT_SCENES}")
    counts = dict(zip(SIDES, map(int, numbers * (len(SIDES) // len(numbers))), strict=True))
    if not any(counts.values()):
        raise ValueError(f"--scenes is {text!r}; expected at least one scene")
    return {side: count for side, count in counts.items() if count}


def run(index: ClipIndex, args: argparse.Namespace) -> int:
    """Compose the scenes; return the exit code."""
    from train.annotations.event_clips import cut_events
    from train.annotations.scene_folder import write_scenes
    from train.data.prepare import load_with_progress
    from train.progress import note, progress_bar
    from train.recordings.output_folder import refuse_originals

    settings, counts = _settings(args), scene_counts(args.scenes)
    index, not_alone = _alone(index)
    clips = load_with_progress(put_on_sides(index, args), SAMPLE_RATE, args.cache, args.strict)
    clips = clips if clips.events is None else cut_events(clips, SAMPLE_RATE)
    clips, backgrounds = _with_backgrounds(clips, args)
    for loaded in (clips, backgrounds):
        refuse_originals(args.write, (loaded.index.root / clip.path for clip in loaded.index.clips))
    left_out = _tell_left_out(clips, backgrounds)
    sides = {side: _of_side(clips, backgrounds, side, settings) for side in counts}
    with progress_bar(sum(counts.values()), "compose", "scene") as bar:
        done = write_scenes(
            sides,
            counts,
            settings,
            args.seed,
            args.write,
            force=args.force,
            tell=lambda count: bar.update(count - bar.n),
        )
    for text in _changes(done):
        note(text)
    result = {
        "folder": str(args.write),
        "scenes": counts,
        "seconds": _seconds(done),
        "events_without_room": done.left_out,
        "events_joined": done.joined,
        "events_not_alone": not_alone,
        "turned_down": {name: round(gain, 4) for name, gain in done.gains.items()},
        **left_out,
        "unreadable": [*clips.skipped, *backgrounds.skipped],
    }
    print(json.dumps(result, indent=2) if args.json else describe(result))
    return DONE


def describe(result: dict[str, Any]) -> str:
    """Return what was composed as text."""
    sides = ", ".join(f"{count} {side}" for side, count in result["scenes"].items())
    heard = ", ".join(f"{label} {seconds:g} s" for label, seconds in result["seconds"].items())
    count = counted(sum(result["scenes"].values()), "scene", form=",")
    return f"wrote {count} to {result['folder']}: {sides}\nannotated: {heard}"


def _add_range(parser: argparse.ArgumentParser, option: str, kind: type, what: str, field: str) -> None:
    """Add an option that takes the least and the most of something."""
    parser.add_argument(option, type=kind, nargs=2, metavar=("MIN", "MAX"), help=_with_default(what, field))


def _with_default(what: str, field: str) -> str:
    """A help text with the default."""
    default = DEFAULTS[field]
    text = " ".join(f"{number:g}" for number in default) if isinstance(default, tuple) else default
    return f"{what} (default {text if isinstance(text, str) else f'{text:g}'})"


def _settings(args: argparse.Namespace) -> SceneSettings:
    """The settings that the arguments give."""
    from train.annotations.compose import SceneSettings

    given = {
        "seconds": args.seconds,
        "num_events": args.events and tuple(args.events),
        "event_seconds": args.event_seconds and tuple(args.event_seconds),
        "snr_db": args.snr and tuple(args.snr),
        "max_polyphony": args.polyphony,
        "onsets": args.onsets,
    }
    return SceneSettings(**{name: value for name, value in given.items() if value is not None})


def _alone(index: ClipIndex) -> tuple[ClipIndex, int]:
    """Annotated recordings with what of their events sounds alone, and how many do not; plain clips as they are."""
    from train.annotations.event_clips import LEAST_SECONDS, events_alone
    from train.progress import note

    if index.events is None:
        return index, 0
    alone = events_alone(index)
    total, kept = (sum(map(len, (one.events or {}).values())) for one in (index, alone))
    note(f"the clips are what sounds alone of {counted(kept, 'event')}")
    if total > kept:
        note(f"left out: {counted(total - kept, 'event')} of which less than {LEAST_SECONDS} s sound alone")
    return alone, total - kept


def _with_backgrounds(clips: LoadedClips, args: argparse.Namespace) -> tuple[LoadedClips, LoadedClips]:
    """The clips and the backgrounds, both on sides; no group and no audio is on two sides of both together."""
    from dataclasses import replace

    from train.annotations.backgrounds import LABEL, backgrounds_on_sides, find_backgrounds
    from train.data.prepare import load_with_progress, tell_assumptions
    from train.progress import note
    from train.recordings.shared_groups import tell_groups_apart
    from train.recordings.split import check_same_audio, check_split

    found = find_backgrounds(args.background)
    tell_assumptions(found)
    (own, other), notes = tell_groups_apart([clips.index.clips, found.clips], [clips.index.root.name, LABEL])
    for text in notes:
        note(text)
    clips = replace(clips, index=clips.index.with_clips(own))
    backgrounds = load_with_progress(found.with_clips(other), SAMPLE_RATE, args.cache, args.strict)
    backgrounds = backgrounds_on_sides(backgrounds, args.seed, note)
    together = [*clips.index.clips, *backgrounds.index.clips]
    check_split(clips.index.with_clips(together))
    check_same_audio(together, [*clips.digests, *backgrounds.digests])
    return clips, backgrounds


def _tell_left_out(clips: LoadedClips, backgrounds: LoadedClips) -> dict[str, list[str]]:
    """Tell and return which recordings no scene is made of."""
    from train.progress import note
    from train.recordings.left_out import name_some

    silent, quiet = ([loaded.index.clips[place].path for place in loaded.silent()] for loaded in (clips, backgrounds))
    several = [clip.path for clip in clips.index.clips if len(clip.labels) > 1]
    reasons = (
        (silent, "clip is silent", "clips are silent"),
        (quiet, "background is silent", "backgrounds are silent"),
        (several, "clip has several labels", "clips have several labels"),
    )
    for names, one, more in reasons:
        if names:
            note(f"left out: {counted(len(names), one, more)}, {name_some(names)}")
    return {"silent": silent, "silent_backgrounds": quiet, "several_labels": several}


def _of_side(clips: LoadedClips, backgrounds: LoadedClips, side: str, settings: SceneSettings) -> SceneClips:
    """What the scenes of a side are made of; backgrounds that are shorter than a scene are told."""
    from train.annotations.compose import clips_of_side
    from train.progress import note

    try:
        found = clips_of_side(clips, backgrounds, side, SAMPLE_RATE)
    except ValueError as error:
        raise ValueError(f"the {side} side: {error}") from error
    lost = sorted(set(clips.index.labels) - set(found.labels))
    if lost:
        note(f"{side}: no clip of one label, and so no event, of {', '.join(lost)}")
    shorter = sum(len(waveform) < settings.seconds * SAMPLE_RATE for waveform in found.backgrounds)
    if shorter:
        note(
            f"{side}: {shorter} of {counted(len(found.backgrounds), 'background')} are shorter than a scene and come "
            "again in it"
        )
    return found


def _changes(done: ComposedScenes) -> list[str]:
    """What people should know about the scenes."""
    from train.recordings.decoding.sixteen_bits import TurnedDown

    texts = []
    if done.left_out:
        texts.append(f"left out: {counted(done.left_out, 'event')} that found no room among the others")
    if done.joined:
        texts.append(f"{counted(done.joined, 'event')} joined with another one of the same label")
    if done.gains:
        turned_down = TurnedDown()
        turned_down.factors = dict(done.gains)
        texts.append(turned_down.describe())
    return texts


def _seconds(done: ComposedScenes) -> dict[str, float]:
    """The seconds of each label in all scenes."""
    seconds: dict[str, float] = {}
    for events in done.events.values():
        for event in events:
            seconds[event.label] = seconds.get(event.label, 0.0) + event.duration
    return {label: round(seconds[label], 2) for label in sorted(seconds)}
