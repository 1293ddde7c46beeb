"""One verdict for a build, across its models: which file to take, by how much it is better, how sure that is.

Nothing is recommended at chance level, that gives one answer only, that never finds a label, or whose labels were heard
from fewer than `MIN_TEST_GROUPS` unseen speakers or sources each: then the verdict says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from convert.report.advice import what_to_do
from convert.report.choose import Candidate, Choice
from convert.report.test_side import Shortage, TestSide, alike, per_clip, same_clips
from convert.report.training_end import BY_EPOCHS, MoreTraining, ShortTraining
from convert.report.validated import Validated
from convert.report.verdict_text import verdict_lines
from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval, share_interval, wilson_interval
from train.recordings.split import MIN_TEST_GROUPS


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """How one file decided on the test side; `decided` is shaped as the side's truth.

    `short_training` says how its training may have been too short, None where nothing says so, `more_training` what
    more of it would be. `validated` is the model in a cross-validation, see `Validated`. `backbone` is
    the name of what its training began with, if anything.
    """

    candidate: Candidate
    model: str
    input: str
    side: TestSide
    decided: np.ndarray
    short_training: ShortTraining | None = None
    more_training: MoreTraining = BY_EPOCHS
    validated: Validated | None = None
    backbone: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how many points one file is right more often than something else, with the paired 95 % interval.

    Attributes
    ----------
    than : str
        A file, or an answer.
    points : float
        Negative where it is right less often.
    lower, upper : float or None
        None where too few groups, fewer than `MIN_TEST_GROUPS`, or other windows, leave nothing to resample.
    p50_ms, size_bytes : float, int
        Of the other file; 0 for an answer.
    """

    than: str
    points: float
    lower: float | None = None
    upper: float | None = None
    p50_ms: float = 0.0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a build comes to.

    Attributes
    ----------
    take : bool
        Whether the file can be recommended.
    file, model, recipe, input : str
        The best one, empty where no file passes its parity.
    measure : str
        accuracy or exact match.
    accuracy : float
    interval : tuple of float
        95 %, over groups.
    num_windows, num_groups : int
    p50_ms, size_bytes : float, int
    chance : Difference or None
        Against the best constant answer.
    chance_share : float
        How often that answer is right.
    float_loss : Difference or None
        Against the float32 file of the same form, on the windows that parity compared.
    next : Difference or None
        Against the best file of the next model.
    weakest : dict or None
        `label`, `recall` and `support` of the label that is found least.
    refused_by : tuple of str
        Loaders that do not open the file.
    doubts : tuple of str
        Why no file is to be taken yet.
    missing : tuple of Shortage
    is_unseen : bool
        Whether the training is known not to have used the test side.
    tested_share : float
        Of the recordings' groups that are on the test side; 1 where not known.
    says_one_answer : bool
        Whatever the sound.
    short_training : ShortTraining or None
        Of the file's model.
    more_training : MoreTraining
        What more training of the model would be.
    validated : Validated or None
        The file's model in a cross-validation.
    backbone : str
        What the file's training began with, if anything.
    steps : tuple of str
        What to do next, a sentence or two each.
    near_copies : str
        What the test side shares with another side, see `train.recordings.store.clip_store.LoadedClips`.
    text : tuple of str
        All of it in words, a sentence or two each; the steps are one of them.
    """

    take: bool
    file: str = ""
    model: str = ""
    recipe: str = ""
    input: str = ""
    measure: str = "accuracy"
    accuracy: float = 0.0
    interval: tuple[float, float] = (0.0, 1.0)
    num_windows: int = 0
    num_groups: int = 0
    p50_ms: float = 0.0
    size_bytes: int = 0
    chance: Difference | None = None
    chance_share: float = 0.0
    float_loss: Difference | None = None
    next: Difference | None = None
    weakest: dict[str, Any] | None = None
    refused_by: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    missing: tuple[Shortage, ...] = ()
    is_unseen: bool = True
    tested_share: float = 1.0
    says_one_answer: bool = False
    short_training: ShortTraining | None = None
    more_training: MoreTraining = BY_EPOCHS
    validated: Validated | None = None
    backbone: str = ""
    steps: tuple[str, ...] = ()
    near_copies: str = ""
    text: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict for JSON."""
        return asdict(self)


