"""Proof that the files behave as the trained model does: parity levels 1 to 5, accuracy and latency of each file."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.converted_file import ConvertedFile
from convert.convertible import Convertible
from convert.export.float_export import export_float
from convert.export.input_forms import FRONT_END_LAYER
from convert.report.test_side import TestSide, describe_test_side
from convert.settings import ConvertSettings
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.bench.latency import LatencyReport, measure_latency
from edge_runtime.front_end.mel import loudest_bands, mel_spectrogram
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.parity.file_parity import BUILTIN_KERNELS, SLOW_MS
from edge_runtime.parity.frame_parity import frame_parity
from edge_runtime.parity.levels import (
    ParityResult,
    front_end_parity,
    on_other_kernels,
    phone_parity,
    recipe_parity,
    score_parity,
)
from edge_runtime.scoring.measures import decisions
from metadata import MelFrontEnd
from metadata.plural import counted
from metadata.recipe import find_tolerance
from train.batches.window_rows import WindowRows
from train.evaluation.evaluate import Evaluations, TestWindows, evaluate_scores, score_thresholds
from train.evaluation.predict import predict, predict_outputs
from train.evaluation.rotated_windows import with_rotated_windows
from train.fitting.finished_run import FinishedRun
from train.layers.librosa_mel import librosa_mel
from train.progress import Steps

SLOW_NUM_RUNS, SLOW_WARMUP_RUNS = 30, 3
NUM_FRONT_END_WINDOWS = 50  # level 1 compares at most this many windows
MOST_REPLAYED_SECONDS = 120  # of a recording on the phone: what comes later is treated as what came before


@dataclass(frozen=True)
class FileProof:
    """What was found out about one file.

    Attributes
    ----------
    file : ConvertedFile
    evaluations : dict of str to Evaluation or LabelSetEvaluation
        On the test side, as `train.evaluation.evaluate.evaluate_scores` names them.
    parity : list of ParityResult
    latency : LatencyReport
    side : TestSide
        What it was judged on.
    decided : np.ndarray
        Its decisions there, as `edge_runtime.scoring.measures.decisions` gives them.
    """

    file: ConvertedFile
    evaluations: Evaluations
    parity: list[ParityResult]
    latency: LatencyReport
    side: TestSide
    decided: np.ndarray

    @property
    def passed(self) -> bool:
        """Whether every level that was checked holds."""
        return all(result.passed for result in self.parity)


@dataclass(frozen=True)
class FileOutputs:
    """What a file puts out: scores of shape (n_windows, n_labels), those without XNNPACK, and its phone replay.

    Frame scores (n_windows, num_frames * n_labels) stand beside the scores; None for a file without.
    """

    scores: np.ndarray
    builtin_scores: np.ndarray | None
    phone: ParityResult
    is_slow: bool
    frames: np.ndarray | None = None
    builtin_frames: np.ndarray | None = None


def prove_files(
    run: Convertible,
    files: Sequence[ConvertedFile],
    settings: ConvertSettings,
    steps: Steps,
) -> list[FileProof]:
    """Check and measure every file of one run.

    The float file of each form is the reference of its other recipes, and is itself compared with the Keras model;
    `files` must hold it.

    Parameters
    ----------
    run : Convertible
    files : sequence of ConvertedFile
        As `convert_run` returns them.
    settings : ConvertSettings
        Of which the latency measurement takes its runs.
    steps : Steps
        Begins one for each file.

    Returns
    -------
    list of FileProof
        In the order of `files`.

    Notes
    -----
    Evaluated are the test windows as they are; levels 2, 3 and 5, which tell two files apart, compare on these and,
    where they are few, on the same rotated (`train.evaluation.rotated_windows`).

    A file that takes more than `SLOW_MS` of processor time a window (int16x8 on a CPU) replays the shortest recording
    only, runs no rotated window and is timed in `SLOW_NUM_RUNS` runs at most; otherwise it alone would take longer than
    all others together. It is not run without XNNPACK (level 5) either, which has no kernels for it.
    """
    cut = run.test_windows()
    again = with_rotated_windows(cut)
    recordings = sorted(phone_recordings(run, cut), key=len)
    if len(recordings[-1]) == MOST_REPLAYED_SECONDS * run.spec.sample_rate:
        steps.tell(f"of longer recordings the phone replay takes the first {MOST_REPLAYED_SECONDS} s")
    outputs = _outputs_of_all(files, again.windows, len(cut.windows), recordings, steps)
    has_mel = isinstance(run.spec.front_end, MelFrontEnd)
    steps.begin(f"comparing with the Keras model on {counted(len(again.windows), 'window')}", 1, 1 + has_mel)
    keras_scores, *keras_frames = predict_outputs(run.model, again.windows)
    if has_mel:
        steps.begin("comparing the front end with librosa", 2, 2)
    front_end = prove_front_end(run, cut.windows)
    side = describe_test_side(run, cut)
    proofs = []
    for place, file in enumerate(files, start=1):
        found = outputs[file.path]
        is_float = file.recipe.name == "float32"
        reference = keras_scores if is_float else _float_file(file, files, outputs).scores
        frames = next(iter(keras_frames), None) if is_float else _float_file(file, files, outputs).frames
        parity = [*front_end] if is_float else []
        parity.append(_score_parity(file, reference, found.scores, again))
        parity += _frame_parity(file, frames, found.frames)
        if found.builtin_scores is not None:
            on_builtin = [_score_parity(file, reference, found.builtin_scores, again)]
            on_builtin += _frame_parity(file, frames, found.builtin_frames)
            parity += [on_other_kernels(result, BUILTIN_KERNELS) for result in on_builtin]
        parity.append(found.phone)
        steps.begin(f"timing {file.path.name}", place, len(files))
        runs, warm_up = settings.num_runs, settings.warmup_runs
        if found.is_slow:
            runs, warm_up = min(runs, SLOW_NUM_RUNS), min(warm_up, SLOW_WARMUP_RUNS)
        latency = measure_latency(
            Classifier(file.path), cut.windows[: max(runs, warm_up)], num_runs=runs, warmup_runs=warm_up
        )
        scores = found.scores[: len(cut.windows)]
        evaluations = evaluate_scores(scores, cut, run.spec)
        decided = decisions(scores, score_thresholds(run.spec))
        proofs.append(FileProof(file, evaluations, parity, latency, side, decided))
    return proofs


def _outputs_of_all(
    files: Sequence[ConvertedFile],
    windows: np.ndarray | WindowRows,
    num_given: int,
    recordings: Sequence[np.ndarray],
    steps: Steps,
) -> dict[Path, FileOutputs]:
    """Run every file on every window; several at once, since nothing is timed yet and interpreters leave the GIL."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = {file.path: pool.submit(_outputs_of, file.path, windows, num_given, recordings) for file in files}
        try:
            for place, (path, future) in enumerate(begun.items(), start=1):
                steps.begin(f"running {path.name} on {counted(len(windows), 'window')}", place, len(begun))
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {path: future.result() for path, future in begun.items()}


