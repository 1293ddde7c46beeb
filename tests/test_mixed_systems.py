"""The systems for mixed sounds from recordings to proven files: a few steps of each on sounds made by code."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE

import earproof
from edge_runtime.model.classifier import Classifier
from metadata import replace_spec
from metadata.packing.packed_model import pack_model, read_spec
from train.evaluation.score_scaling import SCALE_RANGE, SHIFT_RANGE, fit_scaling
from train.fitting.finished_run import open_run
from train.fitting.training_run import DEFAULT_THRESHOLD

SECONDS = 5.0
LABELS = ("chirp", "hum", "noise")
CLIPS_PER_LABEL = 6
STEPS = ("--batch-size", "16", "--no-augment", "--seed", "1", "--epoch-windows", "64")
FEW = ("--calibration-windows", "16", "--num-runs", "2", "--warmup-runs", "1")


def _hum(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    base = rng.uniform(90.0, 140.0)
    return sum(np.sin(2 * np.pi * base * number * times) / number for number in range(1, 12))


def _noise(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    return rng.standard_normal(times.size) * (1.0 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.5, 1.0) * times))


def _chirp(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    rate, low = rng.uniform(1.0, 2.0), rng.uniform(1500.0, 2500.0)
    phase = (times * rate) % 1.0
    return np.sin(2 * np.pi * np.cumsum(low + 2000.0 * phase) / SAMPLE_RATE) * (phase < 0.4)


MAKERS = {"chirp": _chirp, "hum": _hum, "noise": _noise}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder tree of three kinds of sound, six clips of five seconds each."""
    root = tmp_path_factory.mktemp("mixed") / "sounds"
    rng = np.random.default_rng(0)
    times = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    for label, maker in MAKERS.items():
        (root / label).mkdir(parents=True)
        for number in range(CLIPS_PER_LABEL):
            samples = maker(rng, times)
            scaled = samples / np.abs(samples).max() * rng.uniform(0.2, 0.8)
            soundfile.write(root / label / f"{number}.wav", scaled, SAMPLE_RATE)
    return root


@pytest.fixture(scope="module")
def train(recordings, tmp_path_factory):
    """Return a function that trains a model once and converts it, by its command lines."""
    made = {}
    cache = str(tmp_path_factory.mktemp("cache"))

    def run(model, variant, *more, recipe="float32"):
        if (model, variant) not in made:
            folder = tmp_path_factory.mktemp(f"{model}-{variant}")
            trained, files = folder / "run", folder / "files"
            command = ["train", model, str(recordings), "--out", str(trained), "--variant", variant, "--cache", cache]
            assert earproof.main([*command, *STEPS, *more]) == 0
            command = ["convert", str(trained), "--out", str(files), "--recipe", recipe, "--cache", cache]
            code = earproof.main([*command, *FEW])
            made[model, variant] = trained, files, code
        return made[model, variant]

    return run


@pytest.fixture(scope="module")
def isocc(train):
    return train("isocc", "mixed", "--epochs", "3", recipe="int8")


@pytest.fixture(scope="module")
def counter(train):
    return train("source_counter", "two", "--epochs", "2")


@pytest.fixture(scope="module")
def small(train):
    return train("mixed_cnn", "labels", "--epochs", "2", recipe="int8")


@pytest.fixture(scope="module")
def small_counter(train):
    return train("mixed_cnn", "two", "--epochs", "2")


def _report(files):
    return json.loads((files / "report.json").read_text())


def test_the_isocc_classifier_passes_every_level_as_float(isocc):
    _, files, _ = isocc
    found = [file for file in _report(files)["files"] if file["recipe"] == "float32"]
    assert {file["file"] for file in found} == {"isocc-float32.tflite", "isocc-spectrogram-float32.tflite"}
    for file in found:
        assert [result["name"] for result in file["parity"] if not result["passed"]] == []
        assert {result["level"] for result in file["parity"]} == {1, 2, 4, 5}


@pytest.mark.parametrize("fixture", ["small", "small_counter"])
def test_the_small_cnn_passes_every_level_as_float_in_both_forms(fixture, request):
    trained, files, _ = request.getfixturevalue(fixture)
    found = [file for file in _report(files)["files"] if file["recipe"] == "float32"]
    assert {file["file"] for file in found} == {"mixed_cnn-float32.tflite", "mixed_cnn-spectrogram-float32.tflite"}
    for file in found:
        assert [result["name"] for result in file["parity"] if not result["passed"]] == []
        assert {result["level"] for result in file["parity"]} == {1, 2, 4, 5}
    assert open_run(trained).model.output_names == ["scores"]  # what else it learned was for the training alone


