"""What a cross-validation says of the models of a build, as the verdict takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metadata.plural import counted
from train.cross_validation.fold_report import FEW_GROUPS
from train.evaluation.evaluation_text import share_cell


@dataclass(frozen=True, kw_only=True)
class Validated:
    """One model among those that were tested on every recording.

    Attributes
    ----------
    share : float
        Of right clips.
    lower, upper : float
        95 %, over groups.
    chance : float
        Share of clips of which one answer is right.
    is_as_good : bool
        Whether no other model is better beyond chance.
    fewest_groups : int
        Of the scarcest label.
    text : str
        All models, in words.
    """

    share: float
    lower: float
    upper: float
    chance: float
    is_as_good: bool
    fewest_groups: int
    text: str


def validated_models(document: Mapping[str, Any] | None) -> dict[str, Validated]:
    """Return what `train.cross_validation.fold_report.describe_folds` says, by model; nothing where none was made."""
    if document is None:
        return {}
    text = _text(document)
    return {
        one["model"]: Validated(
            share=one["clip"]["share"],
            lower=one["clip"]["interval"][0],
            upper=one["clip"]["interval"][1],
            chance=document["chance"],
            is_as_good=one["name"] in document["as_good"],
            fewest_groups=document["fewest_groups"]["groups"],
            text=text,
        )
        for one in document["candidates"]
    }


def _text(document: Mapping[str, Any]) -> str:
    """The models side by side, the best first."""
    ordered = sorted(document["candidates"], key=lambda one: -one["clip"]["share"])
    shares = "; ".join(f"{one['name']} {share_cell(one['clip']['share'], one['clip']['interval'])}" for one in ordered)
    clips, groups = counted(ordered[0]["clip"]["number"], "clip"), counted(document["num_groups"], "group")
    told = f"Cross-validation, {len(document['folds'])} folds, {clips} of {groups}, clips right: {shares}."
    others = [name for name in document["as_good"] if name != document["best"]]
    if others:
        told += f" {document['best']} and {' and '.join(others)} cannot be told apart by it."
    fewest = document["fewest_groups"]
    if fewest["groups"] < FEW_GROUPS:
        told += f" '{fewest['label']}' has {counted(fewest['groups'], 'group')}: so few leave much to chance."
    return told