def _outputs_of(
    path: Path, windows: np.ndarray | WindowRows, num_given: int, recordings: Sequence[np.ndarray]
) -> FileOutputs:
    """Run one file on the windows, without XNNPACK too where it is not slow, and replay recordings on the phone.

    The first `num_given` windows are those of the test side; what follows are the same rotated.
    """
    classifier = Classifier(path)
    begin = time.thread_time()  # the interpreter runs in this thread; what else the machine does shall not count
    scores, frames = _scores_of(classifier, windows, range(num_given))
    if (time.thread_time() - begin) * 1000 / num_given > SLOW_MS:
        return FileOutputs(scores, None, phone_parity(classifier, recordings[:1]), is_slow=True, frames=frames)
    more_scores, more_frames = _scores_of(classifier, windows, range(num_given, len(windows)))
    scores = np.concatenate([scores, more_scores])
    if frames is not None and more_frames is not None:
        frames = np.concatenate([frames, more_frames])
    builtin = _scores_of(Classifier(classifier.model, use_xnnpack=False), windows, range(len(windows)))
    return FileOutputs(scores, builtin[0], phone_parity(classifier, recordings), False, frames, builtin[1])


def prove_front_end(run: FinishedRun, windows: np.ndarray | WindowRows) -> list[ParityResult]:
    """Compare the four front ends (level 1): librosa, NumPy, the Keras layer and the exported graph; none without mel.

    Notes
    -----
    librosa is the reference, with `pad_mode="reflect"`: it zero-pads by default since 0.9, the phone reflects.
    """
    if not isinstance(run.spec.front_end, MelFrontEnd):
        return []
    import keras

    chosen = windows[np.linspace(0, len(windows) - 1, min(len(windows), NUM_FRONT_END_WINDOWS)).astype(int)]
    layer = keras.Model(run.model.inputs, run.model.get_layer(FRONT_END_LAYER).output, name="front_end")
    graph = open_interpreter(export_float(layer))
    reference = librosa_mels(run, chosen)
    assert reference is not None  # it has a mel front end
    candidates = {
        "NumPy": np.stack([_numpy_mel(window, run) for window in chosen]),
        "Keras layer": predict(layer, chosen),
        "exported graph": np.stack([_graph_output(graph, window) for window in chosen]),
    }
    least = loudest_bands(chosen, run.spec.front_end, run.spec.sample_rate)
    return [front_end_parity(reference, mel, f"{name} against librosa", least) for name, mel in candidates.items()]


