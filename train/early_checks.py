"""What is wrong with the arguments of a training, said before Keras is loaded and a recording is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PathLike = str | Path
NO_DATA_SET = "none"  # of --dataset: plain folders


def check_given(
    data: Sequence[PathLike],
    *,
    labels: PathLike | None = None,
    dataset: str | None = None,
    test_fold: str | int | None = None,
    val_fold: str | int | None = None,
    cache: PathLike | None = None,
    mixtures: PathLike | None = None,
    weights_from: PathLike | None = None,
    teachers: Sequence[PathLike] = (),
    unlabelled: PathLike | None = None,
) -> None:
    """Raise for what is named and is not there, or is of another kind; parameters as of `train.api.train`.

    Raises
    ------
    FileNotFoundError
        No such recordings, labels, table, training or file.
    NotADirectoryError
        A file in place of a folder.
    ValueError
        No data set of this name, or a validation fold without a test fold.
    """
    for one in data:
        _require(Path(one).exists(), one, "does not exist; expected a folder with one sub-folder a label, or a CSV")
    if labels is not None:
        _is_read(labels, "does not exist; expected a text file with one label a line")
    if dataset is not None and dataset != NO_DATA_SET:
        from train.recordings.importers import choose_importer

        choose_importer(dataset)
    if val_fold is not None and test_fold is None:
        raise ValueError("--val-fold chooses beside --test-fold; give that too")
    if cache is not None and Path(cache).exists() and not Path(cache).is_dir():
        raise NotADirectoryError(f"{cache} is a file; expected a folder for decoded recordings (--cache)")
    if mixtures is not None:
        _is_read(mixtures, "does not exist; expected a table of earproof data mix")
    if weights_from is not None:
        check_run(weights_from, "--weights-from takes the folder of a finished training")
    for teacher in teachers:
        if Path(teacher).is_dir():
            check_run(teacher, "--teacher takes the folder of a finished training, or a .tflite file")
        else:
            _require(Path(teacher).is_file(), teacher, "does not exist; expected a finished training or a .tflite file")
    if unlabelled is not None:
        _require(Path(unlabelled).is_dir(), unlabelled, "is no folder; --unlabelled takes one with recordings")


def _is_read(path: PathLike, expected: str) -> None:
    """Raise FileNotFoundError unless there is a file, or a pipe as `<(...)` of a shell gives it."""
    _require(Path(path).exists() and not Path(path).is_dir(), path, expected)


def check_teaching(teachers: Sequence[PathLike], unlabelled: PathLike | None, teacher_weight: float | None) -> None:
    """Raise ValueError for what only a teacher makes use of, without one."""
    if teachers or (unlabelled is None and not teacher_weight):
        return
    given = "--unlabelled" if unlabelled is not None else "--teacher-weight"
    raise ValueError(f"{given} is for a training with a teacher; expected --teacher RUN_OR_FILE too")


def check_run(folder: PathLike, expected: str) -> None:
    """Raise FileNotFoundError unless a folder has the model that a finished training leaves."""
    model = Path(folder) / "model.keras"
    _require(model.is_file(), model, f"is not there; {expected}")


def _require(is_so: bool, path: PathLike, expected: str) -> None:
    """Raise FileNotFoundError with what is expected of a path."""
    if not is_so:
        raise FileNotFoundError(f"{path} {expected}")
