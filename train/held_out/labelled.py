"""Models judged on recordings of one side that have labels and no times: each on its windows, all on the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_runtime.audio.windows import DEFAULT_TAIL
from edge_runtime.model.classifier import Classifier
from edge_runtime.scoring.measures import decisions
from edge_runtime.segments.time_units import UNITS
from metadata.plural import counted
from metadata.spec import ModelSpec
from train.data.prepare import load_with_progress, split_and_say, tell_assumptions, tell_strays
from train.evaluation.evaluate import Evaluations, TestWindows, cut_split, evaluate_scores, score_thresholds
from train.evaluation.predict import predict
from train.fitting.finished_run import FinishedRun, open_run
from train.mixtures.mixture_index import label_sets
from train.progress import note, progress_bar
from train.recordings.clip_index import Clip, ClipIndex, find_clips
from train.recordings.store.clip_store import LoadedClips

ALL_SIDES = "all"
_NO_SIDE = ""  # of clips that are on none


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Which recordings are judged.

    Attributes
    ----------
    data : Path
    side : str
        train, val, test or `ALL_SIDES`.
    test_fold, val_fold : str, optional
        Split by the data's own folds.
    seed : int
        Of a split that is drawn, as for `earproof train`.
    cache : Path, optional
    unit : str
        Of annotated times.
    """

    data: Path
    side: str = "test"
    test_fold: str | None = None
    val_fold: str | None = None
    seed: int = 0
    cache: Path | None = None
    unit: str = UNITS[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """One model on the recordings.

    Attributes
    ----------
    name : str
    spec : ModelSpec
    cut : TestWindows
    scores : np.ndarray
        float32 (n_windows, n_labels).
    """

    name: str
    spec: ModelSpec
    cut: TestWindows
    scores: np.ndarray

    def evaluations(self) -> Evaluations:
        """Return how right it is, by window and by clip."""
        return evaluate_scores(self.scores, self.cut, self.spec)

    def right(self) -> np.ndarray:
        """Return whether each window is decided rightly, bool (n_windows,)."""
        decided = decisions(self.scores, score_thresholds(self.spec))
        return np.asarray((decided == self.cut.truth).reshape(len(decided), -1).all(axis=1))

    def right_by_clip(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the clips, the share of right windows of each, and its group."""
        clips, first, owner = np.unique(self.cut.clips, return_index=True, return_inverse=True)
        return clips, np.bincount(owner, weights=self.right()) / np.bincount(owner), self.cut.groups[first]


def judge_models(paths: Sequence[Path], held: HeldOut, num_threads: int = 1) -> list[Judged]:
    """Return what each model does, in the order of the paths.

    Parameters
    ----------
    paths : sequence of Path
        `.tflite` files, and folders of finished trainings. Where there is a training, its recordings, sides and
        mixtures count for all files that agree with its contract.
    held : HeldOut
    num_threads : int
        Of the interpreters.

    Raises
    ------
    FileNotFoundError
        No such file, or no finished training.
    ValueError
        The data are not those of a training, have other labels than a model, or may have been trained on.
    """
    runs = {path: open_held_run(path, held) for path in paths if path.is_dir()}
    judged = []
    for path in paths:
        if path in runs:
            run = runs[path]
            cut = run.held_out(held.side)
            note(f"{path}: {counted(len(cut.truth), 'window')} of the {held.side} side")
            judged.append(Judged(name=str(path), spec=run.spec, cut=cut, scores=predict(run.model, cut.windows)))
        else:
            classifier = Classifier(path, num_threads)
            cut = _windows_for(path, classifier.spec, list(runs.values()), held)
            scores = _scores(path.name, classifier, cut)
            judged.append(Judged(name=str(path), spec=classifier.spec, cut=cut, scores=scores))
    return judged


def open_held_run(path: Path, held: HeldOut) -> FinishedRun:
    """Return the training in a folder, after checking that its recordings are in the data.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `open_run`; all sides at once, or recordings that are not in the data.
    """
    if held.side == ALL_SIDES:
        raise ValueError(f"{path} is a training, whose recordings have sides; expected --side train, val or test")
    if held.test_fold is not None or held.val_fold is not None:
        raise ValueError(
            f"{path} is a training, whose own sides count; leave --test-fold and --val-fold out, or give its .tflite "
            "files alone"
        )
    run = open_run(path, held.cache, load_with_progress)
    root, data = run.clips.index.root.resolve(), held.data.resolve()
    data = data if data.is_dir() else data.parent
    first = (root / run.clips.index.of_split(held.side)[0].path).resolve()
    if data not in first.parents:
        raise ValueError(
            f"{path} was trained on recordings such as {first}, which is not in {held.data}; give the data of the "
            "training, or its .tflite files alone to judge them on other recordings"
        )
    return run


def _windows_for(path: Path, spec: ModelSpec, runs: Sequence[FinishedRun], held: HeldOut) -> TestWindows:
    """The windows that a file is judged on: those of the training it agrees with, else those of the data."""
    if not runs:
        return _cut(path, spec, _load(path, spec, held), held)
    for run in runs:
        own = run.spec
        if (own.sample_rate, own.window_length, own.labels, own.activation) == (
            spec.sample_rate,
            spec.window_length,
            spec.labels,
            spec.activation,
        ):
            check_unheard(path, spec, run.clips, held.side)
            return run.held_out(held.side)
    raise ValueError(
        f"{path} has {spec.activation} scores for {', '.join(spec.labels)} in windows of {spec.window_seconds:g} s, "
        "and none of the trainings has; give it without them, or the training it was made of"
    )


def _load(path: Path, spec: ModelSpec, held: HeldOut) -> LoadedClips:
    """The recordings at the rate of a file, on their sides, with its labels in its order."""
    tell_strays(held.data)
    index = find_clips(held.data, spec.labels)
    _check_heard(path, spec, index.clips, str(held.data))
    tell_assumptions(index)
    index = on_sides(index, held)
    if held.side != ALL_SIDES:
        _check_heard(path, spec, index.of_split(held.side), f"the {held.side} side of {held.data}")
    clips = load_with_progress(index, spec.sample_rate, held.cache, None)
    if held.side != ALL_SIDES:
        check_unheard(path, spec, clips, held.side)
    return clips


def _check_heard(path: Path, spec: ModelSpec, clips: Sequence[Clip], data: str) -> None:
    """Refuse recordings without one of a file's labels."""
    unheard = sorted(set(spec.labels) - {label for clip in clips for label in clip.labels})
    if unheard:
        raise ValueError(f"{path} tells {', '.join(unheard)}, of which {data} has no recording; expected some")


def on_sides(index: ClipIndex, held: HeldOut) -> ClipIndex:
    """Return the recordings on their sides, of which the judged one alone needs every label, or on none.

    Raises
    ------
    ValueError
        As for `split_and_say`.
    """
    if held.side == ALL_SIDES:
        return index.without_split()
    index = replace(index, full_sides=())
    is_drawn = held.test_fold is None and not any(clip.split for clip in index.clips)
    try:
        index = split_and_say(index, held.seed, held.test_fold, held.val_fold)
    except ValueError as error:
        if not is_drawn:
            raise
        raise ValueError(f"{error}; --side all judges all recordings, on whatever side") from error
    return replace(index, full_sides=(held.side,))


def check_unheard(path: Path, spec: ModelSpec, clips: LoadedClips, side: str) -> None:
    """Refuse recordings that a file was trained on under another split; tell where nothing is known.

    Raises
    ------
    ValueError
        The file was trained on another split of these recordings.
    """
    trained_on = spec.provenance
    if not trained_on.split_sha256:
        note(f"{path} does not say what it was trained on; these recordings may be among it")
    elif trained_on.split_sha256 != clips.split_sha256():
        if trained_on.data_sha256 == clips.data_sha256():
            raise ValueError(
                f"{path} was trained on another split of these recordings, so that the {side} side may be among it; "
                "give --test-fold, --val-fold or --seed as in its training, or its run folder beside it"
            )
        note(f"{path} was trained on other recordings than {clips.index.source}; what they share may be trained on")


def _cut(path: Path, spec: ModelSpec, clips: LoadedClips, held: HeldOut) -> TestWindows:
    """The windows of a side as `earproof classify` cuts them, truth as the scores ask."""
    cut = cut_split(clips, _NO_SIDE if held.side == ALL_SIDES else held.side, spec.window_length, tail=DEFAULT_TAIL)
    if spec.activation == "sigmoid":
        return replace(cut, truth=label_sets(clips.index)[cut.clips])
    several = [clip.path for clip in clips.index.clips if len(clip.labels) > 1]
    if several:
        raise ValueError(f"{path} tells one label a window and {several[0]} has several; expected one a recording")
    return cut


def _scores(name: str, classifier: Classifier, cut: TestWindows) -> np.ndarray:
    """The scores of a file on every window, under a progress bar."""
    rows = []
    with progress_bar(len(cut.truth), name, "window") as bar:
        for place in range(len(cut.truth)):
            rows.append(classifier.scores(cut.windows[place]))
            bar.update(1)
    return np.stack(rows)
