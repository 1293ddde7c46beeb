"""`earproof metadata kotlin`. What the file means to Kotlin is tested with the app, in test_android_app.py."""

import hashlib

import pytest
from tiny_run import make_tiny_run
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.phone.harness import TICK_SECONDS
from metadata import pack_model, strip_metadata
from metadata.kotlin_file import TICK_SECONDS as APP_TICK_SECONDS
from metadata.kotlin_file import kotlin_text
from metadata.spec import StftFrontEnd


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def kotlin(*arguments):
    return earproof.main(["metadata", "kotlin", *map(str, arguments)])


def test_the_file_has_what_the_spec_says_and_the_digest_of_the_whole_model(model, capsys):
    assert kotlin(model) == 0
    text = capsys.readouterr().out
    assert "package com.example.earproof\n" in text
    assert f'const val SHA256 = "{hashlib.sha256(model.read_bytes()).hexdigest()}"' in text
    assert '"silence",\n        "song",\n        "speech"\n' in text
    for line in ("SAMPLE_RATE = 16000 ", "WINDOW_LENGTH = 32000 ", "TICK_LENGTH = 8000 ", "ONE_AT_A_TIME = true"):
        assert f"const val {line}" in text
    assert "listOf(0.5, 0.5, 0.5)" in text
    assert "val FRONT_END: FrontEnd? = null" in text


def test_the_tick_is_that_of_the_phone():
    assert APP_TICK_SECONDS == TICK_SECONDS


def test_a_spectrogram_file_gives_the_settings_of_its_front_end(tmp_path, capsys):
    run = make_tiny_run(tmp_path / "run")
    assert kotlin(run / "mel-spectrogram-float32.tflite", "--package", "org.my_app.sound") == 0
    text = capsys.readouterr().out
    assert "package org.my_app.sound\n" in text
    assert "insideModel = false,\n        nFft = 2048,\n        hopLength = 512" in text


def test_a_file_is_written_once_and_never_overwritten_unasked(model, tmp_path, capsys):
    out = tmp_path / "SoundModel.kt"
    assert kotlin(model, "--out", out) == 0
    first = out.read_bytes()
    out.write_text("mine")
    assert kotlin(model, "--out", out) == 2
    assert f"{out} exists; give --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert kotlin(model, "--out", out, "--force") == 0
    assert out.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("package", ["", "com..x", "com.in.app", "9lives", "a b", "com.fun", "com.é"])
def test_a_package_that_kotlin_does_not_take_is_refused(package, model, tmp_path, capsys):
    assert kotlin(model, "--package", package, "--out", tmp_path / "x.kt") == 2
    assert f"--package is {package!r}; expected names" in capsys.readouterr().err
    assert not (tmp_path / "x.kt").exists()


def test_words_that_only_begin_like_a_keyword_may_stand_in_a_package():
    assert "package com.india.funny\n" in kotlin_text(tiny_spec(), "tiny.tflite", b"", "com.india.funny")


@pytest.mark.parametrize(
    ("option", "value", "what"), [("--calibrate", "thresholds", "calibration"), ("--threshold", "0.3", "threshold")]
)
def test_what_makes_mediapipe_show_other_scores_is_told_with_the_command_that_takes_it_out(
    tmp_path, capsys, option, value, what
):
    path, edited = tmp_path / "file.tflite", tmp_path / "edited.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    assert earproof.main(["metadata", "edit", str(path), option, value, "--out", str(edited)]) == 0
    capsys.readouterr()
    assert earproof.main(["metadata", "kotlin", str(edited)]) == 0
    said = capsys.readouterr().err
    assert f"MediaPipe changes or hides scores by the {what} in this file's metadata" in said
    assert said.count("note:") == 1
    assert earproof.main(["metadata", "edit", str(edited), "--drop", what, "--force"]) == 0
    assert edited.read_bytes() == path.read_bytes()
    capsys.readouterr()
    assert earproof.main(["metadata", "kotlin", str(edited)]) == 0
    assert capsys.readouterr().err == ""


def test_a_transform_that_the_example_does_not_compute_is_told(tmp_path, capsys):
    front_end = StftFrontEnd(inside_model=False, n_fft=480, hop_length=160, win_length=400, power=1.0)
    path = tmp_path / "stft.tflite"
    path.write_bytes(pack_model(tiny_classifier(input_shape=(1, 241, 201, 1)), tiny_spec(front_end=front_end)))
    assert kotlin(path) == 0
    assert "note: n_fft is 480; Spectrogram.kt of examples/android takes powers of two only" in capsys.readouterr().err


def test_a_file_of_others_is_told_what_it_lacks(tmp_path, capsys):
    path = tmp_path / "bare.tflite"
    path.write_bytes(strip_metadata(tiny_classifier()))
    assert kotlin(path) == 2
    assert "earproof metadata write FILE --out NEW.tflite --labels labels.txt" in capsys.readouterr().err


def test_a_model_with_an_integer_input_is_refused(tmp_path, capsys):
    path = tmp_path / "integers.tflite"
    path.write_bytes(pack_model(_with_integer_input(tiny_classifier()), tiny_spec()))
    assert kotlin(path) == 2
    assert "audio among the inputs is int8; MediaPipe and the app of examples/android take float32" in (
        capsys.readouterr().err
    )


def _with_integer_input(model):
    """The model with int8 for its first tensor's type: enough for a file that is only described."""
    from ai_edge_litert import schema_py_generated as schema
    from tiny_tflite import pack_aligned

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    content.subgraphs[0].tensors[0].type = schema.TensorType.INT8
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = [1 / 128], [0]
    content.subgraphs[0].tensors[0].quantization = quantization
    return pack_aligned(content)
