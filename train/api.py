"""Training from Python: what `earproof train` does, as a function with keyword arguments."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.nearest_name import did_you_mean
from train.models import begun_with, model_module, needs_validation
from train.settings import TrainingSettings

if TYPE_CHECKING:
    from train.recordings.clip_index import ClipIndex

PathLike = str | Path
SETTING_NAMES = tuple(item.name for item in dataclasses.fields(TrainingSettings))


def train(
    model: str,
    data: PathLike | Sequence[PathLike],
    *,
    out: PathLike,
    variant: str | None = None,
    labels: PathLike | None = None,
    dataset: str | None = None,
    test_fold: str | int | None = None,
    val_fold: str | int | None = None,
    mixtures: PathLike | None = None,
    weights_from: PathLike | None = None,
    teacher: PathLike | Sequence[PathLike] = (),
    unlabelled: PathLike | None = None,
    published: bool = False,
    cache: PathLike | None = None,
    strict: bool = False,
    resume: bool = False,
    force: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Train one model on recordings and fill its run folder, as `earproof train` does.

    Parameters
    ----------
    model : str
        One of `train.models.MODEL_NAMES`.
    data : path or sequence of paths
        A folder with one sub-folder a label or with annotations, a data set, or a CSV; several are taken as one.
    out : path
        The folder to fill.
    variant : str, optional
        Of the model; the model's default if None.
    labels : path, optional
        A file with the labels in output order; they are sorted if None.
    dataset : str, optional
        How `data` is read; found by its layout if None, one folder a label if "none".
    test_fold, val_fold : str or int, optional
        Split by the data's own folds: the test side, and the validation side (the fold after the test fold if None).
    mixtures : path, optional
        A table of `earproof data mix`: only these pairs of clips are mixed.
    weights_from : path, optional
        The run folder of a finished training of this model, whose weights are taken to begin with.
    teacher : path or sequence of paths
        Run folders or `.tflite` files whose scores the model learns beside the truth; of several their mean. How much
        they count is `teacher_weight`, half if it is not given.
    unlabelled : path, optional
        A folder of recordings without labels to train on, for the teacher to label.
    published : bool
        Begin with the published settings.
    cache : path, optional
        Where decoded recordings are kept.
    strict : bool
        Refuse unreadable files instead of leaving them out.
    resume : bool
        Go on in `out` where an earlier training stopped.
    force : bool
        Empty `out` first, if earproof filled it.
    **settings
        Fields of `train.settings.TrainingSettings`, such as `epochs` or `seed`; the model's own where not given.

    Returns
    -------
    dict
        What `metrics.json` in `out` holds.

    Raises
    ------
    TypeError
        A setting of another name.
    ValueError
        A value that is not allowed, recordings that cannot teach the model, a teacher that heard the test side or tells
        other labels, or a training that diverges.
    FileExistsError
        `out` has content, and neither `resume` nor `force` is given.
    """
    from train.recordings.output_folder import check_folder, claim_folder

    # What is wrong with these is said before Keras is loaded, which takes many seconds, and before anything is read.
    module = model_module(model)
    begun = begun_with(module, model_settings(model, variant, published=published, **settings).backbone)
    check_folder(out, force=force, resume=resume)
    from train.data.prepare import find_and_split, load_to_train
    from train.fitting.training_run import choose_variant, train_model
    from train.progress import note
    from train.tasks.auxiliary_outputs import check_auxiliary
    from train.tasks.chosen_mixtures import check_mixes, choose_mixtures
    from train.tasks.task_choice import task_for
    from train.teaching.teach import describe_lesson, teach
    from train.teaching.teacher import check_teachers, open_teachers
    from train.transfer.unused_settings import describe_unused

    built = choose_variant(module, variant)
    teachers = open_teachers(paths_of(teacher), unlabelled, settings)
    chosen = model_settings(model, variant, published=published, **settings)  # with the weight of the teachers
    sample_rate, window_length = begun.sample_rate(built), begun.window_length(built)

    def check(index: ClipIndex) -> None:
        told = task_for(module, built, index.events is not None)
        told.check(index)
        check_teachers(teachers, module.NAME, told, chosen, index.labels)

    index = find_and_split(
        paths_of(data),
        labels,
        chosen.seed,
        check=check,
        dataset=dataset,
        test_fold=fold_name(test_fold),
        val_fold=fold_name(val_fold),
        needs_validation=lambda _: needs_validation(module, built),
    )
    task = task_for(module, built, index.events is not None)
    check_auxiliary(module, task, chosen)
    if unused := describe_unused(settings, chosen, task):
        note(unused)
    if mixtures is not None:
        check_mixes(task, mixtures)
    clips = load_to_train(index, sample_rate, cache, strict)
    if mixtures is not None:
        clips = choose_mixtures(clips, Path(mixtures), task)
    lesson = None
    if teachers:
        clips, lesson = teach(
            clips,
            teachers,
            task,
            chosen,
            sample_rate=sample_rate,
            window_length=window_length,
            unlabelled=unlabelled,
            sides=("train", "val") if chosen.backbone else ("train",),  # a backbone is trained on both
            cache=cache,
            strict=strict,
        )
        note(describe_lesson(lesson))
    folder = claim_folder(out, force=force, resume=resume)
    begin = None if weights_from is None else Path(weights_from)
    try:
        kept = None if cache is None else Path(cache)
        return train_model(
            clips, model, folder, chosen, variant=variant, weights_from=begin, lesson=lesson, cache=kept, tell=note
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished epochs are kept; go on with the same command and --resume") from None


def model_settings(
    model: str, variant: str | None = None, *, published: bool = False, **changes: Any
) -> TrainingSettings:
    """Return a model's own settings, or the published ones, with these changes.

    Raises
    ------
    TypeError
        A change to something that is no setting; the nearest one is offered.
    ValueError
        No model of this name, no published settings of it, or a value that is not allowed.
    """
    for name in changes:
        if name not in SETTING_NAMES:
            hint = did_you_mean(name, SETTING_NAMES)
            raise TypeError(f"there is no setting {name!r}; expected {', '.join(SETTING_NAMES)}{hint}")
    module = model_module(model)
    if published and module.PUBLISHED is None:
        raise ValueError(f"{model} was not published and has no settings of that kind; leave --published out")
    begin: TrainingSettings = module.PUBLISHED if published else module.DEFAULT
    begin = dataclasses.replace(begin, **getattr(module, "VARIANT_SETTINGS", {}).get(variant, {}))
    return dataclasses.replace(begin, **changes)


def paths_of(data: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(data)] if isinstance(data, (str, Path)) else [Path(one) for one in data]


def fold_name(fold: str | int | None) -> str | None:
    """Return a fold's name or number as the split takes it."""
    return None if fold is None else str(fold)