def judge(choices: Sequence[Choice], evidence: Sequence[Evidence], near_copies: str = "") -> Verdict:
    """Return the verdict on the files of a build.

    Parameters
    ----------
    choices : sequence of Choice
        Of each model and input form, as `convert.report.choose.choose_files` makes them.
    evidence : sequence of Evidence
        Of every file.
    near_copies : str, optional
        What the sides of the split share.
    """
    by_file = {one.candidate.file: one for one in evidence}
    ranked = _ranked([by_file[choice.recommended] for choice in choices if choice.recommended])
    if not ranked:
        return _worded(Verdict(take=False, doubts=("No file with float32 input and output passes its parity.",)))
    best, others = ranked[0], [one for one in ranked[1:] if one.model != ranked[0].model]
    side, right = best.side, best.side.right(best.decided)
    answer, name = side.best_constant()
    constant = side.right(np.broadcast_to(answer, best.decided.shape))
    doubts, missing = _doubts(best), tuple(side.shortages())
    if best.validated is not None and best.validated.fewest_groups >= MIN_TEST_GROUPS:
        missing = ()  # every group was tested, if not by this file
    return _worded(
        Verdict(
            take=not doubts and not missing,
            file=best.candidate.file,
            model=best.model,
            recipe=best.candidate.recipe,
            input=best.input,
            measure=best.candidate.measure,
            accuracy=float(right.mean()),
            interval=(*share_interval(right, side.groups),),
            num_windows=right.size,
            num_groups=count_groups(side.groups),
            p50_ms=best.candidate.p50_ms,
            size_bytes=best.candidate.size_bytes,
            chance=_difference(f"always saying {name}", right, constant, side.groups),
            chance_share=float(constant.mean()),
            float_loss=_against_float(best.candidate),
            next=_against(best, others[0]) if others else None,
            weakest=_weakest(best),
            refused_by=best.candidate.refused_by,
            doubts=tuple(doubts),
            missing=missing,
            is_unseen=side.is_unseen,
            tested_share=side.tested_share(),
            says_one_answer=_says_one_answer(best.decided),
            short_training=best.short_training,
            more_training=best.more_training,
            validated=best.validated,
            backbone=best.backbone,
            near_copies=near_copies,
        )
    )


def _worded(verdict: Verdict) -> Verdict:
    """Return a verdict with its words."""
    verdict = replace(verdict, steps=tuple(what_to_do(verdict)) if verdict.file else ())
    return replace(verdict, text=tuple(verdict_lines(verdict)))


def _ranked(found: Sequence[Evidence]) -> list[Evidence]:
    """Return the files to choose from, the best first: those that every loader opens, without doubts, most often right.

    Models that a cross-validation found worse than another beyond chance come last. Of files that the test side cannot
    tell from the most accurate the fastest comes first, of equally fast ones the smallest.
    """
    heard = [one for one in found if not one.candidate.refused_by] or list(found)
    sure = [one for one in heard if not _doubts(one) and not _is_outdone(one)]
    rest = sorted((one for one in heard if one not in sure), key=_standing, reverse=True)
    if not sure:
        return rest
    leader = max(sure, key=_accuracy)
    equal = [one for one in sure if one is leader or not _is_better(leader, one)]
    fastest = min((one.candidate for one in equal), key=lambda one: one.p50_ms)
    quick = [one for one in equal if one.candidate.is_as_fast_as(fastest)]
    best = min(quick, key=lambda one: (one.candidate.size_bytes, -_accuracy(one)))
    return [best, *sorted((one for one in sure if one is not best), key=_accuracy, reverse=True), *rest]


def _is_outdone(one: Evidence) -> bool:
    """Whether a cross-validation found another model better beyond chance."""
    return one.validated is not None and not one.validated.is_as_good


def _standing(one: Evidence) -> tuple[bool, float]:
    """What files that are not sure are ordered by."""
    return not _is_outdone(one), _accuracy(one)


def _accuracy(one: Evidence) -> float:
    """The share of right decisions."""
    return float(one.side.right(one.decided).mean())


def _is_better(one: Evidence, other: Evidence) -> bool:
    """Whether one file is right more often than another beyond chance; unpaired ones by the number alone."""
    found = _against(one, other)
    return found.points > 0.0 if found.lower is None else found.lower > 0.0


