"""The card of a run: what its models are for, what they were made of, and where they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from convert.html_report.page_parts import Block, Missing, Table, Text
from convert.html_report.run_record import RunRecord
from convert.report.data_report import data_notes
from convert.report.verdict_text import weakest_line
from edge_runtime.machine.describe import machine_line
from metadata.plural import counted

_SIDES = ("train", "val", "test")
_HIDDEN = ("clip_labels", "backbone", "backbone_source", "backbone_licence", "backbone_sha256", "model", "data_sha256")
NOT_SAID = "not said"
NO_LICENCE = (
    "not recorded: see what came with them. A column licence in the clips.csv of the data names it for each recording, "
    "and the next build counts them here"
)


def card_blocks(run: RunRecord) -> list[Block]:
    """Return the models, the data by side, licences, seeds, versions and limits."""
    known = {model: training.spec for model, training in run.trainings.items() if training.spec}
    blocks: list[Block] = [_facts(run, known)]
    split = next((one.split for one in run.trainings.values() if one.split), None)
    if split:
        blocks.append(_sides(split))
    else:
        why = "no training folder with split.csv is in the run's folder"
        blocks.append(Missing(what="which recordings are on which side", why=why))
    blocks.append(_models(run, known))
    if known:
        blocks.append(_settings(known))
    else:
        why = "neither a training folder nor the model files are in the run's folder"
        blocks.append(Missing(what="seeds, settings and versions", why=why))
    blocks.append(Text(lines=(*limit_lines(run), *data_notes(run.report.get("data")))))
    return blocks


def limit_lines(run: RunRecord) -> list[str]:
    """Return what the figures of a run do not say, a line each."""
    window = run.report["files"][0]["test"]["window"]
    verdict = run.report.get("verdict", {})
    lines = [
        f"**Limits.** The figures are of {counted(window['num_decisions'], 'test window')} of "
        f"{counted(window['num_groups'], 'unseen group')}. Other rooms, microphones and sources may do worse.",
        "A sound that is none of the labels gets one of them, or a score below its threshold: try such sounds too.",
    ]
    if weakest := verdict.get("weakest"):
        lines.append(weakest_line(weakest))
    return lines + [f"Warning: {text}." for text in run.report.get("warnings", [])]


def data_facts(run: RunRecord) -> dict[str, str]:
    """Return what the run was taught with, as names and values."""
    data = run.report.get("data") or {}
    specs = [one.spec for one in run.trainings.values() if one.spec]
    hashes = {
        name: sorted({str(spec["provenance"].get(name, "")) for spec in specs})
        for name in ("data_sha256", "split_sha256")
    }
    return {
        "recordings": f"{data['source']}, {counted(data['clips'], 'clip')}" if data.get("source") else NOT_SAID,
        "SHA-256 of the data": ", ".join(hashes["data_sha256"]) or NOT_SAID,
        "SHA-256 of the split": ", ".join(hashes["split_sha256"]) or NOT_SAID,
    }


def licence_line(run: RunRecord) -> str:
    """Return how many recordings have which licence, as the report or the table of the split has them."""
    counts = (run.report.get("data") or {}).get("licences")
    if counts is None:  # of an older version, or of a conversion
        split = next((one.split for one in run.trainings.values() if one.split), ())
        counts = dict(Counter(row.get("licence", "") for row in split).most_common())
    named = [f"{licence}: {counted(count, 'recording')}" for licence, count in counts.items() if licence]
    if not named:
        return NO_LICENCE
    without = counts.get("", 0)
    return "; ".join([*named, *([f"not recorded: {counted(without, 'recording')}"] if without else [])])


def setting_rows(spec: dict[str, Any]) -> dict[str, str]:
    """Return the settings of a training as names and values."""
    return {name: str(value) for name, value in spec["provenance"]["training"].items() if name not in _HIDDEN}


def _facts(run: RunRecord, known: dict[str, dict[str, Any]]) -> Table:
    """What holds for all models."""
    spec: dict[str, Any] = next(iter(known.values()), {})
    packages = spec.get("provenance", {}).get("packages", {})
    backbones = {
        f"{one['name']}: {one['licence'] or 'licence not said'}; {one['source'] or 'source not said'}"
        for file in run.report["files"]
        if (one := file.get("backbone"))
    }
    rate, length = spec.get("sample_rate"), spec.get("window_length")
    takes = f"{length / rate:g} s of sound at {rate} Hz, mono, in [-1, 1]" if rate and length else NOT_SAID
    seeds = sorted({str(one["provenance"]["seed"]) for one in known.values()})
    rows = {
        "labels": ", ".join(one["label"] for one in run.report["files"][0]["test"]["window"]["labels"]),
        "takes": takes,
        "gives": {
            "softmax": "one score a label, which add up to 1",
            "sigmoid": "one score a label, each for itself",
        }.get(spec.get("activation", ""), NOT_SAID),
        **data_facts(run),
        "licences of the recordings": licence_line(run),
        "backbones and their licences": "; ".join(sorted(backbones)) or "none: trained from random weights",
        "seeds": ", ".join(seeds) or NOT_SAID,
        "versions": ", ".join(f"{name} {version}" for name, version in packages.items()) or NOT_SAID,
        "machine": machine_line(run.report["machine"]),
        "folder": str(run.report.get("folder", NOT_SAID)),
    }
    return Table(caption="What was made of what", header=("fact", "value"), rows=tuple(rows.items()))


def _sides(split: tuple[dict[str, str], ...]) -> Table:
    """How many clips and groups of each label are on each side."""
    clips = Counter((row["labels"], row["split"]) for row in split)
    groups = Counter((label, side) for label, side, _ in {(row["labels"], row["split"], row["group"]) for row in split})
    labels = sorted({row["labels"] for row in split})
    rows = [(label, *(f"{clips[label, side]} / {groups[label, side]}" for side in _SIDES)) for label in labels]
    caption = "Clips / groups of each label on each side; no group stands on two sides"
    return Table(caption=caption, header=("label", *_SIDES), rows=tuple(rows))


def _models(run: RunRecord, known: dict[str, dict[str, Any]]) -> Table:
    """What each model is."""
    trained = {str(one["model"]): one for one in run.report["training"]}
    rows = [
        (
            model,
            str(known[model].get("description", "")) if model in known else NOT_SAID,
            f"{trained[model]['parameters']:,}" if "parameters" in trained.get(model, {}) else NOT_SAID,
            *_epochs(trained.get(model, {})),
        )
        for model in run.models
    ]
    header = ("model", "what it does", "parameters", "epochs", "kept epoch")
    return Table(caption="The models", header=header, rows=tuple(rows))


def _epochs(metrics: Mapping[str, Any]) -> tuple[str, str]:
    """How many epochs a training had, and which was kept; a head that was fitted had none."""
    if metrics.get("epochs") == 0:
        return "none: its head is fitted", "–"
    return str(metrics.get("epochs", NOT_SAID)), str(metrics.get("kept_epoch", NOT_SAID))


def _settings(known: dict[str, dict[str, Any]]) -> Table:
    """The settings, a column a model."""
    settings = {model: setting_rows(spec) for model, spec in known.items()}
    names = sorted({name for found in settings.values() for name in found})
    rows = [(name, *(found.get(name, "–") for found in settings.values())) for name in names]
    return Table(caption="Settings of the trainings", header=("setting", *settings), rows=tuple(rows), is_folded=True)
