"""What `import earproof` gives: a few names, imported when they are asked for, and three verbs as functions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime import Classifier, CountedClassifier, PhoneHarness, read_wav
from metadata import ModelContractError, ModelSpec, pack_model
from train.api import model_settings

REPOSITORY = Path(__file__).resolve().parents[1]
QUICK = {"epochs": 1, "epoch_windows": 64}


def test_every_name_is_listed_documented_and_there():
    assert set(earproof.__all__) <= set(dir(earproof))
    assert [name for name in earproof.__all__ if not getattr(earproof, name).__doc__] == []
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        earproof.lode  # noqa: B018


def test_the_names_are_those_of_the_packages():
    same = {"CountedClassifier": CountedClassifier, "PhoneHarness": PhoneHarness, "read_wav": read_wav}
    assert {name: getattr(earproof, name) for name in same} == same
    assert earproof.ModelSpec is ModelSpec


def test_importing_it_imports_no_package_of_ours():
    code = (
        "import sys, earproof; dir(earproof); "
        "print(sorted({'metadata', 'edge_runtime', 'train', 'convert', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_name_of_a_package_that_a_device_lacks_says_so(monkeypatch):
    monkeypatch.setattr(earproof, "_is_there", lambda module: not module.startswith("convert"))
    with pytest.raises(ImportError, match=r"earproof\.build is not in this install"):
        earproof.build  # noqa: B018


def test_a_model_file_is_loaded_and_classifies(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    soundfile.write(tmp_path / "clip.wav", tone(440, 3.0), SAMPLE_RATE)
    model = earproof.load(path, num_threads=2)
    assert isinstance(model, Classifier)
    assert model.num_threads == 2
    assert model.classify(*earproof.read_wav(tmp_path / "clip.wav")).decision in model.spec.labels


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "no.tflite").write_bytes(b"no model at all")
    with pytest.raises(ModelContractError, match=r"no\.tflite"):
        earproof.load(tmp_path / "no.tflite")
    with pytest.raises(FileNotFoundError):
        earproof.load(tmp_path / "missing.tflite")


def test_a_setting_of_no_such_name_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match=r"no setting 'epoch'.*did you mean epochs"):
        model_settings("mel_cnn", epoch=3)


def test_settings_not_given_are_the_models_own():
    from train.models.mel_cnn import DEFAULT

    assert model_settings("mel_cnn") == DEFAULT
    assert model_settings("mel_cnn", epochs=1, seed=3).as_dict() == DEFAULT.as_dict() | {"epochs": 1, "seed": 3}


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """Six clips of each of two labels."""
    root = tmp_path_factory.mktemp("clips")
    for label, frequency in (("low", 200), ("high", 1200)):
        (root / label).mkdir()
        for number in range(6):
            soundfile.write(root / label / f"{number}.wav", tone(frequency + 17 * number, 2.0), SAMPLE_RATE)
    return root


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory) -> Path:
    """A training of one epoch, started from Python."""
    out = tmp_path_factory.mktemp("runs") / "wave"
    metrics = earproof.train("waveform_cnn", clips, out=out, seed=3, **QUICK)
    assert metrics == json.loads((out / "metrics.json").read_text())
    return out


def test_train_trains_as_it_is_told(run):
    training = json.loads((run / "spec.json").read_text())["provenance"]["training"]
    assert (training["epochs"], training["epoch_windows"], training["seed"]) == (1, 64, 3)
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 1


def test_a_folder_with_content_is_kept_unless_asked(run, clips):
    with pytest.raises(FileExistsError):
        earproof.train("waveform_cnn", clips, out=run, **QUICK)


def test_convert_makes_the_files_of_a_training(run, tmp_path):
    report = earproof.convert(run, out=tmp_path / "files", recipes="dynamic_int8", num_runs=2, warmup_runs=0)
    names = [Path(file["file"]).name for file in report["files"]]
    assert names == ["waveform_cnn-float32.tflite", "waveform_cnn-dynamic_int8.tflite"]
    assert report["passed"] == json.loads((tmp_path / "files" / "report.json").read_text())["passed"]
    assert earproof.load(tmp_path / "files" / names[0]).spec.labels == ("high", "low")


def test_build_trains_and_converts(clips, tmp_path):
    report = earproof.build(
        str(clips), out=str(tmp_path / "all"), models="waveform_cnn", recipes=["float32"], num_runs=2, **QUICK
    )
    assert [Path(file["file"]).name for file in report["files"]] == ["waveform_cnn-float32.tflite"]
    assert (tmp_path / "all" / "waveform_cnn" / "model.keras").is_file()
    assert (tmp_path / "all" / "report.md").is_file()
    page = (tmp_path / "all" / "report.html").read_text(encoding="utf-8")
    assert "waveform_cnn-float32.tflite" in page
    assert "waveform_cnn, 1 epoch" in page