def librosa_mels(run: FinishedRun, windows: np.ndarray) -> np.ndarray | None:
    """Return mel power spectrograms by librosa, float32 (n, n_mels, n_frames); None for a model without mel."""
    if not isinstance(run.spec.front_end, MelFrontEnd):
        return None
    return np.stack([librosa_mel(window, run.spec.front_end, run.spec.sample_rate) for window in windows])


def phone_recordings(run: FinishedRun, cut: TestWindows | None = None) -> list[np.ndarray]:
    """Return test recordings as a microphone would give them, int16: for each label the first that has it.

    Of a long recording its first `MOST_REPLAYED_SECONDS`.

    Where the model is judged on mixtures too, the first mixture of each label (of each number of sources, for a model
    that counts them) comes behind them.

    Parameters
    ----------
    run : FinishedRun
    cut : TestWindows, optional
        The run's test windows, if they are at hand.
    """
    chosen: list[np.ndarray] = []
    told: set[str] = set()
    most = MOST_REPLAYED_SECONDS * run.spec.sample_rate
    for place in run.clips.places("test"):
        labels = set(run.clips.index.clips[place].labels)
        if not labels <= told:
            chosen.append(to_shorts(run.clips.waveforms[place][:most]))
            told |= labels
    return chosen + [to_shorts(window) for window in _first_mixtures(cut or run.test_windows())]


def _first_mixtures(cut: TestWindows) -> list[np.ndarray]:
    """The first window of several parts for each answer; none where no window has several."""
    if cut.groups.ndim == 1:
        return []
    mixed = np.flatnonzero((cut.groups != "").sum(axis=1) > 1)
    told: set[int] = set()
    chosen = []
    for place in mixed:
        found = set(np.flatnonzero(cut.truth[place]).tolist() if cut.truth.ndim == 2 else [int(cut.truth[place])])
        if not found <= told:
            chosen.append(cut.windows[place])
            told |= found
    return chosen


def _scores_of(
    classifier: Classifier, windows: np.ndarray | WindowRows, places: range
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the scores of the windows at some places, (n_places, n_labels), and their frame scores in rows."""
    spec = classifier.spec
    scores = np.empty((len(places), len(spec.labels)), np.float32)
    frames = None if spec.frames is None else np.empty((len(places), spec.frames.num_frames * len(spec.labels)), "f4")
    for row, place in enumerate(places):
        scores[row] = classifier.scores(windows[place])
        if frames is not None:
            frames[row] = classifier.read_frame_scores().reshape(-1)
    return scores, frames


def _float_file(file: ConvertedFile, files: Sequence[ConvertedFile], outputs: dict[Path, FileOutputs]) -> FileOutputs:
    """Return what the float32 file of the same form puts out."""
    for other in files:
        if other.form == file.form and other.recipe.name == "float32":
            return outputs[other.path]
    raise ValueError(f"{file.path.name} has no float32 file of the same form to be compared with; convert that too")


def _score_parity(file: ConvertedFile, reference: np.ndarray, scores: np.ndarray, cut: TestWindows) -> ParityResult:
    """Level 2 of a float file, against Keras; level 3 of another, against the float file by its recipe's tolerance."""
    thresholds = score_thresholds(file.spec)
    compared = slice(min(len(reference), len(scores)))  # no rotated ones of a slow file
    reference, scores, truth, groups = reference[compared], scores[compared], cut.truth[compared], cut.groups[compared]
    if file.recipe.name == "float32":
        return score_parity(reference, scores, f"{file.path.name} against Keras", thresholds, file.spec.labels)
    name, tolerance = f"{file.path.name} against float32", find_tolerance(file.recipe.name)
    return recipe_parity(reference, scores, truth, groups, tolerance, name, thresholds, file.spec.labels)


def _frame_parity(file: ConvertedFile, reference: np.ndarray | None, frames: np.ndarray | None) -> list[ParityResult]:
    """The same of the frame scores, by the same tolerance; none for a model without."""
    if reference is None or frames is None:
        return []
    if file.recipe.name == "float32":
        return [frame_parity(reference, frames, file.spec, None, f"{file.path.name} against Keras")]
    tolerance = find_tolerance(file.recipe.name)
    return [frame_parity(reference, frames, file.spec, tolerance, f"{file.path.name} against float32")]


def _numpy_mel(window: np.ndarray, run: FinishedRun) -> np.ndarray:
    """The mel power spectrogram by the device's NumPy front end."""
    assert isinstance(run.spec.front_end, MelFrontEnd)
    return mel_spectrogram(window, replace(run.spec.front_end, log="none"), run.spec.sample_rate)


def _graph_output(interpreter: Any, window: np.ndarray) -> np.ndarray:
    """The output of a one-input graph for one window, without its batch axis."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[np.newaxis])
    interpreter.invoke()
    output: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    return output
