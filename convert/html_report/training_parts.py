"""What a page says of how models were trained and what they confuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convert.html_report.charts import draw_confusion, draw_history, draw_labels, draw_shares
from convert.html_report.page_parts import Block, Chart, Missing, Table
from convert.html_report.run_record import HISTORY_FILE_NAME, RunRecord, TrainingRecord
from metadata.plural import counted
from metadata.signed import signed
from train.evaluation.evaluation_text import JUDGED, headline, is_label_sets, share_cell, share_name

_LABEL_MEASURES = ("precision", "recall", "f1", "average_precision", "threshold")


def curve_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return the epochs of each training."""
    trained = {str(one["model"]): one for one in run.report["training"]}
    blocks: list[Block] = []
    for place, (model, training) in enumerate(run.trainings.items()):
        if training.history:
            blocks += _curves(training, trained.get(model, {}), f"{key}-history-{place}")
        else:
            is_broken = any(fault.startswith(f"{HISTORY_FILE_NAME} of {model} ") for fault in run.faults)
            why = (
                f"its {HISTORY_FILE_NAME} cannot be read; the notes at the end say why"
                if is_broken
                else f"its training folder, with {HISTORY_FILE_NAME}, is not in the run's folder"
            )
            blocks.append(Missing(what=f"the training curves of {model}", why=why))
    return blocks


def confusion_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return what each model takes for what, on the test windows."""
    blocks: list[Block] = []
    for place, (model, test) in enumerate(_evaluations(run).items()):
        blocks += confusion_of(f"{model}: {headline(test)}", test, f"{key}-confusion-{place}")
    return blocks


def confusion_of(title: str, test: Mapping[str, Any], name: str) -> list[Block]:
    """Return one confusion as a chart and a table; a model that tells sets of labels has none."""
    if is_label_sets(test):
        why = "it tells sets of labels, of which none is taken for another; the table by label stands in its place"
        return [Missing(what=f"a confusion of {title.partition(':')[0]}", why=why)]
    labels = [one["label"] for one in test["labels"]]
    rows = [(label, *map(str, row)) for label, row in zip(labels, test["confusion"], strict=True)]
    return [
        Chart(
            panels=(draw_confusion(test["confusion"], labels, name),),
            caption=f"{title}. Windows; the colour is stronger where a larger share of the true label is.",
            description=f"Confusion of {counted(len(labels), 'label')}, {title}; the table below has the numbers.",
        ),
        Table(
            caption=f"{title}: true label by row, decided by column",
            header=("true", *labels),
            rows=tuple(rows),
            is_folded=True,
        ),
    ]


def label_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return how well each label is found, model by model."""
    blocks: list[Block] = []
    for place, (model, test) in enumerate(_evaluations(run).items()):
        blocks += labels_of(model, test, f"{key}-labels-{place}")
    return blocks


def labels_of(title: str, test: Mapping[str, Any], name: str) -> list[Block]:
    """Return precision, recall and more of each label as a chart and a table."""
    labels = test["labels"]
    measures = [measure for measure in _LABEL_MEASURES if measure in labels[0]]
    rows = [
        (
            one["label"],
            *("–" if one[measure] is None else f"{one[measure]:.3f}" for measure in measures),
            str(one["support"]),
        )
        for one in labels
    ]
    return [
        Chart(
            panels=(draw_labels(labels, name),),
            caption=f"{title}, test windows",
            description=f"Measures of {counted(len(labels), 'label')}, {title}; the table below has the numbers.",
        ),
        Table(
            caption=f"{title}, test windows of each label",
            header=("label", *(measure.replace("_", " ") for measure in measures), "windows"),
            rows=tuple(rows),
        ),
    ]


def judged_table(run: RunRecord) -> Table:
    """Return each model's share of right decisions by windows and by clips."""
    tests = {str(one["model"]): one["test"] for one in run.report["training"] if "test" in one}
    tests = tests or {file["file"]: file["test"] for file in run.report["files"]}
    rows = [
        (
            model,
            JUDGED.get(level, level),
            share_name(found),
            share_cell(found["accuracy"], found["interval"]),
            str(found["num_decisions"]),
            str(found["num_groups"]),
        )
        for model, test in tests.items()
        for level, found in test.items()
    ]
    header = ("model", "judged", "measure", "share", "decisions", "groups")
    return Table(caption="By windows and by whole clips, 95 % intervals over groups", header=header, rows=tuple(rows))


def fold_blocks(folds: Mapping[str, Any] | None, key: str) -> list[Block]:
    """Return a cross-validation, as `train.cross_validation.fold_report.describe_folds` gives it."""
    if not folds:
        why = "the build did none; `earproof evaluate DATA --model NAME --folds` does one"
        return [Missing(what="a cross-validation", why=why)]
    found = folds["candidates"]
    shares = [(one["name"], one["clip"]["share"], one["clip"]["interval"]) for one in found]
    rows = [
        (
            one["name"],
            share_cell(one["clip"]["share"], one["clip"]["interval"]),
            points_cell(one["difference"]),
            ", ".join(f"{share:.0%}" for share in one["folds"].values()),
            f"{one['seconds']:.0f}",
        )
        for one in found
    ]
    return [
        Chart(
            panels=(draw_shares(shares, f"{key}-folds", "clips right", folds.get("chance")),),
            caption=f"Clips right when each is tested by trainings that never heard its group: {folds['how']}.",
            description=f"Shares of {counted(len(found), 'candidate')}; the table below has the numbers.",
        ),
        Table(
            caption=f"{counted(folds['num_groups'], 'group')}"
            + (f"; best: {folds['best']}" if "best" in folds else ""),
            header=("candidate", "clips right", "points above the first, paired", "each fold", "seconds"),
            rows=tuple(rows),
        ),
    ]


def _curves(training: TrainingRecord, metrics: Mapping[str, Any], name: str) -> list[Block]:
    """One training."""
    columns = list(dict.fromkeys(column for row in training.history for column in row))
    rows = [tuple(f"{row[column]:.4g}" if column in row else "–" for column in columns) for row in training.history]
    kept = metrics.get("kept_epoch")
    if metrics.get("epochs") == 0:
        caption = f"{training.model}: a head fitted on a backbone, without epochs; validation is of inner folds"
    else:
        caption = f"{training.model}, {counted(len(rows), 'epoch')}" + (f", kept: epoch {kept}" if kept else "")
    table = Table(
        caption=caption,
        header=tuple(column.replace("val_", "validation ").replace("_", " ") for column in columns),
        rows=tuple(rows),
        is_folded=len(rows) > 1,
    )
    if len(rows) == 1:  # there is no curve
        return [table]
    told = f"Loss and share of right decisions over the epochs of {training.model}; the table below has the numbers."
    return [Chart(panels=draw_history(training.history, kept, name), caption=caption, description=told), table]


def _evaluations(run: RunRecord) -> dict[str, dict[str, Any]]:
    """What is known of each model's test windows: of the trained model, or of the first of its files."""
    tests = {str(file["model"]): file["test"]["window"] for file in reversed(run.report["files"])}
    tests = {model: tests[model] for model in run.models}
    return tests | {
        str(one["model"]): one["test"]["window"]
        for one in run.report["training"]
        if one["model"] in tests and "test" in one
    }


def points_cell(difference: Mapping[str, Any] | None) -> str:
    """Return a paired difference in points with its interval; nothing where there is none."""
    if difference is None:
        return ""
    ends = [signed(end, 1) for end in difference["interval"] or ()]
    return signed(difference["points"], 1) + (f" [{', '.join(ends)}]" if ends else "")