@pytest.mark.parametrize(("fixture", "name"), [("counter", "source_counter"), ("small_counter", "mixed_cnn")])
def test_the_small_cnn_names_what_a_counter_counted(fixture, name, small, recordings, request, capsys):
    classifier = str(small[1] / "mixed_cnn-float32.tflite")
    counting = str(request.getfixturevalue(fixture)[1] / f"{name}-float32.tflite")
    capsys.readouterr()
    command = ["count", counting, str(recordings / "hum" / "0.wav"), "--one", classifier, "--two", classifier]
    assert earproof.main([*command, "--json"]) == 0
    (window,) = json.loads(capsys.readouterr().out)["recordings"][0]["windows"]
    assert len(window["decision"]) == window["count"]


def test_its_files_say_that_several_labels_may_be_heard_and_from_which_score_each(isocc):
    trained, files, _ = isocc
    run = open_run(trained)
    for path in files.glob("*.tflite"):
        spec = read_spec(path.read_bytes())
        assert spec.activation == "sigmoid"
        assert spec.labels == LABELS
        assert spec.thresholds == run.spec.thresholds
        assert spec.thresholds != (DEFAULT_THRESHOLD,) * len(LABELS)  # chosen on validation windows


def test_its_test_side_holds_single_sounds_and_mixtures_judged_as_sets(isocc):
    trained, files, _ = isocc
    cut = open_run(trained).test_windows()
    assert set(cut.truth.sum(axis=1)) == {1, 2}
    metrics = json.loads((trained / "metrics.json").read_text())["test"]["window"]
    assert metrics["num_decisions"] == len(cut.truth)
    assert {size["size"] for size in metrics["sizes"]} == {1, 2}
    for file in _report(files)["files"]:
        assert 0.0 <= file["test"]["window"]["mean_average_precision"] <= 1.0
    assert (trained / "labels.png").is_file()
    assert (trained / "exact_match.csv").read_text().startswith("epoch,single_threshold,single,mixed_threshold,mixed\n")


def test_a_device_hears_the_same_set_of_labels_as_the_trained_model(isocc):
    trained, files, _ = isocc
    run = open_run(trained)
    cut = run.test_windows()
    classifier = Classifier(files / "isocc-float32.tflite")
    scores = run.model.predict(cut.windows, verbose=0)
    for window, row in zip(cut.windows, scores, strict=True):
        expected = tuple(
            label for label, score, least in zip(LABELS, row, run.spec.thresholds, strict=True) if score >= least
        )
        assert classifier.decide(classifier.scores(window)) == expected


def test_the_counter_passes_every_level_as_float_and_holds_no_loop(counter):
    _, files, _ = counter
    for file in _report(files)["files"]:
        if file["recipe"] == "float32":
            assert [result["name"] for result in file["parity"] if not result["passed"]] == []
    spec = read_spec((files / "source_counter-float32.tflite").read_bytes())
    assert spec.labels == ("one", "two")
    assert spec.activation == "softmax"


