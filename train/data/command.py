"""The verb `data`: list, index, split, check, trim, import, mix, compose and oversample recordings."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.segments.time_units import UNITS
from metadata.plural import counted
from train.data import compose_command, mix_command, oversample_command
from train.data.sides import add_dataset_argument, add_side_arguments, put_on_sides
from train.recordings.clip import LABEL_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from train.annotations.read_annotations import ReadAnnotations
    from train.checks.duplicates import Duplicate
    from train.recordings.clip_index import ClipIndex

DONE, CHECK_FAILED = 0, 1
SAMPLE_RATE = 16_000  # Hz, of the recordings that import writes


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_unit(_add_action(actions, "list", "count clips, groups and minutes, or events, by label and side"))
    _add_out(_add_action(actions, "index", "write the clip index of recordings, to edit or to train on"))
    split = _add_out(_add_action(actions, "split", "write the clip index with every clip on a side, by group"))
    add_side_arguments(split)
    check = _add_action(actions, "check", "look for leaks, shortcuts and faulty recordings; exit code 1 for an error")
    _add_unit(check)
    check.add_argument(
        "--embeddings",
        metavar="MODEL",
        help="look for wrong labels and copies by them too: a backbone's name, what else earproof embed takes, or the "
        "EMB.npz that it wrote",
    )
    check.add_argument("--plots", type=Path, metavar="DIR", help="write pictures of balance, level, bandwidth, length")
    check.add_argument("--force", action="store_true", help="empty DIR first if earproof filled it")
    duplicates = _add_action(actions, "duplicates", "find the same audio under two names")
    _add_out(duplicates, required=False, what="write the index with one group for clips that share audio")
    trim = _add_action(
        actions,
        "trim",
        "cut the quiet at both ends off, into new files; labels that are quiet by nature lose recordings",
    )
    _add_into(trim)
    trim.add_argument("--threshold-dbfs", type=float, default=-50.0, metavar="DB", help="quiet is below (default -50)")
    trim.add_argument("--margin", type=float, default=0.1, metavar="S", help="seconds of quiet to keep (default 0.1)")
    mix_command.add_arguments(_add_action(actions, "mix", "pair recordings of two labels; write the mixtures"))
    compose = _add_action(actions, "compose", "write scenes of clips, or of the events of scenes, on a background")
    _add_unit(compose)
    compose_command.add_arguments(compose)
    oversample_command.add_arguments(_add_action(actions, "oversample", "write copies of other pitch to train on"))
    decode = _add_action(actions, "import", "write every clip as 16 kHz mono FLAC, one folder a label")
    _add_into(decode)
    decode.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    decode.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one action; return the exit code."""
    return _ACTIONS[args.action](args)


