"""Building and converting from Python: what `earproof build` and `earproof convert` do, as functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.recipes import ALL, choose_recipes
from convert.settings import ConvertSettings
from train.api import PathLike, fold_name, paths_of
from train.early_checks import check_given
from train.models import check_model, common_sample_rate


def build(
    data: PathLike | Sequence[PathLike],
    *,
    out: PathLike,
    models: str | Sequence[str] | None = None,
    recipes: str | Sequence[str] | None = None,
    folds: int | None = None,
    labels: PathLike | None = None,
    dataset: str | None = None,
    test_fold: str | int | None = None,
    val_fold: str | int | None = None,
    published: bool = False,
    cache: PathLike | None = None,
    strict: bool = False,
    resume: bool = False,
    force: bool = False,
    seed: int = 0,
    calibration_windows: int = 200,
    num_runs: int = 200,
    warmup_runs: int = 20,
    loader_thresholds: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Train models on recordings, convert them, and check and time every file, as `earproof build` does.

    Parameters
    ----------
    data : path or sequence of paths
        A folder with one sub-folder a label or with annotations, a data set, or a CSV; several are taken as one.
    out : path
        The folder to fill.
    models : str or sequence of str, optional
        Of `train.models.MODEL_NAMES`. If None, `ONE_LABEL_NAMES`, with `TRANSFER_NAME` where a backbone is on this
        machine, or `DETECTOR_NAMES` for recordings with annotations.
    recipes : str or sequence of str, optional
        Only these and float32, or "all"; the default recipes if None.
    folds : int, optional
        The models are cross-validated over groups in so many folds; 0: not. If None, in five, or as many as the groups
        allow, where a backbone is on this machine.
    labels : path, optional
        A file with the labels in output order; they are sorted if None.
    dataset : str, optional
        How `data` is read; found by its layout if None, one folder a label if "none".
    test_fold, val_fold : str or int, optional
        Split by the data's own folds: the test side, and the validation side (the fold after the test fold if None).
    published : bool
        Begin with the published settings.
    cache : path, optional
        Where decoded recordings are kept.
    strict : bool
        Refuse unreadable files instead of leaving them out.
    resume : bool
        Go on in `out` where an earlier build stopped.
    force : bool
        Empty `out` first, if earproof filled it.
    seed : int
        Of split, weights and everything drawn.
    calibration_windows : int
        On which static recipes measure their ranges.
    num_runs, warmup_runs : int
        Of the latency measurement of each file.
    loader_thresholds : bool
        Write the thresholds so that the Task library and MediaPipe apply them.
    **settings
        Fields of `train.settings.TrainingSettings`, such as `epochs`; each model's own where not given.

    Returns
    -------
    dict
        What `report.json` in `out` holds; `passed` says whether every file behaves as its trained model.

    Raises
    ------
    TypeError
        A setting of another name.
    ValueError
        A value that is not allowed, or recordings that cannot teach the models.
    FileExistsError
        `out` has content, and neither `resume` nor `force` is given.
    """
    from edge_runtime.machine.state import read_machine_state
    from train.recordings.output_folder import check_folder, claim_folder

    # What is wrong with these is said before TensorFlow is loaded, which takes many seconds, or anything is read.
    conversion = ConvertSettings(
        recipes=tuple(choose_recipes(_listed(recipes))),
        num_calibration_windows=calibration_windows,
        num_runs=num_runs,
        warmup_runs=warmup_runs,
        loader_thresholds=loader_thresholds,
    )
    for name in _listed(models):
        check_model(name)
    check_folder(out, force=force, resume=resume)
    check_given(paths_of(data), labels=labels, dataset=dataset, test_fold=test_fold, val_fold=val_fold, cache=cache)
    state_before = read_machine_state()
    from convert.built_models import BuiltModels
    from train.data.prepare import find_and_split, load_to_train
    from train.progress import note

    built = BuiltModels(
        models=_listed(models) if models else None,
        folds=folds,
        backbone=str(settings.pop("backbone", "")),
        settings={"published": published, "seed": seed, **settings},
    )
    built.check_settings()  # what is wrong with them is said before anything is read
    index = find_and_split(
        paths_of(data),
        labels,
        seed,
        check=built.check,
        dataset=dataset,
        test_fold=fold_name(test_fold),
        val_fold=fold_name(val_fold),
        needs_validation=built.needs_validation,
    )
    names = built.names(index)
    chosen = built.settings_of(names)
    cached = None if cache is None else Path(cache)
    choices = built.fold_choices(index, seed, test_fold is not None, cached)
    clips = load_to_train(
        index, common_sample_rate({name: one.backbone for name, one in chosen.items()}), cache, strict
    )
    from convert.build import build as build_files

    folder = claim_folder(out, force=force, resume=resume)
    try:
        return build_files(
            clips,
            folder,
            chosen,
            conversion,
            cache=cached,
            folds=choices,
            hints=built.hints(index),
            state_before=state_before,
            tell=note,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what is finished is kept; go on with the same command and --resume") from None


def convert(
    run: PathLike,
    *,
    out: PathLike,
    recipes: str | Sequence[str] | None = None,
    compress: str | None = None,
    compress_epochs: int | None = None,
    cache: PathLike | None = None,
    resume: bool = False,
    force: bool = False,
    calibration_windows: int = 200,
    calibration_seed: int = 0,
    num_runs: int = 200,
    warmup_runs: int = 20,
    loader_thresholds: bool = False,
) -> dict[str, Any]:
    """Make `.tflite` files of a finished training, and check and time each, as `earproof convert` does.

    Parameters
    ----------
    run : path
        A folder that `train` filled. A float `.tflite` of another tool is for the command.
    out : path
        The folder to fill.
    recipes : str or sequence of str, optional
        Only these and float32, or "all"; the default recipes if None.
    compress : str, optional
        Train on first: qat, prune or cluster.
    compress_epochs : int, optional
        Of that; as many as suit the kind if None.
    cache : path, optional
        Where decoded recordings are kept.
    resume : bool
        Keep what is in `out`.
    force : bool
        Empty `out` first, if earproof filled it.
    calibration_windows, calibration_seed : int
        Windows on which static recipes measure their ranges, and the seed of their choice.
    num_runs, warmup_runs : int
        Of the latency measurement of each file.
    loader_thresholds : bool
        Write the thresholds so that the Task library and MediaPipe apply them.

    Returns
    -------
    dict
        What `report.json` in `out` holds; `passed` says whether every file behaves as its trained model.

    Raises
    ------
    FileNotFoundError
        No finished training in `run`, or recordings that are gone.
    ValueError
        An unknown recipe or kind of compression.
    FileExistsError
        `out` has content, and neither `resume` nor `force` is given.
    """
    from convert.compression.settings import compression_settings
    from edge_runtime.machine.state import read_machine_state
    from train.fitting.finished_run import require_files
    from train.fitting.training_run import METRICS_FILE_NAME, MODEL_FILE_NAME
    from train.recordings.output_folder import check_folder, claim_folder

    # As in `build`.
    settings = ConvertSettings(
        recipes=tuple(choose_recipes(_listed(recipes))),
        num_calibration_windows=calibration_windows,
        calibration_seed=calibration_seed,
        skip_unfit=not recipes or ALL in _listed(recipes),
        num_runs=num_runs,
        warmup_runs=warmup_runs,
        loader_thresholds=loader_thresholds,
        drift=True,
    )
    if compress_epochs is not None and not compress:
        raise ValueError("--compress-epochs is of a compression; expected --compress KIND beside it")
    changes = {} if compress_epochs is None else {"epochs": compress_epochs}
    compression = compression_settings(compress, **changes) if compress else None
    check_folder(out, force=force, resume=resume)
    check_given([], cache=cache)
    require_files(Path(run), METRICS_FILE_NAME, MODEL_FILE_NAME)
    state_before = read_machine_state()
    from convert.build import convert_and_report
    from convert.convertible import open_trained
    from train.data.prepare import load_with_progress
    from train.progress import note

    finished = open_trained(run, cache, load_with_progress)
    metrics = [json.loads((Path(run) / METRICS_FILE_NAME).read_text())]
    folder = claim_folder(out, force=force, resume=resume)
    return convert_and_report(finished, folder, settings, metrics, compression, state_before=state_before, tell=note)


def _listed(names: str | Sequence[str] | None) -> list[str]:
    """Return one name, several or none as a list."""
    return [names] if isinstance(names, str) else list(names or ())
