"""A cross-validation as a document, as lines for people, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval, share_interval
from edge_runtime.tables import align
from metadata.csv_line import csv_line
from metadata.plural import counted
from metadata.signed import signed
from train.cross_validation.cross_validate import CrossValidated
from train.evaluation.evaluation_text import share_cell

CSV_COLUMNS = ("candidate", "seed", "fold", "clips", "clips_right", "windows", "windows_right", "kept_epoch", "seconds")
FEW_GROUPS = 10  # of a label, below which the report says what that means
_LEVELS = "clip", "window"


def describe_folds(found: CrossValidated) -> dict[str, Any]:
    """Return each candidate's shares with intervals for JSON, its folds, and its difference to the first one.

    A share is that of right clips (by the mean score of their windows) or windows, all folds together, mean over
    seeds; its 95 % interval is by the bootstrap over groups. The difference is paired by clip, None where the
    candidates heard different ones. `best` is the candidate with the most clips right, of equals the one named first;
    `as_good` are those that are not worse beyond chance.
    """
    rights = {one.name: _right(found, one.name) for one in found.candidates}
    first = rights[found.candidates[0].name]
    documents = []
    for one in found.candidates:
        right = rights[one.name]
        document: dict[str, Any] = {"name": one.name, "model": one.model, "variant": one.variant}
        document["settings"] = one.settings.as_dict()
        for level in _LEVELS:
            shares, groups = right[level]
            document[level] = {
                "share": float(shares.mean()),
                "interval": list(_interval(shares, groups)),
                "number": len(shares),
            }
        document["folds"] = {fold: _share_of_fold(found, one.name, fold) for fold in found.folds}
        document["seeds"] = {str(seed): _share_of_seed(found, one.name, seed) for seed in found.seeds}
        document["difference"] = None if right is first else _difference(right, first)
        document["seconds"] = sum(scores.seconds for (name, _, _), scores in found.scores.items() if name == one.name)
        documents.append(document)
    label, fewest = found.fewest
    groups = first["clip"][1]
    best = max(documents, key=lambda one: one["clip"]["share"])["name"]
    as_good = [name for name, right in rights.items() if name == best or not _is_worse(right, rights[best])]
    return {
        "folds": list(found.folds),
        "how": found.how,
        "seeds": list(found.seeds),
        "num_groups": count_groups(groups),
        "fewest_groups": {"label": label, "groups": fewest},
        "candidates": documents,
        "chance": _chance(found),
        "best": best,
        "as_good": as_good,
    }


def fold_lines(document: dict[str, Any]) -> list[str]:
    """Return a cross-validation for people."""
    candidates = document["candidates"]
    several = len(candidates) > 1
    rows = [("", "clips right", "windows right", "clips right a fold", "points above the first" if several else "")]
    for one in candidates:
        folds = ", ".join(f"{100 * share:.1f}" for share in one["folds"].values())
        rows.append(
            (
                one["name"],
                *(share_cell(one[level]["share"], one[level]["interval"]) for level in _LEVELS),
                f"{folds} %",
                _points(one["difference"]),
            )
        )
    seeds = f", mean of {len(document['seeds'])} seeds" if len(document["seeds"]) > 1 else ""
    head = (
        f"{counted(candidates[0]['clip']['number'], 'clip')} of {counted(document['num_groups'], 'group')}, each "
        f"tested once by a training that never heard its group ({document['how']}){seeds}; 95 % intervals by the "
        "bootstrap over groups"
    )
    return [head, "", *align(rows), "", *_remarks(document)]


def fold_csv(found: CrossValidated) -> str:
    """Return a cross-validation as CSV, a row a training."""
    lines = [csv_line(CSV_COLUMNS)]
    for (name, seed, fold), scores in sorted(found.scores.items()):
        clips, windows = scores.right_clips()[1], scores.right_windows()
        counts = clips.size, int(clips.sum()), windows.size, int(windows.sum())
        lines.append(csv_line((name, seed, fold, *counts, scores.kept_epoch, f"{scores.seconds:.1f}")))
    return "".join(lines)


def _right(found: CrossValidated, name: str) -> dict[str, Any]:
    """For clips and windows the share of seeds by which each is right, with groups; clips with what names them."""
    clips, windows, groups, window_groups, keys = [], [], [], [], []
    for fold in found.folds:
        of_fold = [found.scores[name, seed, fold] for seed in found.seeds]
        numbers, _, clip_groups = of_fold[0].right_clips()
        clips.append(np.mean([one.right_clips()[1] for one in of_fold], axis=0))
        windows.append(np.mean([one.right_windows() for one in of_fold], axis=0))
        groups.append(clip_groups)
        window_groups.append(of_fold[0].groups)
        keys += [(fold, of_fold[0].truth.shape[1:], int(number)) for number in numbers]
    return {
        "clip": (np.concatenate(clips), _stacked(groups)),
        "window": (np.concatenate(windows), _stacked(window_groups)),
        "keys": keys,
    }


def _chance(found: CrossValidated) -> float:
    """Share of clips of which the most frequent answer is right."""
    name, seed = found.candidates[0].name, found.seeds[0]
    truths = []
    for fold in found.folds:
        scores = found.scores[name, seed, fold]
        truths.append(scores.truth[np.unique(scores.clips, return_index=True)[1]])
    _, counts = np.unique(np.concatenate(truths), axis=0, return_counts=True)
    return float(counts.max() / counts.sum())


def _stacked(groups: Sequence[np.ndarray]) -> np.ndarray:
    """Groups of all folds; of mixtures with as many columns as the most parts."""
    if groups[0].ndim == 1:
        return np.concatenate(groups)
    most = max(one.shape[1] for one in groups)
    return np.concatenate([np.pad(one, ((0, 0), (0, most - one.shape[1])), constant_values="") for one in groups])


def _interval(shares: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """The interval of a share: of decisions as such, of means over seeds by the bootstrap."""
    if np.isin(shares, (0.0, 1.0)).all() or count_groups(groups) < 2:
        low, high = share_interval(shares >= 0.5, groups)
        return low, high
    from edge_runtime.scoring.intervals import group_bootstrap_interval

    low, high = group_bootstrap_interval(shares, groups)
    return low, high


def _share_of_fold(found: CrossValidated, name: str, fold: str) -> float:
    """Share of right clips of one fold, mean over seeds."""
    return float(np.mean([found.scores[name, seed, fold].right_clips()[1].mean() for seed in found.seeds]))


def _share_of_seed(found: CrossValidated, name: str, seed: int) -> float:
    """Share of right clips of one seed, all folds together."""
    return float(np.concatenate([found.scores[name, seed, fold].right_clips()[1] for fold in found.folds]).mean())


def _difference(one: dict[str, Any], first: dict[str, Any]) -> dict[str, Any] | None:
    """How many points more of the clips are right, with the paired interval."""
    if one["keys"] != first["keys"]:
        return None
    gains, groups = one["clip"][0] - first["clip"][0], first["clip"][1]
    ends = [100 * end for end in paired_bootstrap_interval(gains, groups)] if count_groups(groups) > 1 else None
    return {"points": 100 * float(gains.mean()), "interval": ends}


def _is_worse(one: dict[str, Any], best: dict[str, Any]) -> bool:
    """Whether fewer clips are right than of the best, beyond chance; unpaired ones by the number alone."""
    found = _difference(one, best)
    if found is None or found["interval"] is None:
        return bool(one["clip"][0].mean() < best["clip"][0].mean())
    return bool(found["interval"][1] < 0.0)


def _points(difference: dict[str, Any] | None) -> str:
    """Points won with their interval."""
    if difference is None:
        return ""
    ends = difference["interval"]
    return signed(difference["points"], 1) + (f" [{signed(ends[0], 1)}, {signed(ends[1], 1)}]" if ends else "")


def _remarks(document: dict[str, Any]) -> list[str]:
    """What the figures do not say by themselves."""
    told = []
    label, fewest = document["fewest_groups"]["label"], document["fewest_groups"]["groups"]
    if fewest < FEW_GROUPS:
        told.append(
            f"{label} has {counted(fewest, 'group')}. With so few, one more recording can change much: read the "
            "interval, not the share alone."
        )
    if len(document["candidates"]) > 1:
        told.append(
            f"Most clips right: {document['best']}. It is the best of {len(document['candidates'])} on these same "
            "clips, so its share flatters it a little."
        )
    return told
