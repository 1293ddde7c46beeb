"""What would make a verdict another one, in sentences: longer training, more recordings, a larger test side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from convert.report.test_side import Shortage
from metadata.plural import counted
from train.recordings.split import MIN_TEST_GROUPS

if TYPE_CHECKING:
    from convert.report.verdict import Verdict

# In percent of the groups.
_VALIDATION = 15
_LARGE = 30  # a test side where not so many groups are known to be missing
_MOST_TESTED = 50  # may be given to the test side: the others teach
_MOST_TESTED_FOREIGN = 70  # only calibration needs the train side of a file that is trained already


def what_to_do(verdict: Verdict) -> list[str]:
    """Return what to do next, as sentences; nothing where there is nothing to do."""
    short, steps = verdict.short_training, []
    if short is not None:
        steps.append(f"{_capital(short.advice)}.")
    if verdict.take:
        return steps
    if verdict.says_one_answer:
        steps.append(_for_one_answer(verdict))
    elif verdict.doubts:
        steps.append(_for_doubts(verdict))
    if verdict.missing:
        steps.append(_more_groups(verdict))
    if verdict.missing or _is_wide(verdict):
        steps += _larger_test_side(verdict)
    if not verdict.doubts:
        steps.append("Until then the figures are a first look; the file is good for trying the app.")
    return steps


def _for_one_answer(verdict: Verdict) -> str:
    """What to try with a model that tells nothing apart."""
    if not verdict.is_unseen:
        return (
            "Against one answer for everything, see whether the file is used as its maker meant: the rate "
            "(--sample-rate), the names in the order of its scores (--labels), and recordings of that kind."
        )
    more = verdict.more_training
    further = "" if verdict.short_training or not more.further else f" {_capital(more.further)}."
    return (
        "Against one answer for everything, see whether the labels are right and the clips hold sound (`earproof data "
        f"check`).{further} If it stays so, try {more.otherwise}."
    )


def _for_doubts(verdict: Verdict) -> str:
    """What to try with a model that is not good enough."""
    if not verdict.is_unseen:
        return (
            "See whether --labels names the scores in their order, and whether the recordings are what the file is "
            "meant to hear (`earproof data check`)."
        )
    further = verdict.more_training.further
    and_train = "" if verdict.short_training or not further else f", and {further}"
    return f"See whether the labels are right and the clips hold sound (`earproof data check`){and_train}."


def _more_groups(verdict: Verdict) -> str:
    """What the labels lack."""
    verb = "Record" if verdict.is_unseen else "Give with --data"
    return f"{verb} {', '.join(_lacking(one) for one in verdict.missing)}."


def _lacking(one: Shortage) -> str:
    """What a label lacks."""
    more = one.more_in_all or one.more_on_test_side
    tested = f"{one.more_on_test_side} more {'is' if one.more_on_test_side == 1 else 'are'} tested"
    where = f", so that {tested}" if one.more_in_all else " for the test side"
    what = counted(more, "more speaker or source", "more speakers or sources")
    return f"{what} of '{one.label}' (about {one.seconds_each:.0f} s each{where})"


def _is_wide(verdict: Verdict) -> bool:
    """Whether more right decisions than chance are in doubt for the number of groups alone."""
    return bool(verdict.doubts) and not verdict.says_one_answer and verdict.accuracy > verdict.chance_share


def _larger_test_side(verdict: Verdict) -> list[str]:
    """How to test on more of the recordings that there are."""
    percent = _percent_tested(verdict)
    shares = f"{100 - _VALIDATION - percent}:{_VALIDATION}:{percent}" if percent > 100 * verdict.tested_share else ""
    then = "build from CSV, with less to train on"
    if not verdict.is_unseen:
        then = "convert with --data CSV; only calibration needs the others"
    larger = f"test on more of what there is: `earproof data split DATA --shares {shares} --out CSV`, then {then}."
    steps = [f"{'Or' if verdict.missing else 'The test side is small:'} {larger}"] if shares else []
    if verdict.is_unseen and verdict.validated is None:
        begun = f" --backbone {verdict.backbone}" if verdict.backbone else ""
        command = f"earproof evaluate DATA --model {verdict.model}{begun} --folds"
        steps.append(f"Or test all in turn: `{command}` trains one for each fold.")
    return steps


def _percent_tested(verdict: Verdict) -> int:
    """How many percent are to be tested for every label to have enough groups there; 0 where too few would be left."""
    if not verdict.is_unseen:
        return _MOST_TESTED_FOREIGN
    if not verdict.missing:
        return _LARGE
    fewest = min(one.num_in_all for one in verdict.missing)
    # In steps of five, and half a group more than enough: sides are filled by recordings, not by groups.
    percent = 5 * math.ceil(100 * (MIN_TEST_GROUPS + 0.5) / fewest / 5) if fewest else 100
    return percent if percent <= _MOST_TESTED else 0


def _capital(text: str) -> str:
    """A sentence with its first capital."""
    return text[:1].upper() + text[1:]