def _add_action(actions: Any, name: str, what: str) -> argparse.ArgumentParser:
    """Add one action with the arguments that all have."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=what, description=what[0].upper() + what[1:] + ".", allow_abbrev=False
    )
    parser.add_argument(
        "data", type=Path, nargs="+", metavar="DATA", help="a folder with one sub-folder a label, a data set, or a CSV"
    )
    add_dataset_argument(parser)
    parser.add_argument("--labels", type=Path, metavar="labels.txt", help="labels in output order (default: sorted)")
    parser.add_argument("--label", metavar="NAME", help="call everything in DATA this, whatever its labels are")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    return parser


def _add_unit(parser: argparse.ArgumentParser) -> None:
    """Add what the times of annotations count."""
    parser.add_argument("--unit", choices=UNITS, help=f"of the times of annotations (default {UNITS[0]})")


def _add_out(
    parser: argparse.ArgumentParser, required: bool = True, what: str = "the table to write"
) -> argparse.ArgumentParser:
    """Add where a clip index goes."""
    parser.add_argument("--out", type=Path, required=required, metavar="CSV", help=what)
    parser.add_argument("--force", action="store_true", help="overwrite CSV")
    return parser


def _add_into(parser: argparse.ArgumentParser) -> None:
    """Add where new recordings go."""
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to fill")
    parser.add_argument("--force", action="store_true", help="empty DIR first if earproof filled it")


def _refuse_inside(args: argparse.Namespace) -> None:
    """Raise ValueError where new recordings would go below DATA: they would be found there as a label of their own."""
    target = getattr(args, "into", None) or getattr(args, "write", None)
    for data in args.data:
        if target and data.is_dir() and data.resolve() in target.resolve().parents:
            raise ValueError(f"{target} lies in {data}, where it would be read as recordings; write to another folder")


def _find(args: argparse.Namespace) -> ClipIndex:
    """The index of all DATA together, as plain clips."""
    from train.annotations.annotated_folder import find_annotations
    from train.progress import note
    from train.recordings.clip_index import find_clips

    _refuse_inside(args)
    for data in args.data:
        annotations = None if args.dataset else find_annotations(data)
        if annotations:
            note(f"{annotations}: data {args.action} does not read annotations; data list, check and compose do")
    return _combined(args, lambda data, labels: find_clips(data, labels, args.dataset))


def _find_either(args: argparse.Namespace) -> tuple[ClipIndex, list[ReadAnnotations]]:
    """The index of all DATA together, with events where they have annotations, and these as they were read."""
    from train.data.annotated_data import find_either

    annotations: list[ReadAnnotations] = []

    def find(data: Path, labels: Sequence[str] | None) -> ClipIndex:
        index, read = find_either(data, labels, args.dataset, args.unit)
        annotations.extend(read)
        return index

    return _combined(args, find), annotations


def _combined(args: argparse.Namespace, find: Callable[[Path, Sequence[str] | None], ClipIndex]) -> ClipIndex:
    """The index of all DATA together, each found by `find`."""
    from metadata.labels import read_labels
    from train.data.prepare import tell_assumptions
    from train.progress import note
    from train.recordings.clip_index import combine

    labels = read_labels(args.labels, keep_numbers=True) if args.labels else None
    found = [find(data, None if args.label else labels) for data in args.data]
    if args.label:
        found = [index.relabelled(args.label) for index in found]
    index = combine(found, labels)
    tell_assumptions(index)
    groups = len({group for clip in index.clips for group in clip.groups})
    note(f"{counted(len(index.clips), 'clip')} in {counted(groups, 'group')}, from {index.source}")
    return index


def _list(args: argparse.Namespace) -> int:
    """Count by label and side, from what the files' headers say."""
    from train.annotations.event_counts import clips_by_side, count_events, event_table
    from train.progress import note
    from train.recordings.clip_counts import count_clips, count_notes, counts_table, taught_notes
    from train.recordings.decoding.decode import AudioError, duration
    from train.recordings.left_out import count_left_out

    index, annotations = _find_either(args)
    kept, seconds = [], []
    left_out = [fault.text for read in annotations for fault in read.faults]
    for clip in index.clips:
        try:
            seconds.append(duration(index.root / clip.path))
            kept.append(clip)
        except AudioError as error:
            left_out.append(str(error))
    left_out = list(dict.fromkeys(left_out))  # annotations of what cannot be read are a fault too
    for text in left_out:
        note(f"not counted: {text}")
    index = index.with_clips(kept)
    if index.events is not None:
        note(f"recordings of {sum(seconds) / 60:.1f} minutes")
    rows = count_clips(index, seconds) if index.events is None else count_events(index)
    notes = [*index.notes, *taught_notes(index.taught)]
    document = {"labels": rows, "left_out": left_out, "not_read": count_left_out(index.left_out), "notes": notes}
    table = counts_table(rows) if index.events is None else event_table(rows, list(clips_by_side(index)))
    print(json.dumps(document, indent=2) if args.json else table)
    for text in count_notes(kept, len(left_out)):
        note(text)
    return DONE


def _index(args: argparse.Namespace) -> int:
    """Write the index as it was found."""
    return _write(_find(args), args)


def _split(args: argparse.Namespace) -> int:
    """Write the index with every clip on a side."""
    _refuse_existing(args)
    return _write(put_on_sides(_find(args), args), args)


def _check(args: argparse.Namespace) -> int:
    """Look at every recording and print what is wrong; 1 where an error is among it."""
    from train.checks.data_check import check_data
    from train.progress import note, progress_bar
    from train.recordings.left_out import count_left_out
    from train.recordings.output_folder import claim_folder

    index, annotations = _find_either(args)
    if args.plots:
        claim_folder(args.plots, force=args.force)
    with progress_bar(len(index.clips), "listen", "clip") as bar:
        check = check_data(index, lambda done: bar.update(done - bar.n), annotations)
    if args.embeddings:
        from train.data.embedding_check import check_embeddings

        check = check_embeddings(check, args.embeddings)
    if args.plots:
        from train.checks.check_plots import plot_check

        for path in plot_check(check, args.plots):
            note(f"wrote {path}")
    if args.json:
        document = {**check.as_dict(), "not_read": count_left_out(index.left_out), "notes": index.notes}
        print(json.dumps(document, indent=2))
    else:
        counts = {
            level: sum(found.level == level for found in check.findings) for level in ("error", "warning", "note")
        }
        print("\n".join(finding.describe() for finding in check.findings))
        print(
            f"{counted(len(check.index.clips), 'clip')}: "
            + ", ".join(counted(count, level) for level, count in counts.items())
        )
    return DONE if check.passed else CHECK_FAILED


def _duplicates(args: argparse.Namespace) -> int:
    """Print the pairs with the same audio; where asked, write the index with one group for each."""
    from dataclasses import replace

    from train.checks.data_check import duplicates_among, measure_clips
    from train.checks.duplicates import groups_with_duplicates
    from train.checks.split_findings import describe_pair
    from train.progress import note, progress_bar

    _refuse_existing(args)
    found = _find(args)
    with progress_bar(len(found.clips), "listen", "clip") as bar:
        index, measures, unreadable = measure_clips(found, lambda done: bar.update(done - bar.n))
    for reason in unreadable:
        note(f"left out: {reason}")
    pairs = duplicates_among(index, measures)
    if args.json:
        print(json.dumps([_pair_document(index, pair) for pair in pairs], indent=2))
    else:
        print(
            "\n".join(
                [
                    *(describe_pair(index, pair) for pair in pairs),
                    f"{counted(len(pairs), 'pair holds', 'pairs hold')} the same audio",
                ]
            )
        )
    if args.out:
        groups = groups_with_duplicates([clip.group for clip in index.clips], pairs)
        joined = index.with_clips(replace(clip, group=group) for clip, group in zip(index.clips, groups, strict=True))
        return _write(joined, args)
    return DONE


