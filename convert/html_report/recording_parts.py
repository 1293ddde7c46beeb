"""Which recordings two runs have not in common, and whether both are tested on the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from convert.html_report.page_parts import Block, Missing, Table, Text
from convert.html_report.run_record import RunRecord
from metadata.plural import counted

_SIDES = ("train", "val", "test")
_MOST_GROUPS = 20
_WHAT = "which recordings were added"

Rows = Mapping[str, Mapping[str, str]]  # of split.csv, by the recording's path


def recording_blocks(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> list[Block]:
    """Return what each run has that the other has not, by group, and whether the test side is the same."""
    ours, theirs = _split(a), _split(b)
    if ours is None or theirs is None:
        return [Missing(what=_WHAT, why="no training folder with split.csv is in the folders of both runs")]
    if not ours.keys() & theirs.keys():
        why = "the runs have no recording in common, by its path; were recordings or a run moved?"
        return [Missing(what=_WHAT, why=why)]
    added, left_out = _only(theirs, ours), _only(ours, theirs)
    lines = [
        f"**Added:** {_counts(added)} that {names[0]} has not.",
        f"**Left out:** {_counts(left_out)} that {names[1]} has not.",
        *_changes(ours, theirs),
        _test_side(ours, theirs, names),
    ]
    tables = [
        _by_group(f"Recordings that only {name} has, by group", rows)
        for name, rows in ((names[1], added), (names[0], left_out))
        if rows
    ]
    return [Text(lines=tuple(lines)), *tables]


def _split(run: RunRecord) -> Rows | None:
    """The recordings of the model that the verdict is about, else of the first one whose folder lists them."""
    models = [run.judged_model, *run.models]
    found = next((run.trainings[model].split for model in models if run.trainings[model].split), None)
    return None if found is None else {row["path"]: row for row in found}


def _only(these: Rows, others: Rows) -> list[Mapping[str, str]]:
    """The recordings that are not among others."""
    return [row for path, row in these.items() if path not in others]


def _counts(rows: Sequence[Mapping[str, str]]) -> str:
    """How many recordings of how many groups, and on which sides."""
    if not rows:
        return "no clip"
    sides = Counter(row["split"] for row in rows)
    on = ", ".join(f"{sides[side]} {side}" for side in _SIDES if sides[side])
    groups = counted(len({row["group"] for row in rows}), "group")
    return f"{counted(len(rows), 'clip')} of {groups} ({on})"


def _changes(ours: Rows, theirs: Rows) -> list[str]:
    """How many recordings have other labels, or are on another side."""
    lines = []
    for name, what in (("labels", "other labels"), ("split", "another side")):
        changed = [path for path in ours if path in theirs and ours[path][name] != theirs[path][name]]
        if changed:
            first = ours[changed[0]][name], theirs[changed[0]][name]
            lines.append(f"**Changed:** {counted(len(changed), 'clip')} with {what}, the first {' → '.join(first)}.")
    return lines


def _test_side(ours: Rows, theirs: Rows, names: tuple[str, str]) -> str:
    """Whether both are tested on the same recordings."""
    tested = [{path for path, row in rows.items() if row["split"] == "test"} for rows in (ours, theirs)]
    if tested[0] == tested[1]:
        return f"**The test side is the same:** {counted(len(tested[0]), 'clip')}."
    missing = [counted(len(tested[place] - tested[1 - place]), "clip") for place in (0, 1)]
    return (
        f"**The test sides differ:** {missing[0]} only in {names[0]}, {missing[1]} only in {names[1]}. Build with the "
        "same DATA and seed, and give what is added a side of its own in the column split."
    )


def _by_group(caption: str, rows: Sequence[Mapping[str, str]]) -> Table:
    """The recordings by group, the largest groups first."""
    held = Counter((row["group"], row["split"]) for row in rows)
    labels: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        labels.setdefault((row["group"], row["split"]), Counter())[row["labels"]] += 1
    shown = held.most_common(_MOST_GROUPS)
    cells = [
        (group, side, str(count), ", ".join(f"{label} {number}" for label, number in labels[group, side].most_common()))
        for (group, side), count in shown
    ]
    if len(held) > len(shown):
        rest = sum(held.values()) - sum(count for _, count in shown)
        cells.append((f"{counted(len(held) - len(shown), 'more group')}", "", str(rest), ""))
    return Table(caption=caption, header=("group", "side", "clips", "labels"), rows=tuple(cells))
