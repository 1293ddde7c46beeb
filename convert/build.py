"""The whole job: recordings in, proven `.tflite` files and their table out.

OUT/<model>/            the training run, see `train.fitting.training_run`
OUT/<model>[-spectrogram]-<recipe>.tflite
OUT/golden/<model>.npz  windows with the trained model's scores, for `earproof parity` on a device
OUT/drift/<file>.*      where each file's layers leave the float ones, as table, JSON and picture (earproof convert)
OUT/labels.txt          what the files put out, in order
OUT/report.json, OUT/report.md
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from convert.convert_run import convert_run, write_drifts
from convert.recipes import Recipe
from convert.report.build_report import describe_build, write_report
from convert.report.data_report import describe_data
from convert.report.golden import write_golden
from convert.report.proof import FileProof, prove_files
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME
from metadata.labels import LABELS_FILE_NAME, write_labels
from metadata.plural import counted
from metadata.safe_name import safe_part
from train.fitting.finished_run import FinishedRun, open_run
from train.fitting.training_run import train_model
from train.recordings.store.clip_store import LoadedClips
from train.recordings.unheard_tails import describe_unheard
from train.settings import TrainingSettings
from train.tasks.task import OneLabel

DRIFT_FOLDER_NAME = "drift"
Tell = Callable[[str], None]


def build(
    clips: LoadedClips,
    out: Path,
    settings: dict[str, TrainingSettings],
    recipes: Sequence[Recipe],
    *,
    cache: Path | None = None,
    num_calibration_windows: int,
    num_runs: int,
    warmup_runs: int,
    tell: Tell = print,
) -> dict[str, Any]:
    """Train, convert, prove and measure every model; return the report that `report.json` holds.

    Parameters
    ----------
    clips : LoadedClips
        Each on a side of the split.
    out : Path
        An existing folder; finished trainings in it are kept, begun ones go on.
    settings : dict of str to TrainingSettings
        Keys are the names of the models to build.
    recipes : sequence of Recipe
        float32 among them: it is what the others are compared with.
    cache : Path, optional
        Of decoded recordings.
    num_calibration_windows, num_runs, warmup_runs : int
        As for `convert_run` and `measure_latency`.
    tell : callable
        Called with notes for people.
    """
    metrics, proofs = [], []
    write_labels(out / LABELS_FILE_NAME, clips.index.labels)
    for step, (name, chosen) in enumerate(settings.items(), start=1):
        tell(f"[{step}/{len(settings)}] {name}: training, {counted(chosen.epochs, 'epoch')} at most")
        metrics.append(train_model(clips, name, out / name, chosen, tell=tell))
        proofs += deliver(
            open_run(out / name, cache),
            out,
            recipes,
            num_calibration_windows=num_calibration_windows,
            num_runs=num_runs,
            warmup_runs=warmup_runs,
            tell=tell,
        )
    report = describe_build(proofs, metrics, out)
    report["data"] = describe_data(clips)
    write_report(report, out)
    return report


def deliver(
    run: FinishedRun,
    out: Path,
    recipes: Sequence[Recipe],
    *,
    num_calibration_windows: int,
    num_runs: int,
    warmup_runs: int,
    calibration_seed: int = 0,
    skip_unfit: bool = False,
    drift: bool = False,
    tell: Tell,
) -> list[FileProof]:
    """Convert one finished run into `out`, prove the files, and write their golden vectors, where asked their drift."""
    _tell_unheard(run, recipes, tell)
    files = convert_run(
        run,
        out,
        recipes,
        num_calibration_windows=num_calibration_windows,
        seed=calibration_seed,
        skip_unfit=skip_unfit,
        tell=tell,
    )
    proofs = prove_files(run, files, num_runs=num_runs, warmup_runs=warmup_runs, tell=tell)
    golden = out / GOLDEN_FOLDER_NAME
    golden.mkdir(exist_ok=True)
    write_golden(run, golden / f"{safe_part(run.spec.name)}.npz")
    if drift:
        write_drifts(run, files, out / DRIFT_FOLDER_NAME, tell)
    return proofs


def _tell_unheard(run: FinishedRun, recipes: Sequence[Recipe], tell: Tell) -> None:
    """Say what of the training sound calibration does not hear."""
    if not (isinstance(run.task, OneLabel) and any(recipe.needs_calibration for recipe in recipes)):
        return
    cut = run.spec.sample_rate, run.spec.window_length, run.settings.window_hop, run.settings.tail
    if unheard := describe_unheard(run.clips, "train", "calibration", *cut):
        tell(unheard)
