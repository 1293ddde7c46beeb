"""A small sigmoid model on tones and their mixtures through the converter: what decides is the set of labels."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLE_RATE, tone

keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from task_run import TaskRun  # noqa: E402

import convert.report.proof as proof_module  # noqa: E402
from convert.convert_run import convert_run  # noqa: E402
from convert.graph.model_graph import read_graph  # noqa: E402
from convert.recipes import RECIPES  # noqa: E402
from convert.report.build_report import describe_build, format_table  # noqa: E402
from convert.report.choose import choose_files  # noqa: E402
from convert.report.golden import write_golden  # noqa: E402
from convert.report.proof import phone_recordings, prove_files  # noqa: E402
from convert.settings import ConvertSettings  # noqa: E402
from edge_runtime.model.classifier import Classifier  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from edge_runtime.parity.file_parity import parity_of_file  # noqa: E402
from edge_runtime.parity.golden_vectors import read_golden  # noqa: E402
from metadata import (  # noqa: E402
    ModelSpec,
    Provenance,
    WaveformFrontEnd,
    read_associated_files,
    replace_spec,
    strip_metadata,
)
from train.evaluation.predict import predict  # noqa: E402
from train.evaluation.rotated_windows import with_rotated_windows  # noqa: E402
from train.evaluation.thresholds import choose_thresholds  # noqa: E402
from train.progress import Steps  # noqa: E402
from train.recordings.clip_index import find_clips  # noqa: E402
from train.recordings.split import split_clips  # noqa: E402
from train.recordings.store.clip_store import load_clips  # noqa: E402
from train.settings import TrainingSettings  # noqa: E402
from train.tasks.task import LabelSet  # noqa: E402

WINDOW_LENGTH = 1_600  # samples
LABELS = ("high", "low", "middle")
TRAINED = TrainingSettings(loss="binary_crossentropy", batch_size=8, epoch_windows=160, seed=3)
CHECKED = ("float32", "int8", "int8_io", "auto")
FEW_RUNS = ConvertSettings(num_calibration_windows=24, num_runs=3, warmup_runs=1)
QUIET = Steps(lambda text: None)


def _tiny_model():
    keras.utils.set_random_seed(2)
    layers = keras.layers
    audio = keras.Input((WINDOW_LENGTH,), name="audio")
    x = layers.Reshape((WINDOW_LENGTH, 1), name="samples")(audio)
    x = layers.Conv1D(8, 32, strides=8, activation="relu", name="conv_1")(x)
    x = layers.Conv1D(8, 8, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling1D(4, name="pool_2")(x)
    x = layers.Conv1D(8, 4, strides=2, activation="relu", name="conv_3")(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x)
    x = layers.Dense(12, activation="relu", name="dense_1")(x)
    return keras.Model(audio, layers.Dense(3, activation="sigmoid", name="scores")(x), name="tiny_sets")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    import soundfile

    root = tmp_path_factory.mktemp("tones")
    for label, frequency in zip(LABELS, (3_000, 150, 700), strict=True):
        (root / label).mkdir()
        for number in range(10):
            samples = tone(frequency * (1 + 0.02 * number), 0.2)
            soundfile.write(root / label / f"{number}.wav", samples, SAMPLE_RATE)
    return load_clips(split_clips(find_clips(root), 0), SAMPLE_RATE, root / "cache")


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory) -> TaskRun:
    """A model that learned for a moment, its thresholds chosen on validation windows."""
    spec = ModelSpec(
        name="tiny_sets",
        version="1",
        description="Tells which tones there are.",
        sample_rate=SAMPLE_RATE,
        window_length=WINDOW_LENGTH,
        labels=clips.index.labels,
        activation="sigmoid",
        thresholds=(0.5,) * 3,
        front_end=WaveformFrontEnd(),
        provenance=Provenance(training={"variant": "tiny", **TRAINED.as_dict()}),
    )
    fresh = TaskRun(tmp_path_factory.mktemp("run"), _tiny_model(), spec, clips, LabelSet())
    fresh.model.compile("adam", "binary_crossentropy")
    windows = fresh.task.training_windows(clips, SAMPLE_RATE, WINDOW_LENGTH, TRAINED)
    fresh.model.optimizer.learning_rate = 5e-3
    fresh.model.fit(windows, epochs=6, verbose=0)
    cut = fresh.held_out("val")
    thresholds = choose_thresholds(predict(fresh.model, cut.windows), cut.truth, spec.labels, cut.weights())
    return TaskRun(fresh.folder, fresh.model, replace_spec(spec, thresholds=thresholds), clips, LabelSet())


@pytest.fixture(scope="module")
def proofs(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("files")
    recipes = tuple(RECIPES[name] for name in CHECKED)
    files = convert_run(run, out, replace(FEW_RUNS, recipes=recipes), QUIET)
    return prove_files(run, files, FEW_RUNS, QUIET)


@pytest.fixture(scope="module")
def report(proofs, tmp_path_factory):
    return json.loads(json.dumps(describe_build(proofs, [], proofs[0].file.path.parent)))


def _decided(path, windows):
    """What the device decides, as bool (n, n_labels)."""
    classifier = Classifier(path)
    labels = classifier.spec.labels
    decisions = [classifier.decide(classifier.scores(window)) for window in windows]
    return np.array([[label in decision for label in labels] for decision in decisions])


def test_files_state_the_thresholds_for_the_loaders_only_when_asked_to_and_score_as_before(run, proofs, tmp_path):
    plain = next(proof.file for proof in proofs if proof.file.recipe.name == "float32")
    (file,) = convert_run(run, tmp_path, replace(FEW_RUNS, recipes=(plain.recipe,), loader_thresholds=True), QUIET)
    inside = read_associated_files(file.path.read_bytes())
    lines = inside.pop("score_calibration.txt").decode("ascii").split("\n")
    assert [float(line.rsplit(",", 1)[1]) for line in lines] == list(run.spec.thresholds)
    assert sorted(inside) == sorted(read_associated_files(plain.path.read_bytes()))
    assert strip_metadata(file.path.read_bytes()) == strip_metadata(plain.path.read_bytes())


def test_agreement_and_accuracy_are_of_the_sets_that_the_device_decides_for(run, proofs):
    cut = run.test_windows()
    assert set(cut.truth.sum(axis=1)) == {1, 2}
    compared = with_rotated_windows(cut)
    assert len(compared.windows) > len(cut.windows)
    of_float = _decided(proofs[0].file.path, compared.windows)
    assert (of_float == compared.truth).all(axis=1).mean() > 0.3  # it has learned something, or nothing here says much
    for proof in proofs[1:]:
        decided = _decided(proof.file.path, compared.windows)
        right = (decided == compared.truth).all(axis=1)
        (level_3,) = [result for result in proof.parity if result.level == 3]
        assert level_3.num_windows == len(compared.windows)
        assert level_3.measures["decision_agreement"] == pytest.approx((decided == of_float).all(axis=1).mean())
        assert level_3.measures["accuracy"] == pytest.approx(right.mean())
        assert proof.evaluations["window"].exact_match == pytest.approx(right[: len(cut.windows)].mean())


def test_slow_files_hear_the_test_windows_once(run, proofs, monkeypatch):
    monkeypatch.setattr(proof_module, "SLOW_MS", 0.0)
    files = [proof.file for proof in proofs]
    for proof in prove_files(run, files[:2], FEW_RUNS, QUIET):
        compared = {result.level: result.num_windows for result in proof.parity if result.level in (2, 3, 5)}
        assert compared == {2 if proof.file is files[0] else 3: len(run.test_windows().windows)}


def test_the_float_file_passes_every_level(proofs):
    assert [result.name for result in proofs[0].parity if not result.passed] == []
    assert {result.level for result in proofs[0].parity} == {2, 4, 5}
    assert proofs[0].parity[0].measures["decision_agreement"] == 1.0


def test_the_sigmoid_of_an_8_bit_file_stays_float(proofs):
    files = {proof.file.recipe.name: proof.file.path for proof in proofs}
    for name in ("int8", "auto"):
        graph = read_graph(files[name].read_bytes())
        types = {tensor.name: tensor.dtype for tensor in graph.tensors}
        last = graph.operations[-1]
        assert last.name == "LOGISTIC"
        assert [types[tensor] for tensor in (*last.inputs, *last.outputs)] == ["FLOAT32", "FLOAT32"]
        assert "INT8" in types.values()


def test_the_scores_of_an_integer_file_come_in_steps_of_one_in_256(proofs):
    (path,) = [proof.file.path for proof in proofs if proof.file.recipe.name == "int8_io"]
    output = open_interpreter(path.read_bytes()).get_output_details()[0]
    assert (output["dtype"], output["quantization"]) == (np.int8, (1 / 256, -128))


def test_a_report_of_times_on_a_busy_machine_warns_as_bench_does(report, proofs):
    assert report["warnings"] == []  # nothing is known of the machine before
    busy = {"load_average": 64.0 * os.cpu_count(), "governor": None, "throttled": None}
    found = describe_build(proofs, [], proofs[0].file.path.parent, busy)
    assert any("something else ran before the first run (load" in warning for warning in found["warnings"])
    assert "\nWarning: something else ran before the first run (load" in format_table(found)


def test_the_report_tells_sets_before_and_after_quantization(report):
    text = format_table(report)
    header = next(line for line in text.splitlines() if line.startswith("|"))
    for name in ("test window exact match", "mAP", "micro / macro F1"):
        assert name in header
    assert "accuracy" not in header
    assert "exact match by the number of labels" in text
    rows = [line for line in text.splitlines() if line.startswith("| middle")]
    assert len(rows) == 1
    assert rows[0].count("|") == 3 + len(CHECKED) + 1
    window = report["files"][0]["test"]["window"]
    assert f"{window['labels'][2]['threshold']:.3f}" in rows[0]
    for proof in report["files"]:
        assert f"{proof['test']['window']['mean_average_precision']:.3f}" in text


def test_the_table_says_what_each_file_loses(report):
    measures = {file["recipe"]: file["parity"][0]["measures"] for file in report["files"]}
    (line,) = [line for line in format_table(report).splitlines() if line.startswith("Points of accuracy lost")]
    windows = report["files"][0]["parity"][0]["num_windows"]
    assert f"against float32 on {windows} windows, these and the same begun elsewhere, paired 95 % interval: " in line
    told = line.split(": ")[1].rstrip(".").split("; ")
    for recipe in CHECKED[1:]:
        points = [100 * measures[recipe][f"accuracy_loss{end}"] for end in ("", "_lower", "_upper")]
        loss, lower, upper = points
        text = f"tiny_sets-{recipe}.tflite {loss:+.2f} [{lower:+.2f}, {upper:+.2f}]"
        assert text in told if any(points) else told[-1] in ("none", "the others none")
    assert "tiny_sets-float32.tflite" not in line


def test_the_table_says_so_where_a_slow_file_was_compared_on_fewer_windows(report):
    slow = copy.deepcopy(report)
    file = slow["files"][-1]
    for result in file["parity"]:
        result["num_windows"] = 18
        result["measures"].update(accuracy_loss=0.5, accuracy_loss_lower=0.25, accuracy_loss_upper=0.75)
    (line,) = [line for line in format_table(slow).splitlines() if line.startswith("Points of accuracy lost")]
    assert f"on {report['files'][0]['parity'][0]['num_windows']} windows, these" in line
    assert f"{file['file']} +50.00 [+25.00, +75.00] (on 18 windows)" in line


def test_the_report_counts_windows_though_their_frames_were_compared_too(report):
    framed = copy.deepcopy(report)
    for file in framed["files"]:
        place = next(number for number, result in enumerate(file["parity"]) if result["level"] in (2, 3))
        of_windows = file["parity"][place]
        of_frames = {**of_windows, "num_windows": 125 * of_windows["num_windows"], "unit": "frame", "measures": {}}
        file["parity"].insert(place + 1, of_frames)
    assert format_table(framed) == format_table(report)


def test_the_recommendation_speaks_of_the_exact_match(report):
    (choice,) = choose_files(report["files"])
    assert {one.measure for one in choice.candidates} == {"exact match"}
    windows = [file["test"]["window"] for file in report["files"]]
    assert [one.accuracy for one in choice.candidates] == [window["exact_match"] for window in windows]


def test_auto_is_judged_by_sets_of_labels_on_validation_mixtures(run, proofs):
    (found,) = [proof.file.mixed_precision for proof in proofs if proof.file.mixed_precision]
    assert found.after.num_windows == len(with_rotated_windows(run.held_out("val")).truth)
    assert 0.0 <= found.before.measures["accuracy"] <= 1.0


def test_calibration_hears_mixtures(run, proofs):
    assert {proof.file.spec.provenance.calibration_windows for proof in proofs} == {0, 24}
    assert set(run.held_out("train").truth.sum(axis=1)) == {1, 2}


def test_golden_vectors_hold_sets_of_labels_and_both_groups(run, proofs, tmp_path):
    write_golden(run, tmp_path / "golden.npz")
    golden = read_golden(tmp_path / "golden.npz")
    assert golden.truth.dtype == bool
    assert golden.truth.shape == (len(golden.windows), golden.scores.shape[1])
    assert golden.num_compared > len(golden.windows)
    assert golden.groups.ndim == 2
    assert golden.truth.any(axis=0).all()
    for proof in proofs:
        if proof.file.recipe.name == "float32":
            assert all(result.passed for result in parity_of_file(Classifier(proof.file.path), golden))


def test_the_phone_hears_the_first_clip_and_the_first_mixture_of_each_label(run):
    recordings = phone_recordings(run)
    mixtures = [recording for recording in recordings if recording.size == WINDOW_LENGTH]
    assert len(recordings) - len(mixtures) == 3
    assert len(mixtures) == 2  # two of the three pairs hold all labels
    assert all(recording.dtype == np.int16 for recording in recordings)


@pytest.mark.parametrize("kind", ["qat", "prune", "cluster"])
def test_a_sigmoid_model_is_trained_on_by_its_own_loss_and_judged_by_sets(run, kind, tmp_path):
    pytest.importorskip("tensorflow_model_optimization")
    from convert.compression.compress import compress_run
    from convert.compression.settings import compression_settings
    from convert.report.compression import compression_notes, describe_compression

    chosen = compression_settings(kind, epochs=1, learning_rate=1e-4, sparsity=0.5, clusters=16, epoch_windows=96)
    compressed = compress_run(run, chosen, tell=lambda text: None)
    assert isinstance(compressed.task, LabelSet)
    cut = run.held_out("val")
    # qat is judged with its roundings, which the Keras model has no longer.
    if kind != "qat":
        decided = predict(compressed.model, cut.windows) >= 0.5
        expected = np.average((decided == cut.truth).all(axis=1), weights=cut.weights())
        assert compressed.history[-1]["val_accuracy"] == pytest.approx(expected, abs=1e-5)
    found = describe_compression(compressed, [])
    assert "Keras window exact match" in "\n".join(compression_notes(found))
    test, thresholds = run.test_windows(), np.float32(run.spec.thresholds)
    before, after = (predict(model, test.windows) >= thresholds for model in (run.model, compressed.model))
    assert found["parity"]["measures"]["decision_agreement"] == pytest.approx((before == after).all(axis=1).mean())
