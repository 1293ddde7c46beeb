"""Where to cut the scores of a multi-label model, label by label: by F1, and by the sets that are exactly right.

Scores are float (n, n_labels) in [0, 1], truth is bool (n, n_labels). A threshold lies in the middle between two
neighbouring scores, so that neither is on the edge; it is compared in float32 as the device does
(`edge_runtime.scoring.measures.decisions`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metadata.plural import counted

MAX_ROUNDS = 50  # of the ascent; it ends by itself long before, as each round must win a window
ROUNDING = 1e-12  # sums of weights that differ by less are equal


def best_f1_thresholds(
    scores: np.ndarray, truth: np.ndarray, labels: Sequence[str], weights: np.ndarray | None = None
) -> tuple[float, ...]:
    """Return for each label the threshold of the highest F1; among equal ones the middle of the widest gap.

    Raises
    ------
    ValueError
        Shapes that do not fit, scores that are not finite or outside 0 to 1, or labels without a window that has them.
    """
    scores, truth, weights = check_scores(scores, truth, weights)
    if len(labels) != scores.shape[1]:
        raise ValueError(
            f"there are {counted(len(labels), 'label')} for {counted(scores.shape[1], 'score')}; expected one each"
        )
    support = weights @ truth
    without = [label for label, found in zip(labels, support, strict=True) if found <= 0.0]
    if without:
        raise ValueError(
            f"no validation window has {', '.join(without)}: no threshold can be chosen; expected at least one window "
            "of each label. Was the validation side left without recordings of it?"
        )
    heard = weights > 0.0
    return tuple(_best_f1(scores[heard, place], truth[heard, place], weights[heard]) for place in range(len(labels)))


def ascend_exact_match(
    scores: np.ndarray, truth: np.ndarray, thresholds: Sequence[float], weights: np.ndarray | None = None
) -> tuple[float, ...]:
    """Move one threshold after the other to where most windows are exactly right, until no round wins any.

    Parameters
    ----------
    scores, truth : np.ndarray
    thresholds : sequence of float
        To begin at.
    weights : np.ndarray, optional
        float (n,), what each window counts; all alike by default.

    Returns
    -------
    tuple of float
        With an exact match at least that of the beginning.

    Raises
    ------
    ValueError
        Shapes that do not fit, or scores that are not finite or outside 0 to 1.
    """
    scores, truth, weights = check_scores(scores, truth, weights)
    found = np.array(check_thresholds(thresholds, scores.shape[1]))
    wrong = decided(scores, found) != truth
    reached = float(weights @ ~wrong.any(axis=1))
    for _ in range(MAX_ROUNDS):
        for place in range(scores.shape[1]):
            # A window that other labels already get wrong has no say in where this threshold lies.
            rest = ~np.delete(wrong, place, axis=1).any(axis=1) & (weights > 0.0)
            if rest.any():
                found[place] = _best_exact(scores[rest, place], truth[rest, place], weights[rest])
                wrong[:, place] = decided(scores[:, place], found[place]) != truth[:, place]
        before, reached = reached, float(weights @ ~wrong.any(axis=1))
        if reached <= before + ROUNDING:
            break
    return tuple(found.tolist())


def exact_match(
    scores: np.ndarray, truth: np.ndarray, thresholds: Sequence[float], weights: np.ndarray | None = None
) -> float:
    """Return the (weighted) share of windows whose set of labels is exactly right, 0 to 1.

    Raises
    ------
    ValueError
        Shapes that do not fit, or scores that are not finite or outside 0 to 1.
    """
    scores, truth, weights = check_scores(scores, truth, weights)
    reached = decided(scores, np.array(check_thresholds(thresholds, scores.shape[1])))
    return float(weights @ (reached == truth).all(axis=1))


def decided(scores: np.ndarray, thresholds: np.ndarray | float) -> np.ndarray:
    """Return which scores reach their threshold, compared in float32 as on the device."""
    return scores >= np.asarray(thresholds, np.float32)


def check_scores(
    scores: np.ndarray, truth: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores as float32, truth, and weights that sum up to 1, or raise ValueError saying what is wrong."""
    scores, truth = np.asarray(scores), np.asarray(truth)
    if scores.ndim != 2 or scores.size == 0 or truth.shape != scores.shape or truth.dtype != bool:
        raise ValueError(
            f"scores have shape {scores.shape}, truth {truth.shape} of {truth.dtype}; expected (n, n_labels) for both "
            "and a truth of bool, at least one window"
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{counted(int((~np.isfinite(scores)).any(axis=1).sum()), 'window has', 'windows have')} scores that are "
            "not finite"
        )
    if scores.min() < 0.0 or scores.max() > 1.0:
        raise ValueError(f"scores reach from {scores.min():g} to {scores.max():g}; expected 0 to 1, as of a sigmoid")
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (len(scores),) or not np.isfinite(weights).all() or weights.min() < 0.0 or not weights.any():
        raise ValueError(
            f"weights have shape {weights.shape}; expected ({len(scores)},), none negative and one above 0"
        )
    return scores.astype(np.float32), truth, weights / weights.sum()


def check_thresholds(thresholds: Sequence[float], num_labels: int) -> list[float]:
    """Return thresholds, one a label, or raise ValueError saying what is wrong."""
    found = [float(threshold) for threshold in thresholds]
    if len(found) != num_labels or not all(0.0 <= threshold <= 1.0 for threshold in found):
        raise ValueError(f"thresholds are {found}; expected {counted(num_labels, 'number')} in 0 to 1, one a label")
    return found


def _best_f1(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """The threshold of the highest F1 of one label."""
    cuts, widths, order, counts = _cuts(scores)
    hits = _from_above(weights * truth, order, counts)
    decided = _from_above(weights, order, counts)
    return _widest(2.0 * hits / (decided + weights @ truth), cuts, widths)


def _best_exact(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """The threshold that gets the most windows of one label right."""
    cuts, widths, order, counts = _cuts(scores)
    return _widest(_from_above(np.where(truth, weights, -weights), order, counts), cuts, widths)


def _cuts(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return where one may cut between scores, from above all of them to below all.

    Returns
    -------
    cuts, widths : np.ndarray
        float32 (n_cuts,): the middles of the gaps, and how wide these are.
    order : np.ndarray
        Of the scores, falling.
    counts : np.ndarray
        How many scores lie above each cut.
    """
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    counts = np.concatenate([[0], np.flatnonzero(np.diff(falling)) + 1, [scores.size]])
    above = np.concatenate([[1.0], falling]).astype(np.float64)[counts]
    below = np.concatenate([falling, [0.0]]).astype(np.float64)[counts]
    cuts = ((above + below) / 2).astype(np.float32)
    # Between float32 neighbours there is no middle: the upper one is still reached by itself, the lower one is not.
    cuts = np.where(cuts > below, cuts, above.astype(np.float32))
    usable = np.concatenate([[falling[0] < 1.0], np.ones(counts.size - 1, bool)])  # nothing lies above a score of 1
    return cuts[usable], (above - below)[usable], order, counts[usable]


def _from_above(values: np.ndarray, order: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sum of the values of all scores above each cut."""
    sums: np.ndarray = np.concatenate([[0.0], np.cumsum(values[order])])[counts]
    return sums


def _widest(merit: np.ndarray, cuts: np.ndarray, widths: np.ndarray) -> float:
    """The cut of the highest merit, of several the one in the widest gap."""
    best = np.flatnonzero(merit >= merit.max() - ROUNDING)
    return float(cuts[best[widths[best].argmax()]])
