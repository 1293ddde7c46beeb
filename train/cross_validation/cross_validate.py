"""Cross-validation: tasks made, done where asked, kept as they end, and pooled by candidate."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metadata.plural import counted
from train.cross_validation.fold_scores import FoldScores, read_scores, write_scores
from train.cross_validation.fold_task import Candidate, FoldTask
from train.cross_validation.workers import cores, do_here, do_on_cluster, usual_jobs
from train.data.prepare import load_with_progress
from train.models import begun_with, model_module, needs_validation
from train.progress import progress_bar
from train.recordings.clip_index import ClipIndex
from train.recordings.fold_sides import fewest_groups, sides_of_fold, with_folds
from train.recordings.split import fold_names
from train.recordings.store.clip_store import LoadedClips

SCORES_FOLDER_NAME = "folds"
Tell = Callable[[str], None]
Load = Callable[[ClipIndex, int], LoadedClips]


@dataclass(frozen=True, kw_only=True)
class FoldChoices:
    """How a cross-validation is made.

    Attributes
    ----------
    num_folds : int, optional
        As for `train.recordings.fold_sides.with_folds`.
    own : bool
        Whether the data's own folds may be taken.
    seed : int
        Of the deal into folds, and of the first training.
    num_seeds : int
        Trainings of each fold and candidate, with one seed after the other.
    jobs : int, optional
        Processes on this machine; one a core by default.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers do the tasks.
    cache : Path, optional
        Of decoded recordings.
    """

    num_folds: int | None = None
    own: bool = True
    seed: int = 0
    num_seeds: int = 1
    jobs: int | None = None
    scheduler: str | None = None
    cache: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidated:
    """All scores of a cross-validation.

    Attributes
    ----------
    candidates : tuple of Candidate
    folds : tuple of str
    seeds : tuple of int
    how : str
        How the folds came about, for people.
    labels : tuple of str
    fewest : tuple of str and int
        The label with the fewest groups, and their number.
    scores : dict
        By candidate's name, seed and fold.
    """

    candidates: tuple[Candidate, ...]
    folds: tuple[str, ...]
    seeds: tuple[int, ...]
    how: str
    labels: tuple[str, ...]
    fewest: tuple[str, int]
    scores: dict[tuple[str, int, str], FoldScores]


def cross_validate(
    index: ClipIndex,
    candidates: Sequence[Candidate],
    choices: FoldChoices,
    folder: Path | None,
    tell: Tell,
    load: Load | None = None,
) -> CrossValidated:
    """Test every clip by trainings that never heard its group, once for each candidate and seed.

    Parameters
    ----------
    index : ClipIndex
        Of one label or several a clip, without annotations.
    candidates : sequence of Candidate
        With different names.
    choices : FoldChoices
    folder : Path, optional
        Scores are kept in it as folds end, and those that are there are not computed again. None: nothing is kept.
    tell : callable
    load : callable, optional
        Returns the recordings of an index at a rate in Hz; where None they are decoded, with progress.

    Raises
    ------
    ValueError
        Folds in which a label has no clip, annotated recordings, or a candidate that cannot be trained on these.
    RuntimeError
        Tasks that failed, after all others were done; what those gave is in `folder`.
    """
    index, how = with_folds(index.without_split(), choices.num_folds, choices.seed, choices.own)
    folds = fold_names(index)
    seeds = tuple(range(choices.seed, choices.seed + choices.num_seeds))
    tell(
        f"{counted(len(index.clips), 'clip')}, {how}: {counted(len(candidates), 'candidate')} x "
        f"{counted(len(seeds), 'seed')} x {len(folds)} folds"
    )
    _check(index, candidates, folds)
    load = load or (lambda index, rate: load_with_progress(index, rate, choices.cache, None))
    tasks = _tasks(index, candidates, folds, seeds, choices, load)
    with _kept_in(folder) as scores_folder:
        done = {key: read_scores(path) for key in tasks if (path := scores_folder / f"{tasks[key].key}.npz").is_file()}
        if done:
            tell(f"{counted(len(done), 'task is', 'tasks are')} done already, in {scores_folder}")
        done |= _do({key: task for key, task in tasks.items() if key not in done}, choices, scores_folder, tell)
    return CrossValidated(
        candidates=tuple(candidates),
        folds=tuple(folds),
        seeds=seeds,
        how=how,
        labels=index.labels,
        fewest=fewest_groups(index),
        scores=done,
    )


def _check(index: ClipIndex, candidates: Sequence[Candidate], folds: Sequence[str]) -> None:
    """Refuse what would fail in every fold, before anything is decoded."""
    if index.events is not None:
        raise ValueError(
            f"{index.root} has annotations; folds are judged by labels of whole recordings. A detector is judged with "
            "train --test-fold and evaluate RUN DATA, a fold at a time"
        )
    for candidate in candidates:
        module = begun_with(model_module(candidate.model), candidate.settings.backbone)
        module.task(candidate.variant).check(index)
        for fold in folds:
            sided = sides_of_fold(index, fold)
            if "val" not in sided.full_sides and needs_validation(module, candidate.variant):
                label, fewest = fewest_groups(index)
                raise ValueError(
                    f"{candidate.name} needs a side to validate on, and so three groups of each label; {label} has "
                    f"{fewest}: add recordings, or judge transfer, which needs none (earproof backbone list)"
                )


def _tasks(
    index: ClipIndex,
    candidates: Sequence[Candidate],
    folds: Sequence[str],
    seeds: Sequence[int],
    choices: FoldChoices,
    load: Load,
) -> dict[tuple[str, int, str], FoldTask]:
    """The tasks by candidate, seed and fold. Recordings are decoded once, here, with what there is to tell of them."""
    loaded: dict[int, LoadedClips] = {}
    tasks = {}
    num_tasks = len(candidates) * len(folds) * len(seeds)
    jobs = choices.jobs or usual_jobs(num_tasks)
    threads = 1 if choices.scheduler else max(1, cores() // jobs)
    for candidate in candidates:
        rate = begun_with(model_module(candidate.model), candidate.settings.backbone).sample_rate(candidate.variant)
        if rate not in loaded:
            loaded[rate] = load(index, rate)
        clips = loaded[rate]
        for seed in seeds:
            for fold in folds:
                tasks[candidate.name, seed, fold] = FoldTask(
                    candidate=candidate,
                    index=clips.index,
                    data_sha256=clips.data_sha256(),
                    fold=fold,
                    seed=seed,
                    cache=choices.cache,
                    threads=threads,
                )
    return tasks


def _do(
    tasks: dict[tuple[str, int, str], FoldTask], choices: FoldChoices, folder: Path, tell: Tell
) -> dict[tuple[str, int, str], FoldScores]:
    """Do tasks where asked; each is written as it ends, and told once."""
    if not tasks:
        return {}
    places = {task.key: place for place, task in tasks.items()}
    found, failed, told = {}, [], set[str]()
    ordered = list(tasks.values())
    if choices.scheduler:
        outcomes = do_on_cluster(ordered, choices.scheduler, tell)
    else:
        outcomes = do_here(ordered, choices.jobs or usual_jobs(len(ordered)), tell)
    with progress_bar(len(tasks), "folds", "fold") as bar:
        for task, outcome in outcomes:
            if isinstance(outcome, Exception):
                failed.append((task, outcome))
            else:
                write_scores(folder / f"{task.key}.npz", outcome)
                found[places[task.key]] = outcome
                _tell_new(outcome.notes, told, task, tell)
            bar.update()
    if failed:
        task, error = failed[0]
        first = f"{task.candidate.name}, seed {task.seed}, fold {task.fold}"
        raise RuntimeError(
            f"{len(failed)} of {counted(len(tasks), 'task')} failed, the first, {first}: {error}"
        ) from error
    return found


def _tell_new(notes: Sequence[str], told: set[str], task: FoldTask, tell: Tell) -> None:
    """Tell what a training noted, where no other of the candidate noted the same."""
    for text in notes:
        line = f"{task.candidate.name}, fold {task.fold}: {text}"
        if text not in told:
            told.add(text)
            tell(line)


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[Path]:
    """The folder of scores, for the time of the work where nothing is to be kept."""
    if folder is not None:
        scores = folder / SCORES_FOLDER_NAME
        scores.mkdir(parents=True, exist_ok=True)
        yield scores
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)