def _trim(args: argparse.Namespace) -> int:
    """Write the clips without the quiet at their ends."""
    from train.progress import note, progress_bar
    from train.recordings.trim import TrimSettings, trim_clips

    settings = TrimSettings(threshold_dbfs=args.threshold_dbfs, margin_seconds=args.margin)
    index = _find(args)
    told: list[str] = []  # once the bar is gone
    with progress_bar(len(index.clips), "trim", "clip") as bar:
        done = trim_clips(
            index, args.into, settings, force=args.force, tell=lambda count: bar.update(count - bar.n), say=told.append
        )
    for text in told:
        note(text)
    for reason in done.left_out:
        note(f"left out: {reason}")
    if done.renamed:
        note(done.renamed)
    result: dict[str, Any] = {
        "clips": len(done.index.clips),
        "left_out": done.left_out,
        "seconds_before": round(done.seconds_before, 2),
        "seconds_after": round(done.seconds_after, 2),
    }
    text = (
        f"{counted(result['clips'], 'clip')} in {args.into}, {len(done.left_out)} left out; "
        f"{done.seconds_before / 60:.1f} minutes before, {done.seconds_after / 60:.1f} after"
    )
    print(json.dumps(result, indent=2) if args.json else text)
    return DONE


def _import(args: argparse.Namespace) -> int:
    """Write a decoded copy of every clip."""
    from train.data.prepare import load_with_progress
    from train.progress import note
    from train.recordings.import_clips import import_clips
    from train.recordings.tables.import_names import tell_renamed
    from train.recordings.tables.new_names import refuse_shared_folders

    index = _find(args)
    refuse_shared_folders(index.labels)
    clips = load_with_progress(index, SAMPLE_RATE, args.cache, args.strict)
    written = import_clips(clips, SAMPLE_RATE, args.into, force=args.force, say=note)
    renamed = tell_renamed(clips.index.clips)
    if renamed:
        note(renamed)
    result = {"index": str(written), "clips": len(clips.index.clips), "left_out": clips.skipped}
    print(json.dumps(result, indent=2) if args.json else f"wrote {written}, {counted(len(clips.index.clips), 'clip')}")
    return DONE


def _mix(args: argparse.Namespace) -> int:
    """Pair recordings."""
    mix_command.check(args)
    return mix_command.run(_find(args), args)


def _compose(args: argparse.Namespace) -> int:
    """Compose scenes."""
    from metadata.csv_rows import raise_faults

    compose_command.check(args)
    _refuse_inside(args)
    index, annotations = _find_either(args)
    for read in annotations:
        raise_faults(read.source, [fault.text for fault in read.faults])
    return compose_command.run(index, args)


def _oversample(args: argparse.Namespace) -> int:
    """Write copies of other pitch."""
    return oversample_command.run(_find(args), args)


def _pair_document(index: ClipIndex, pair: Duplicate) -> dict[str, Any]:
    """A pair for JSON."""
    names = {name: index.clips[place].path for name, place in (("first", pair.first), ("second", pair.second))}
    return {**names, "exact": pair.exact, "correlation": round(pair.correlation, 4), "seconds": round(pair.seconds, 2)}


def _refuse_existing(args: argparse.Namespace) -> None:
    """Refuse to overwrite a table, before any work is done."""
    if args.out and args.out.exists() and not args.force:
        raise FileExistsError(f"{args.out} exists; overwrite it with --force, or choose another name")


def _write(index: ClipIndex, args: argparse.Namespace) -> int:
    """Write the index and say what is in it."""
    from train.progress import note
    from train.recordings.clip_index import write_index
    from train.recordings.left_out import count_left_out

    _refuse_existing(args)
    write_index(args.out, index)
    labels = {label: sum(label in clip.labels for clip in index.clips) for label in index.labels}
    result = {"index": str(args.out), "clips": len(index.clips), "labels": labels}
    result["not_read"] = count_left_out(index.left_out)
    several = sum(len(clip.labels) > 1 for clip in index.clips)
    if several:
        note(f"{counted(several, 'clip has', 'clips have')} several labels, joined by {LABEL_SEPARATOR}")
    by_label = ", ".join(f"{label} {count}" for label, count in labels.items())
    # The duplicates' own result is on stdout already.
    if args.action == "duplicates":
        note(f"wrote {args.out}")
    else:
        print(
            json.dumps(result, indent=2)
            if args.json
            else f"wrote {args.out}, {counted(len(index.clips), 'clip')}: {by_label}"
        )
    return DONE


_ACTIONS = {
    "list": _list,
    "index": _index,
    "split": _split,
    "check": _check,
    "duplicates": _duplicates,
    "trim": _trim,
    "import": _import,
    "mix": _mix,
    "compose": _compose,
    "oversample": _oversample,
}
