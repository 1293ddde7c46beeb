"""The whole job: recordings in, proven `.tflite` files and their table out.

OUT/<model>/            the training run, see `train.fitting.training_run`
OUT/<model>[-spectrogram]-<recipe>.tflite
OUT/golden/<model>.npz  windows with the trained model's scores, for `earproof parity` on a device
OUT/drift/<file>.*      where each file's layers leave the float ones, as table, JSON and picture (earproof convert)
OUT/folds/              scores of the cross-validation, a file a training
OUT/labels.txt          what the files put out, in order
OUT/report.json, OUT/report.md, OUT/report.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.compression.compress import compress_run
from convert.compression.settings import CompressionSettings
from convert.convert_run import convert_run, write_drifts
from convert.convertible import Convertible, open_trained
from convert.html_report.subjects import write_run_page
from convert.recipes import Recipe
from convert.report.build_report import DRIFT_FOLDER_NAME, describe_build, write_report
from convert.report.compression import describe_compression
from convert.report.data_report import describe_data
from convert.report.golden import write_golden
from convert.report.proof import FileProof, prove_files
from convert.settings import ConvertSettings
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME
from metadata.labels import LABELS_FILE_NAME, write_labels
from metadata.plural import counted
from metadata.safe_name import safe_part
from train.cross_validation.cross_validate import FoldChoices, cross_validate
from train.cross_validation.fold_report import describe_folds
from train.cross_validation.fold_task import Candidate
from train.fitting.finished_run import FinishedRun
from train.fitting.training_run import train_model
from train.models import model_module
from train.progress import Steps
from train.recordings.store.clip_store import LoadedClips
from train.recordings.unheard_tails import describe_unheard
from train.settings import TrainingSettings
from train.tasks.task import OneLabel

Tell = Callable[[str], None]


def build(
    clips: LoadedClips,
    out: Path,
    settings: dict[str, TrainingSettings],
    conversion: ConvertSettings,
    *,
    cache: Path | None = None,
    folds: FoldChoices | None = None,
    hints: Sequence[str] = (),
    state_before: dict[str, Any] | None = None,
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
    conversion : ConvertSettings
        Of every model.
    cache : Path, optional
        Of decoded recordings.
    folds : FoldChoices, optional
        How the models are cross-validated; None: they are not.
    hints : sequence of str
        For the report: what could be gained.
    state_before : dict, optional
        As `read_machine_state` gives it, before the job took the machine; the report warns of what spoils times.
    tell : callable
        Called with notes for people.
    """
    metrics, proofs = [], []
    write_labels(out / LABELS_FILE_NAME, clips.index.labels)
    for step, (name, chosen) in enumerate(settings.items(), start=1):
        is_head = chosen.backbone and not chosen.fine_tune  # solved, not stepped
        how = "a head on its backbone" if is_head else f"{counted(chosen.epochs, 'epoch')} at most"
        tell(f"[{step}/{len(settings)}] {name}: training, {how}")
        metrics.append(train_model(clips, name, out / name, chosen, cache=cache, tell=tell))
        proofs += deliver(open_trained(out / name, cache), out, conversion, tell)
    validated = _cross_validate(clips, settings, folds, out, tell) if folds else None
    report = describe_build(proofs, metrics, out, state_before, validated, clips.near_copies)
    report["hints"] = list(hints)
    report["data"] = describe_data(clips)
    write_report(report, out)
    write_run_page(out)
    return report


def convert_and_report(
    run: Convertible,
    out: Path,
    settings: ConvertSettings,
    metrics: list[dict[str, Any]],
    compression: CompressionSettings | None = None,
    *,
    state_before: dict[str, Any] | None = None,
    tell: Tell = print,
) -> dict[str, Any]:
    """Convert and prove one run, trained on first where a compression is given; return the report, written too.

    Parameters
    ----------
    run : Convertible
    out : Path
        An existing folder.
    settings : ConvertSettings
    metrics : list of dict
        Of the training, none for a file without one.
    compression : CompressionSettings, optional
    state_before : dict, optional
        As for `build`.
    tell : callable
        Called with notes for people.
    """
    compressed = compress_run(run, compression, tell=tell) if compression else None
    proofs = deliver(compressed or run, out, settings, tell)
    report = describe_build(proofs, metrics, out, state_before, near_copies=run.clips.near_copies)
    if run.clips.index.taught:
        report["data"] = describe_data(run.clips)
    if compressed:
        report["compression"] = describe_compression(compressed, [proof.file.path for proof in proofs])
        report["passed"] = report["passed"] and report["compression"]["passed"]
    write_report(report, out)
    write_run_page(out)
    return report


def deliver(run: Convertible, out: Path, settings: ConvertSettings, tell: Tell) -> list[FileProof]:
    """Convert one finished run into `out`, prove the files, and write their golden vectors, where asked their drift."""
    _tell_cut_tails(run, settings.recipes, tell)
    with Steps(tell) as steps:
        files = convert_run(run, out, settings, steps)
        proofs = prove_files(run, files, settings, steps)
        golden = out / GOLDEN_FOLDER_NAME
        golden.mkdir(exist_ok=True)
        write_golden(run, golden / f"{safe_part(run.spec.name)}.npz")
        if settings.drift:
            write_drifts(run, files, out / DRIFT_FOLDER_NAME, steps)
    return proofs


def _cross_validate(
    clips: LoadedClips, settings: dict[str, TrainingSettings], folds: FoldChoices, out: Path, tell: Tell
) -> dict[str, Any]:
    """Test every clip by trainings that never heard its group, with each model; return what they come to."""
    tell("cross-validation of the models; --folds 0 leaves it out")
    candidates = [
        Candidate(name=name, model=name, variant=model_module(name).DEFAULT_VARIANT, settings=chosen)
        for name, chosen in settings.items()
    ]
    found = cross_validate(clips.index, candidates, folds, out, tell, lambda index, _: replace(clips, index=index))
    return describe_folds(found)


def _tell_cut_tails(run: FinishedRun, recipes: Sequence[Recipe], tell: Tell) -> None:
    """Say what part of the training sound calibration leaves out."""
    if not (isinstance(run.task, OneLabel) and any(recipe.needs_calibration for recipe in recipes)):
        return
    cut = run.spec.sample_rate, run.spec.window_length, run.settings.window_hop, run.settings.tail
    if unheard := describe_unheard(run.clips, "train", "calibration", *cut):
        tell(unheard)
