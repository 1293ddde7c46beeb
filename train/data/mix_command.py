"""The action `data mix`: all mixtures of two recordings as a table, and where asked as recordings."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.plural import counted
from train.data.sides import add_side_arguments, put_on_sides

if TYPE_CHECKING:
    from train.recordings.clip_index import ClipIndex
    from train.recordings.pair_index import MixtureIndex
    from train.recordings.store.clip_store import LoadedClips

DONE = 0
SAMPLE_RATE = 16_000  # Hz
ARRANGED_LENGTHS = {8: "overlap", 10: "adjacent", 12: "gap"}  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action."""
    parser.add_argument("--out", type=Path, metavar="CSV", help="the table to write (default: mixtures.csv in --write)")
    add_side_arguments(parser)
    parser.add_argument("--no-split", action="store_true", help="pair everything with everything, on no side")
    parser.add_argument(
        "--pairs-per-label-pair", type=int, metavar="N", help="keep at most N of each pair of labels, on each side"
    )
    parser.add_argument("--undersample", type=int, metavar="N", help="keep at most N on each side, drawn at random")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the mixtures as 16 kHz mono FLAC too")
    parser.add_argument(
        "--normalization",
        "--normalize",  # its name until 2026
        choices=("pair", "set", "none"),
        help="bring the parts to one peak: the lower of the pair, or the highest of the set (default: pair; none with "
        "--arrange)",
    )
    arranged = parser.add_mutually_exclusive_group()
    arranged.add_argument(
        "--arrange",
        choices=("together", *ARRANGED_LENGTHS.values()),
        help="5 s of each part one after the other: 2 s in common, end to end, or 2 s of silence between",
    )
    arranged.add_argument(
        "--length",
        type=int,
        choices=tuple(ARRANGED_LENGTHS),
        help="the same by the seconds of the whole: 8 overlap, 10 adjacent, 12 gap",
    )
    parser.add_argument("--force", action="store_true", help="overwrite CSV; empty DIR first if earproof filled it")
    parser.add_argument("--resume", action="store_true", help="go on in DIR where an interrupted call stopped")
    parser.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, before any work is done."""
    if not args.out and not args.write:
        raise ValueError("nothing to write; expected --out CSV, --write DIR or both")
    only_written = [name for name in ("normalization", "arrange", "length", "resume") if getattr(args, name)]
    if only_written and not args.write:
        raise ValueError(f"--{only_written[0]} is about the recordings that --write DIR writes; give that too")
    if args.no_split and (args.shares or args.test_fold or args.val_fold):
        raise ValueError("--no-split puts nothing on a side; leave --shares, --test-fold and --val-fold out")
    for name in ("undersample", "pairs_per_label_pair"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} is {getattr(args, name)}; expected 1 or more")
    if args.out and args.out.exists() and not (args.force or args.resume):
        raise FileExistsError(f"{args.out} exists; overwrite it with --force, or choose another name")


def run(index: ClipIndex, args: argparse.Namespace) -> int:
    """Pair the recordings; return the exit code."""
    from train.data.prepare import load_with_progress
    from train.mixtures.mixture_index import pair_clips
    from train.mixtures.mixture_table import MIXTURES_FILE_NAME, write_mixtures

    index.check_labels()
    index = index.without_split() if args.no_split else put_on_sides(index, args)
    arrangement = args.arrange or ARRANGED_LENGTHS.get(args.length, "together")
    clips, silent = _audible(load_with_progress(index, SAMPLE_RATE, args.cache, args.strict), arrangement)
    _tell_crowded(clips.index)
    paired = pair_clips(clips.index)
    mixtures = _undersampled(paired, args)
    resampled, uneven = _say_what_changes(clips, mixtures, arrangement)
    more: dict[str, list[Any]] = {}
    if args.write:
        more = _write_sounds(clips, mixtures, arrangement, args)
    out = args.out or args.write / MIXTURES_FILE_NAME
    write_mixtures(out, mixtures, more)
    result = {
        "mixtures": str(out),
        "recordings": str(args.write) if args.write else None,
        "kept": mixtures.counts_by_side(),
        "of": paired.counts_by_side(),
        "left_out": paired.left_out,
        "label_pairs": _label_pairs(mixtures),
        "silent": silent,
        "unreadable": clips.skipped,
        "resampled": resampled,
        "uneven": uneven,
    }
    print(json.dumps(result, indent=2) if args.json else describe(result))
    return DONE


def describe(result: dict[str, Any]) -> str:
    """Return what was paired as text."""
    lines = [
        f"wrote {result['mixtures']}: {counted(sum(result['kept'].values()), 'mixture', form=',')} of "
        f"{counted(result['label_pairs'], 'label pair')}"
    ]
    for side, count in result["kept"].items():
        of = result["of"][side]
        lines.append(f"  {side:<9}{count:>9,}" + (f" of {of:,}" if of > count else ""))
    lines.append(f"  {'left out':<9}{result['left_out']:>9,} whose parts are on two sides")
    if result["recordings"]:
        lines.append(f"recordings and their clips.csv are in {result['recordings']}")
    return "\n".join(lines)


def _audible(clips: LoadedClips, arrangement: str) -> tuple[LoadedClips, list[str]]:
    """The clips without the silent ones, which are named."""
    from train.mixtures.arrangement import PART_SECONDS, TOGETHER
    from train.progress import note
    from train.recordings.decoding.decode import AudioError
    from train.recordings.split import check_split

    silent = clips.silent(None if arrangement == TOGETHER else round(PART_SECONDS * SAMPLE_RATE))
    names = [clips.index.clips[place].path for place in silent]
    for name in names:
        note(f"left out: {name} is silent and has no volume to make equal to another's")
    if len(silent) == len(clips.waveforms):
        raise AudioError(
            f"all {counted(len(silent), 'recording is', 'recordings are')} silent; there is nothing to mix"
        )
    if silent:
        clips = clips.chosen([place for place in range(len(clips.waveforms)) if place not in set(silent)])
        if any(clip.split for clip in clips.index.clips):
            check_split(clips.index)
    clips.index.check_labels()
    counts = Counter((label, clip.split) for clip in clips.index.clips for label in clip.labels)
    single = sorted(f"{label} ({side})" if side else label for (label, side), count in counts.items() if count == 1)
    if single:
        note(f"one clip only, which is a part of every mixture with its label there: {', '.join(single)}")
    return clips, names


def _tell_crowded(index: ClipIndex) -> None:
    """Say of which sides not every clip becomes part of a mixture."""
    from train.mixtures.mixture_index import MOST_PAIRED, crowded_sides
    from train.progress import note

    for side, count in crowded_sides(index).items():
        note(
            f"{counted(count, 'clip', form=',')} {f'of {side}' if side else 'without a side'} make too many "
            f"pairs: {MOST_PAIRED:,} of them at most are paired, evenly over the labels. "
            "For others, mix a part of the data at a time"
        )


def _undersampled(mixtures: MixtureIndex, args: argparse.Namespace) -> MixtureIndex:
    """As many of the mixtures as asked for."""
    from train.mixtures.undersampling import undersample, undersample_label_pairs

    if args.pairs_per_label_pair:
        mixtures = undersample_label_pairs(mixtures, args.pairs_per_label_pair, args.seed)
    return undersample(mixtures, args.undersample, args.seed) if args.undersample else mixtures


def _say_what_changes(clips: LoadedClips, mixtures: MixtureIndex, arrangement: str) -> tuple[int, int]:
    """Count and tell what is resampled, padded and cut."""
    import numpy as np

    from train.mixtures.arrangement import PART_SECONDS, TOGETHER
    from train.progress import note
    from train.recordings.decoding.decode import stored_rate

    index = clips.index
    resampled = sum(stored_rate(index.root / clip.path) != SAMPLE_RATE for clip in index.clips)
    if resampled:
        note(
            f"{resampled} of {counted(len(index.clips), 'clip')} are not stored at {SAMPLE_RATE} Hz and are "
            "resampled to it"
        )
    lengths = np.array([waveform.size for waveform in clips.waveforms])[mixtures.parts]
    if arrangement == TOGETHER:
        uneven = int((lengths[:, 0] != lengths[:, 1]).sum())
        what = "have parts of different lengths: zeros fill up the shorter one"
    else:
        uneven = int((lengths != round(PART_SECONDS * SAMPLE_RATE)).any(axis=1).sum())
        what = f"have parts that do not last {PART_SECONDS:g} s: longer ones are cut, zeros fill up shorter ones"
    if uneven:
        note(f"{uneven:,} of {counted(len(mixtures), 'mixture', form=',')} {what}")
    return resampled, uneven


def _write_sounds(
    clips: LoadedClips, mixtures: MixtureIndex, arrangement: str, args: argparse.Namespace
) -> dict[str, list[Any]]:
    """Write the recordings under a progress bar; return what they add to the table."""
    from train.mixtures.arrangement import TOGETHER
    from train.mixtures.mixture_files import MixtureSettings, MixtureSounds, refuse_full_disk, write_sounds
    from train.progress import note, progress_bar

    normalization = args.normalization or ("pair" if arrangement == TOGETHER else "none")
    settings = MixtureSettings(sample_rate=SAMPLE_RATE, normalization=normalization, arrangement=arrangement)
    sounds = MixtureSounds(mixtures, clips.waveforms, settings)
    needed = sounds.estimated_bytes()
    free = refuse_full_disk(args.write, needed)
    note(
        f"{counted(len(mixtures), 'recording', form=',')}, about {needed / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are free"
    )
    if args.no_split:
        note("no mixture is on a side, and all hang together through their parts: no later split can part them")
    try:
        with progress_bar(len(mixtures), "mix", "mixture") as bar:
            more = write_sounds(
                sounds, args.write, force=args.force, resume=args.resume, tell=lambda done: bar.update(done - bar.n)
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what is written is kept; go on with the same command and --resume") from None
    base = args.out.parent if args.out else args.write
    more["path"] = [Path(os.path.relpath(args.write / name, base)).as_posix() for name in more["path"]]
    return more


def _label_pairs(mixtures: MixtureIndex) -> int:
    """How many pairs of labels occur."""
    from train.mixtures.mixture_index import label_kinds

    return len(label_kinds(mixtures)[0])
