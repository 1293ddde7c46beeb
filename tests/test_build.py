"""One real build of data_short, with the models' own settings, judged by what it wrote."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import earproof
from convert.recipes import DEFAULT_RECIPES
from convert.report.build_report import format_table
from edge_runtime.model.classifier import Classifier
from metadata import ModelContractError, read_labels
from metadata.packing.packed_model import read_associated_files, read_spec

REPOSITORY = Path(__file__).resolve().parents[1]
FORMS = ("waveform_cnn", "mel_cnn", "mel_cnn-spectrogram")


def test_a_build_writes_every_model_in_every_recipe(built):
    names = {path.name for path in built.files}
    assert names == {f"{form}-{recipe}.tflite" for form in FORMS for recipe in DEFAULT_RECIPES}


def test_every_file_passes_every_parity_level(built):
    failures = [
        (file["file"], result["name"], result["measures"], result["detail"])
        for file in built.report["files"]
        for result in file["parity"]
        if not result["passed"]
    ]
    assert failures == []
    assert built.report["passed"]


def test_each_level_was_checked_where_it_applies(built):
    levels = {file["file"]: {result["level"] for result in file["parity"]} for file in built.report["files"]}
    assert levels["waveform_cnn-float32.tflite"] == {2, 4, 5}
    assert levels["mel_cnn-float32.tflite"] == {1, 2, 4, 5}
    assert levels["mel_cnn-int8.tflite"] == {3, 4, 5}


def test_float_scores_are_within_1e_5_of_keras_on_every_test_window_and_its_rotated_copies(built):
    for name in (f"{form}-float32.tflite" for form in FORMS):
        file = next(file for file in built.report["files"] if file["file"] == name)
        result = next(result for result in file["parity"] if result["level"] == 2)
        assert result["measures"]["max_abs_error"] <= 1e-5
        assert result["measures"]["decision_agreement"] == 1.0
        assert result["num_windows"] == 10 * file["test"]["window"]["num_decisions"]
    assert f"on {result['num_windows']} windows, these and the same begun elsewhere" in format_table(built.report)


def test_the_front_ends_are_within_1e_6_of_librosa(built):
    file = next(file for file in built.report["files"] if file["file"] == "mel_cnn-float32.tflite")
    errors = {result["name"]: result["measures"]["relative_error"] for result in file["parity"] if result["level"] == 1}
    assert set(errors) == {f"{name} against librosa" for name in ("NumPy", "Keras layer", "exported graph")}
    assert max(errors.values()) <= 1e-6


def test_the_models_learned_something(built):
    for file in built.report["files"]:
        assert file["test"]["window"]["accuracy"] >= 0.8, file["file"]


def test_every_file_carries_labels_and_spec_that_agree(built):
    expected = read_labels(built.path / "labels.txt")
    assert expected == read_labels(REPOSITORY / "labels.txt")
    for path in built.files:
        content = path.read_bytes()
        spec = read_spec(content)
        assert spec.labels == expected
        assert read_associated_files(content)["labels.txt"] == b"silence\nsong\nspeech\n"
        assert f"-{spec.recipe}.tflite" in path.name
        assert spec.input_is_waveform == ("spectrogram" not in path.name)
        assert len(spec.provenance.data_sha256) == 64
        assert bool(spec.provenance.calibration_sha256) == (spec.recipe == "int8")


def test_a_quantized_file_is_smaller_and_takes_and_gives_float32(built):
    from metadata.packing.packed_model import read_tensors

    for form in FORMS:
        sizes = {recipe: (built.path / f"{form}-{recipe}.tflite").stat().st_size for recipe in DEFAULT_RECIPES}
        assert sizes["float16"] < 0.75 * sizes["float32"]
        assert max(sizes["int8"], sizes["dynamic_int8"]) < sizes["float16"]
        tensors = read_tensors((built.path / f"{form}-int8.tflite").read_bytes())
        assert [tensor.dtype for tensor in (*tensors.inputs, *tensors.outputs)] == ["float32", "float32"]


def test_the_page_of_a_build_is_small_and_lacks_only_what_a_build_does_not_measure(built):
    page = (built.path / "report.html").read_text(encoding="utf-8")
    assert len(page) < 3_000_000
    assert all(f'<th scope="row">{path.name}</th>' in page for path in built.files)
    lacking = re.findall(r"<strong>Not here:</strong> ([^:]+):", page)
    assert set(lacking) <= {"the drift of each layer", "ARM64 against x86", "a cross-validation"}


def test_the_report_shows_size_accuracy_agreement_and_latency_of_each_file(built):
    table = (built.path / "report.md").read_text(encoding="utf-8")
    for path in built.files:
        assert path.name in table
    for file in built.report["files"]:
        for stage in ("invoke", "end_to_end"):
            latency = file["latency"][stage]
            assert 0 < latency["p50_ms"] <= latency["p95_ms"] <= latency["p99_ms"] <= latency["max_ms"]
            assert len(latency["samples_ms"]) == file["latency"]["num_runs"] == 30
        low, high = file["test"]["window"]["interval"]
        assert low <= file["test"]["window"]["accuracy"] <= high


def test_progress_goes_to_stderr(built):
    assert "epoch" in built.stderr
    assert "running waveform_cnn-int8.tflite on" in built.stderr


def test_the_pictures_are_there(built):
    for name in ("waveform_cnn", "mel_cnn"):
        for picture in ("history.png", "confusion.png"):
            assert (built.path / name / picture).read_bytes().startswith(b"\x89PNG")


def test_the_golden_vectors_pass_on_the_device_side(built, capsys):
    assert earproof.main(["parity", str(built.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"]
    assert len(document["files"]) == len(built.files)


def test_a_clip_of_data_short_is_classified_from_the_command_line(built, data_short, capsys):
    clip = sorted((data_short / "speech").glob("*.flac"))[0]
    assert earproof.main(["classify", str(built.path / "mel_cnn-int8.tflite"), str(clip)]) == 0
    assert "speech" in capsys.readouterr().out


def test_the_phone_path_decides_as_the_offline_path_does(built, data_short):
    from edge_runtime.phone.harness import PhoneHarness, offline_windows

    samples, _ = soundfile.read(sorted((data_short / "song").glob("*.flac"))[0], dtype="int16")
    classifier = Classifier(built.path / "waveform_cnn-int8.tflite")
    run = PhoneHarness(classifier=classifier).run(samples, classifier.spec.sample_rate, np.random.default_rng(0))
    windows = offline_windows(samples, run.times_seconds, 16_000, 32_000, "float")
    assert np.array_equal(run.scores, np.stack([classifier.scores(window) for window in windows]))


def test_converting_the_same_training_again_gives_the_same_bytes(built, tmp_path):
    out = tmp_path / "again"
    arguments = ["convert", str(built.path / "waveform_cnn"), "--out", str(out), "--num-runs", "1", "--recipe", "int8"]
    assert earproof.main([*arguments, "--cache", str(tmp_path / "cache")]) == 0
    for name in ("waveform_cnn-float32.tflite", "waveform_cnn-int8.tflite"):
        assert (out / name).read_bytes() == (built.path / name).read_bytes()


def test_integer_input_is_left_out_for_spectrograms_and_said_so(built, tmp_path, capsys):
    arguments = ["convert", str(built.path / "mel_cnn"), "--recipe", "int8_io", "--num-runs", "5", "--warmup-runs", "1"]
    code = earproof.main([*arguments, "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")])
    assert code in (0, 1)  # 8 bits of input may cost a decision
    said = capsys.readouterr().err
    assert "left out mel_cnn-spectrogram-int8_io.tflite: mel power spans more decades than 8 bits hold" in said
    assert sorted(path.name for path in (tmp_path / "out").glob("*int8_io*")) == ["mel_cnn-int8_io.tflite"]


@pytest.mark.parametrize("keep", [0, 3, 1000, -1])
def test_a_truncated_model_file_is_refused(built, tmp_path, keep, capsys):
    content = (built.path / "waveform_cnn-float32.tflite").read_bytes()
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(content[:keep])
    with pytest.raises(ModelContractError):
        Classifier(broken)
    assert earproof.main(["parity", str(broken), "--golden", str(built.path / "golden" / "waveform_cnn.npz")]) == 2
    assert "broken.tflite" in capsys.readouterr().err


def test_a_file_whose_labels_do_not_match_is_refused(built, tmp_path):
    from metadata import pack_model, replace_spec

    content = (built.path / "waveform_cnn-float32.tflite").read_bytes()
    spec = replace_spec(read_spec(content), labels=("silence", "song"), thresholds=(0.5, 0.5))
    with pytest.raises(ModelContractError, match="3 scores"):
        pack_model(content, spec)


def test_the_build_refuses_to_overwrite_and_resumes_what_is_finished(built, data_short):
    command = [sys.executable, "-m", "earproof", "build", str(data_short), "--out", str(built.path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 2
    assert "--resume" in done.stderr


def test_the_report_says_which_files_beside_the_recordings_are_not_read(built):
    assert built.report["data"]["clips"] == 30
    not_read = built.report["data"]["not_read"]
    assert list(not_read) == ["no_sound"] or list(not_read) == ["system", "no_sound"]  # __pycache__ where it was run
    assert "README.md" in not_read["no_sound"]["paths"]
    assert "8 other files, which are no recordings: README.md" in built.stderr
    assert "Data: 8 other files, which are no recordings: README.md" in (built.path / "report.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", ["waveform_cnn-int8.tflite", "mel_cnn-float32.tflite"])
def test_classify_over_the_test_clips_gives_the_decisions_of_the_report(built, name, capsys):
    """Windows and clips, with nothing but the defaults."""
    from train.recordings.clip_index import read_index

    index = read_index(built.path / name.split("-")[0] / "split.csv")
    clips = index.of_split("test")
    paths = [str(index.root / clip.path) for clip in clips]
    assert earproof.main(["classify", str(built.path / name), *paths, "--json"]) == 0
    heard = json.loads(capsys.readouterr().out)["recordings"]
    labels = read_labels(built.path / "labels.txt")
    windows, whole = np.zeros((2, len(labels), len(labels)), int)
    for clip, recording in zip(clips, heard, strict=True):
        truth = labels.index(clip.labels[0])
        whole[truth, labels.index(recording["clip"]["decision"])] += 1
        for window in recording["windows"]:
            windows[truth, labels.index(window["decision"])] += 1
    file = next(file for file in built.report["files"] if file["file"] == name)

    assert file["test"]["window"]["confusion"] == windows.tolist()
    assert file["test"]["clip_mean_score"]["confusion"] == whole.tolist()


def test_the_verdict_comes_first_and_a_handful_of_voices_is_not_enough_for_it(built):
    """data_short has two unseen groups a label."""
    verdict = built.report["verdict"]

    assert next(iter(built.report)) == "verdict"
    assert not verdict["take"]
    assert [(one["label"], one["num_groups"]) for one in verdict["missing"]] == [
        (label, 2) for label in read_labels(REPOSITORY / "labels.txt")
    ]
    assert (built.path / "report.md").read_text(encoding="utf-8").startswith("**Take no file yet.**")
    assert "spectrogram" not in verdict["file"]


def test_spectrogram_files_are_marked_as_refused_by_the_loaders(built):
    refused = {file["file"] for file in built.report["files"] if file["refused_by"]}

    assert refused == {path.name for path in built.files if "spectrogram" in path.name}
    report = (built.path / "report.md").read_text()
    assert "Not for the Task library, MediaPipe or MediaPipe in the browser, which refuse it" in report
    assert "Every loader takes" in report


def test_the_golden_vectors_are_the_windows_that_convert_compared(built):
    from edge_runtime.parity.golden_vectors import read_golden

    golden = read_golden(built.path / "golden" / "mel_cnn.npz")
    compared = {
        result["num_windows"] for file in built.report["files"] for result in file["parity"] if result["level"] == 3
    }

    assert compared == {golden.num_compared}
    assert golden.num_compared >= 200