def test_the_counter_is_judged_on_as_many_mixtures_as_single_sounds(counter):
    trained, _, _ = counter
    truth = open_run(trained).test_windows().truth
    assert np.bincount(truth).tolist() == [truth.size // 2] * 2


def test_a_variant_begins_with_the_weights_of_another(isocc, train):
    trained, _, _ = isocc
    single, _, code = train("isocc", "single", "--epochs", "1", "--weights-from", str(trained))
    assert code in (0, 1)
    spec = open_run(single).spec
    assert spec.activation == "softmax"
    assert len(spec.provenance.training["weights_from_sha256"]) == 64


def test_thresholds_for_longer_recordings_are_chosen_and_can_be_heard_with(isocc, recordings, tmp_path, capsys):
    trained, files, _ = isocc
    file, out = files / "isocc-float32.tflite", tmp_path / "report"
    command = ["thresholds", str(trained), str(file), "--arrange", "gap", "--arrange", "overlap", "--most", "3"]
    assert earproof.main([*command, "--hop", "2", "--silence-below", "-60", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert (out / "thresholds.md").read_text() == printed
    report = json.loads((out / "thresholds.json").read_text())
    assert [(row["arrangement"], row["num_windows"]) for row in report["recordings"]] == [
        ("overlap", 2),
        ("overlap", 2),
        ("gap", 4),
        ("gap", 4),
    ]
    (told,) = [line for line in printed.splitlines() if line.startswith("To classify so: ")]
    verb, *arguments = told.split("`")[1].replace("AUDIO", str(recordings / "hum" / "0.wav")).split()[1:]
    assert (verb, "--silence-below" in arguments) == ("classify", True)
    assert earproof.main([verb, *arguments, "--json"]) == 0
    heard = json.loads(capsys.readouterr().out)
    assert heard["model"]["thresholds"] == [report["chosen"]["threshold"]] * len(LABELS)
    assert earproof.main([*command, "--out", str(out)]) == 2  # exists
    assert "--force" in capsys.readouterr().err


def test_thresholds_are_chosen_for_files_that_have_them_and_did_not_hear_the_recordings(
    isocc, counter, tmp_path, capsys
):
    trained, files = counter[0], isocc[1]
    file = str(files / "isocc-float32.tflite")
    for command, named in (
        (["thresholds", str(trained), str(counter[1] / "source_counter-float32.tflite")], "expected sigmoid"),
        (["thresholds", str(isocc[0]), file, "--most", "0"], "--most"),
        (["thresholds", str(isocc[0]), file, "--hop", "0"], "--hop"),
        (["thresholds", str(tmp_path), file], "holds no finished training"),
        (["thresholds", str(isocc[0]), str(_of_another_split(file, tmp_path))], "another split"),
    ):
        assert earproof.main(command) == 2
        assert named in capsys.readouterr().err


def _of_another_split(file, folder):
    """Return a copy of a file that says it was trained on another split."""
    content = Path(file).read_bytes()
    spec = read_spec(content)
    elsewhere = replace(spec.provenance, split_sha256="0" * 64)
    other = folder / "other.tflite"
    other.write_bytes(pack_model(content, replace_spec(spec, provenance=elsewhere)))
    return other


def _pipeline(isocc, counter, *more):
    """Run `earproof pipeline` with the one classifier for every number, and beside them."""
    trained, files, _ = counter
    classifier = str(isocc[1] / "isocc-float32.tflite")
    command = ["pipeline", str(trained), str(files / "source_counter-float32.tflite")]
    return earproof.main([*command, "--one", classifier, "--two", classifier, "--plain", classifier, *more])


def test_counter_and_classifiers_get_a_report_of_their_own(isocc, counter, tmp_path, capsys):
    out = tmp_path / "report"
    assert _pipeline(isocc, counter, "--most", "2", "--out", str(out)) == 0
    printed = capsys.readouterr().out
    assert (out / "pipeline.md").read_text() == printed
    report = json.loads((out / "pipeline.json").read_text())
    cut = open_run(counter[0]).test_windows()
    singles = int((cut.truth == 0).sum())
    assert singles > 2
    assert [row["num_windows"] for row in report["sources"]] == [singles, 2]  # `--most` is of mixtures
    counted = Classifier(counter[1] / "source_counter-float32.tflite")
    right = [counted.scores(window).argmax() == 0 for window in cut.windows[cut.truth == 0]]
    assert report["sources"][0]["count"]["share"] == pytest.approx(np.mean(right))
    assert sum(row["num_windows"] for row in report["label_sets"][0]) == singles
    assert (out / "pipeline.png").read_bytes().startswith(b"\x89PNG")
    assert _pipeline(isocc, counter, "--out", str(out)) == 2  # exists
    assert "--force" in capsys.readouterr().err


def test_a_classifier_of_another_split_is_refused(isocc, counter, tmp_path, capsys):
    trained, files, _ = counter
    other = _of_another_split(isocc[1] / "isocc-float32.tflite", tmp_path)
    command = ["pipeline", str(trained), str(files / "source_counter-float32.tflite"), "--one", str(other)]
    assert earproof.main([*command, "--two", str(other)]) == 2
    assert "another split" in capsys.readouterr().err


def test_a_pipeline_is_asked_for_whole(isocc, counter, tmp_path, capsys):
    trained, files, _ = counter
    one = str(isocc[1] / "isocc-float32.tflite")
    counting = str(files / "source_counter-float32.tflite")
    for command, named in (
        (["pipeline", str(trained), counting, "--one", one], "no classifier was given for 2"),
        (["pipeline", str(trained), one, "--one", one, "--two", one], "is it a classifier"),
        (["pipeline", str(trained), counting, "--one", one, "--two", one, "--plain", counting], "expected sigmoid"),
        (["pipeline", str(tmp_path), counting, "--one", one, "--two", one], "holds no finished training"),
        (["pipeline", str(trained), counting, "--one", one, "--two", one, "--most", "0"], "--most"),
    ):
        assert earproof.main(command) == 2
        assert named in capsys.readouterr().err


def test_the_counters_scores_are_brought_to_validation_data(counter):
    trained, _, _ = counter
    scaling = json.loads((trained / "metrics.json").read_text())["scaling"]
    run = open_run(trained)
    cut = run.held_out("val")
    found = fit_scaling(run.model.predict(cut.windows, verbose=0), cut.truth)
    assert scaling["shifts"][1] != 0.0
    # What was fitted is in the model: nothing is left to fit, but for what a bound kept out.
    at_bound = any(scaling["scale"] == pytest.approx(bound) for bound in SCALE_RANGE)
    assert at_bound or found.scale == pytest.approx(1.0, abs=0.05)
    assert at_bound or abs(scaling["shifts"][1]) == SHIFT_RANGE[1] or found.shifts[1] == pytest.approx(0.0, abs=0.05)
