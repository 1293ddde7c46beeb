"""What two runs have not in common, and which is more often right on the same test windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convert.html_report.mistakes import is_right, thresholds_of
from convert.html_report.model_card import data_facts, setting_rows
from convert.html_report.page_parts import Block, Missing, Part, Table, Text, Verdict
from convert.html_report.recording_parts import recording_blocks
from convert.html_report.run_record import RunRecord
from edge_runtime.machine.describe import machine_line
from edge_runtime.parity.golden_vectors import Golden
from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval
from metadata.plural import counted
from metadata.signed import signed
from train.evaluation.evaluation_text import share_cell

ABSENT = "–"
# What a pair of models comes to.
MORE = "more often right"
LESS = "less often right"
SAME = "right on the same windows"
ONE_GROUP = "one group alone has no interval"


def compare_parts(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> list[Part]:
    """Return the sections about both runs: who is more often right, what differs, and the files of the same name."""
    return [
        Part(anchor="paired", title="Which is more often right", blocks=tuple(_paired_blocks(a, b, names))),
        Part(anchor="added", title="Recordings added or left out", blocks=tuple(recording_blocks(a, b, names))),
        Part(anchor="differs", title="What differs", blocks=tuple(_difference_blocks(a, b, names))),
        Part(anchor="common", title="Files of the same name", blocks=tuple(_common_files(a, b, names))),
    ]


def compare_verdict(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> Verdict:
    """Return which of two runs is more often right, by the models that their verdicts are about."""
    ours, theirs = a.judged_model, b.judged_model
    models = ours if ours == theirs else f"{ours} of {names[0]} and {theirs} of {names[1]}"
    found = _both_right(a, b, ours, theirs)
    if isinstance(found, str):
        return Verdict(headline=f"**Which is more often right cannot be said** of {models}: {found}.")
    golden, _, right = found
    windows, groups, before, after, points, said = _paired(golden, right)
    first, second = names
    heads = {
        MORE: f"{second} is more often right than {first}",
        LESS: f"{second} is less often right than {first}",
        SAME: f"{first} and {second} are right on the same windows",
    }
    head = heads.get(said, f"{first} and {second} cannot be told apart")
    shares = f"{after} against {before}" if said in (MORE, LESS) else f"{before} and {after}"
    why = " One group alone has no interval." if said == ONE_GROUP else ""
    new = [int((gains > 0).sum()) for gains in (right[1] - right[0], right[0] - right[1])]
    return Verdict(
        headline=f"**{head}**: {shares} of {counted(int(windows), 'test window')}, {points} points.{why}",
        is_good={MORE: True, LESS: False}.get(said),
        lines=(
            f"Compared: {models}, trained, on windows of {counted(int(groups), 'group')} that both were tested with.",
            f"{second} is newly right on {counted(new[0], 'window')} and newly wrong on {counted(new[1], 'window')}.",
        ),
    )


def _difference_blocks(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> list[Block]:
    """Data, settings, versions and machine where they are not the same."""
    common = [model for model in a.models if model in b.models]
    ours, theirs = _facts(a, common), _facts(b, common)
    keys = dict.fromkeys([*ours, *theirs])
    rows = [(key, ours.get(key, ABSENT), theirs.get(key, ABSENT)) for key in keys if ours.get(key) != theirs.get(key)]
    if not rows:
        return [Text(lines=(f"Nothing of {counted(len(keys), 'fact')}: data, split, settings, versions and machine.",))]
    caption = (
        f"{len(rows)} of {counted(len(keys), 'fact')}; data, settings, versions and machine are the same otherwise"
    )
    return [Table(caption=caption, header=("fact", *names), rows=tuple(rows))]


def _facts(run: RunRecord, common: Sequence[str]) -> dict[str, str]:
    """All that a difference may come from, as names and values; of the models those that both runs have."""
    facts = {**data_facts(run), "machine": machine_line(run.report["machine"]), "models": ", ".join(run.models)}
    for model in common:
        training = run.trainings[model]
        if training.spec is None:
            facts[f"{model}: settings and versions"] = "not in the run's folder"
            continue
        facts |= {f"{model}: {name}": value for name, value in setting_rows(training.spec).items()}
        facts |= {f"version of {name}": value for name, value in training.spec["provenance"]["packages"].items()}
    return facts


def _paired_blocks(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> list[Block]:
    """The models of both on the windows that both were tested with."""
    pairs = [(model, model) for model in a.models if model in b.models]
    best = (a.judged_model, b.judged_model)
    pairs += [best] if best not in pairs else []
    rows, by_label, blocks = [], [], []
    for ours, theirs in pairs:
        what = ours if ours == theirs else f"{ours} and {theirs}, which the verdicts are about"
        found = _both_right(a, b, ours, theirs)
        if isinstance(found, str):
            blocks.append(Missing(what=f"a paired difference of {what}", why=found))
        else:
            golden, labels, right = found
            rows.append((what, *_paired(golden, right)))
            by_label += [(what, *cells) for cells in _by_label(golden, labels, right)]
    table = Table(
        caption=f"Trained models on the test windows that the golden vectors of both hold; points: {names[1]} above "
        f"{names[0]}, with the paired 95 % interval over groups",
        header=("model", "windows", "groups", f"{names[0]} right", f"{names[1]} right", "points", "what that says"),
        rows=tuple(rows),
    )
    detail = Table(
        caption="The same windows by the label that they have",
        header=("model", "label", "windows", f"{names[0]} right", f"{names[1]} right", "newly right", "newly wrong"),
        rows=tuple(by_label),
    )
    return [*([table, detail] if rows else []), *blocks]


def _both_right(a: RunRecord, b: RunRecord, ours: str, theirs: str) -> tuple[Golden, list[str], list[np.ndarray]] | str:
    """The windows that a model of each was tested with, their labels, and which windows each had right; or why not."""
    one, other = a.golden.get(ours), b.golden.get(theirs)
    if one is None or other is None or one.truth is None or other.truth is None:
        return "golden vectors with a truth are not in both runs' folders"
    labels = [(run.trainings[model].spec or {}).get("labels") for run, model in ((a, ours), (b, theirs))]
    if labels[0] is None or labels[0] != labels[1]:
        return "the labels are not known to be the same in both"
    if not (np.array_equal(one.windows, other.windows) and np.array_equal(one.truth, other.truth)):
        return "the test sides are not the same: the shares of each stand in its own column, unpaired"
    ends = [thresholds_of(run.trainings[model], len(labels[0])) for run, model in ((a, ours), (b, theirs))]
    right = [is_right(golden, limits).astype(float) for golden, limits in zip((one, other), ends, strict=True)]
    return one, list(labels[0]), right


def _paired(golden: Golden, right: Sequence[np.ndarray]) -> tuple[str, ...]:
    """The cells of a pair of models."""
    gains = right[1] - right[0]
    groups = np.arange(len(gains)) if golden.groups is None else golden.groups
    shares = [f"{share.mean():.1%}" for share in right]
    points = 100.0 * float(gains.mean())
    if count_groups(groups) < 2:
        return (str(len(gains)), "1", *shares, signed(points, 1), ONE_GROUP)
    if not gains.any():
        return (str(len(gains)), str(count_groups(groups)), *shares, signed(points, 1), SAME)
    low, high = (100.0 * end for end in paired_bootstrap_interval(gains, groups))
    cell = f"{signed(points, 1)} [{signed(low, 1)}, {signed(high, 1)}]"
    return (str(len(gains)), str(count_groups(groups)), *shares, cell, _said(low, high))


def _by_label(golden: Golden, labels: Sequence[str], right: Sequence[np.ndarray]) -> list[tuple[str, ...]]:
    """The cells of each label; a window with several labels is counted with each, one without any with none."""
    truth = np.asarray(golden.truth)
    rows = []
    for place, label in enumerate(labels):
        has = truth == place if truth.ndim == 1 else truth[:, place].astype(bool)
        if not has.any():
            continue
        before, after = (one[has] for one in right)
        new = [int((gains > 0).sum()) for gains in (after - before, before - after)]
        rows.append((label, str(int(has.sum())), f"{before.mean():.1%}", f"{after.mean():.1%}", *map(str, new)))
    return rows


def _said(low: float, high: float) -> str:
    """What an interval of points says."""
    if low > 0.0:
        return MORE
    return LESS if high < 0.0 else "cannot be told apart"


def _common_files(a: RunRecord, b: RunRecord, names: tuple[str, str]) -> list[Block]:
    """Accuracy, size and latency of the files that both have."""
    ours, theirs = ({file["file"]: file for file in run.report["files"]} for run in (a, b))
    rows = [(name, *_pair_cells(file, theirs[name])) for name, file in ours.items() if name in theirs]
    if not rows:
        return [Missing(what="files side by side", why="no file of one has the name of a file of the other")]
    measures = ("accuracy", "size (kB)", "end to end p50 (ms)")
    same = a.report["machine"] == b.report["machine"]
    caption = "Each on its own test side" + ("" if same else "; timed on machines or versions that are not the same")
    header = ("file", *(f"{measure}, {name}" for measure in measures for name in names))
    return [Table(caption=caption, header=header, rows=tuple(rows))]


def _pair_cells(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The measures of two files in turn."""
    pair = (one, other)
    windows = [file["test"]["window"] for file in pair]
    return [
        *(share_cell(window["accuracy"], window["interval"]) for window in windows),
        *(f"{file['size_bytes'] / 1000:.0f}" for file in pair),
        *(f"{file['latency']['end_to_end']['p50_ms']:.2f}" for file in pair),
    ]