def _against(one: Evidence, other: Evidence) -> Difference:
    """Return by how much one file is right more often than another, paired by windows, or by clips, where it can be."""
    right, reference = one.side.right(one.decided), other.side.right(other.decided)
    if alike(one.side, other.side):
        found = _difference(other.candidate.file, right, reference, one.side.groups)
    elif same_clips(one.side, other.side):
        (shares, groups), (others, _) = per_clip(one.side, right), per_clip(other.side, reference)
        found = _difference(other.candidate.file, shares, others, groups)
    else:
        found = Difference(than=other.candidate.file, points=100.0 * (_accuracy(one) - _accuracy(other)))
    facts = {"p50_ms": other.candidate.p50_ms, "size_bytes": other.candidate.size_bytes}
    return Difference(**{**vars(found), **facts})


def _difference(than: str, right: np.ndarray, reference: np.ndarray, groups: np.ndarray) -> Difference:
    """Return by how many points something is right more often."""
    gains = 100.0 * (right.astype(np.float64) - reference.astype(np.float64))
    if count_groups(groups) < MIN_TEST_GROUPS:  # resampling so few claims a certainty that they cannot give
        return Difference(than=than, points=float(gains.mean()))
    interval = paired_bootstrap_interval(gains, groups)
    return Difference(than=than, points=float(gains.mean()), lower=interval.lower, upper=interval.upper)


def _against_float(candidate: Candidate) -> Difference | None:
    """Return what the recipe gains against float32, as parity measured it; None for float32 itself."""
    if candidate.accuracy_loss_interval is None and not candidate.accuracy_loss:
        return None
    lower, upper = candidate.accuracy_loss_interval or (None, None)
    return Difference(
        than="float32",
        points=0.0 - 100.0 * candidate.accuracy_loss,  # so that nothing is 0.0 and not -0.0, in JSON too
        lower=None if upper is None else 0.0 - 100.0 * upper,
        upper=None if lower is None else 0.0 - 100.0 * lower,
    )


def _weakest(one: Evidence) -> dict[str, Any] | None:
    """Return the label that is found least often, of those that occur."""
    recalls = [
        {"label": label, "recall": _recall(one, place), "support": int(one.side.has(place).sum())}
        for place, label in enumerate(one.side.labels)
        if one.side.has(place).any()
    ]
    return min(recalls, key=lambda entry: float(str(entry["recall"])), default=None)


def _recall(one: Evidence, place: int) -> float:
    """In which share of the windows that have a label it is found."""
    found = one.decided[:, place] if one.decided.ndim == 2 else one.decided == place
    return float(found[one.side.has(place)].mean())


def _says_one_answer(decided: np.ndarray) -> bool:
    """Whether all of several decisions are the same."""
    return len(decided) > 1 and bool((decided == decided[:1]).all())


def _doubts(one: Evidence) -> list[str]:
    """Return what speaks against a file, in sentences; too few groups are no part of it."""
    side, decided = one.side, one.decided
    right = side.right(decided)
    answer, name = side.best_constant()
    share = float(side.right(np.broadcast_to(answer, decided.shape)).mean())
    if _says_one_answer(decided):
        places = np.flatnonzero(decided[0]) if decided.ndim == 2 else decided[:1]
        told = " and ".join(f"'{side.labels[place]}'" for place in places.tolist()) or "no label"
        ends = "it has learned nothing" if side.is_unseen else "it tells nothing of these recordings"
        return [f"It says {told} on every test window, whatever the sound: {ends}."]
    doubts = []
    lower, upper = share_interval(right, side.groups)
    if count_groups(side.groups) < MIN_TEST_GROUPS:  # that groups are missing is said apart, and this is about chance
        lower, upper = wilson_interval(int(right.sum()), right.size)
    if one.validated is not None:
        if one.validated.lower <= one.validated.chance:
            doubts.append(f"In the cross-validation it cannot be told from chance, {one.validated.chance:.1%}.")
    elif lower <= share:
        doubts.append(
            f"Its {one.candidate.measure} of {right.mean():.1%} [{lower:.1%}, {upper:.1%}] cannot be told from chance: "
            f"always saying {name} is right on {share:.1%}."
        )
    lost = [label for place, label in enumerate(side.labels) if side.has(place).any() and not _recall(one, place)]
    if lost:
        doubts.append(f"It never finds {', '.join(lost)} where the test side has it.")
    return doubts


__all__ = ["Difference", "Evidence", "Verdict", "judge"]
