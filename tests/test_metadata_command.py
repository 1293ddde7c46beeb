import argparse
import json
import os
import threading
from pathlib import Path

import pytest
from foreign_files import ending_in, with_metadata
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.model.interpreter import open_interpreter
from metadata import MelFrontEnd, ModelContractError, pack_model, read_model_labels, read_spec
from metadata.command import add_arguments, run


def _run(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments("metadata", parser)
    return run("metadata", parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "packed.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "plain.tflite"
    path.write_bytes(tiny_classifier())
    return path


@pytest.fixture
def spec_file(tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(tiny_spec().to_json(), encoding="utf-8")
    return path


def test_labels_are_printed_one_a_line(packed, capsys):
    assert _run("labels", packed) == 0
    assert capsys.readouterr().out == "silence\nsong\nspeech\n"


def test_show_names_tensors_labels_window_and_files(packed, capsys):
    assert _run("show", packed) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["input", "audio float32 [1, 32000]"] in lines
    assert ["output", "scores float32 [1, 3]"] in lines
    assert ["labels", "3: silence, song, speech"] in lines
    assert ["window", "32000 samples at 16000 Hz = 2 s"] in lines
    assert ["inside", "labels.txt, 20 bytes"] in lines


def test_show_spells_out_a_front_end_that_the_app_computes(tmp_path, capsys):
    path = tmp_path / "mel.tflite"
    spec = tiny_spec(front_end=MelFrontEnd(inside_model=False))
    path.write_bytes(pack_model(tiny_classifier(input_shape=(1, 128, 63, 1)), spec))
    _run("show", path)
    shown = capsys.readouterr().out
    assert "mel, computed by the app: " in shown
    assert "hop_length 512, " in shown


def test_show_as_json_holds_everything(packed, capsys):
    assert _run("show", packed, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["size_bytes"] == packed.stat().st_size
    assert report["tensors"]["inputs"] == [{"name": "audio", "shape": [1, 32000], "dtype": "float32"}]
    assert report["labels"] == ["silence", "song", "speech"]
    assert report["metadata"]["min_parser_version"] == "1.3.0"
    assert report["spec"] == json.loads(tiny_spec().to_json())
    assert report["associated_files"]["labels.txt"] == 20


def test_show_says_what_a_plain_model_lacks(plain, capsys):
    assert _run("show", plain) == 0
    shown = capsys.readouterr().out
    assert "metadata  none" in shown
    assert "spec      none" in shown


def test_write_puts_the_spec_into_another_file_and_leaves_the_first_alone(plain, spec_file, tmp_path, capsys):
    before = plain.read_bytes()
    assert _run("write", plain, "--spec", spec_file, "--out", tmp_path / "out.tflite") == 0
    assert plain.read_bytes() == before
    assert read_spec((tmp_path / "out.tflite").read_bytes()) == tiny_spec()
    assert capsys.readouterr().out == ""


def test_write_rewrites_the_file_itself_only_when_forced(plain, spec_file):
    before = plain.read_bytes()
    with pytest.raises(FileExistsError, match="give --force"):
        _run("write", plain, "--spec", spec_file)
    assert plain.read_bytes() == before
    assert _run("write", plain, "--spec", spec_file, "--force") == 0
    assert read_spec(plain.read_bytes()) == tiny_spec()


def test_write_takes_other_labels(plain, spec_file, tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"quiet\nsinging\ntalk\n")
    _run("write", plain, "--spec", spec_file, "--labels", tmp_path / "labels.txt", "--force")
    assert read_model_labels(plain.read_bytes()) == ("quiet", "singing", "talk")


def test_labels_that_do_not_match_the_scores_leave_nothing_behind(plain, spec_file, tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"quiet\nsinging\n")
    files = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match="has 2 labels but the model puts out 3 scores"):
        _run("write", plain, "--spec", spec_file, "--labels", tmp_path / "labels.txt", "--out", tmp_path / "out.tflite")
    assert sorted(tmp_path.iterdir()) == files


def test_a_file_that_is_no_model_and_a_file_that_is_not_there_are_refused(spec_file, tmp_path):
    with pytest.raises(ModelContractError, match="expected the identifier TFL3"):
        _run("show", spec_file)
    with pytest.raises(FileNotFoundError, match=r"missing\.tflite does not exist"):
        _run("show", tmp_path / "missing.tflite")
    with pytest.raises(ValueError, match="is a folder"):
        _run("labels", tmp_path)


def test_a_folder_that_does_not_exist_is_not_made(plain, spec_file, tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder"):
        _run("write", plain, "--spec", spec_file, "--out", tmp_path / "no" / "out.tflite")


@pytest.fixture
def labels_file(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"quiet\nsinging\ntalk\n")
    return path


def test_show_says_what_a_file_of_others_is_taken_for_with_its_notes(tmp_path, capsys):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(with_metadata(ending_in("LOG_SOFTMAX", (1, 44_100)), files={"labels.txt": b"a\r\nb\r\nc"}))
    assert _run("show", path) == 0
    shown = capsys.readouterr().out
    assert "labels       3: a, b, c" in shown
    assert "44100 samples at 44100 Hz = 1 s" in shown
    assert "softmax, made by exp of what the model puts out" in shown
    assert "CR LF line ends" in shown
    _run("show", path, "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["spec"], report["taken_for"]["score_transform"], report["lacks"]) == (None, "exp", [])


def test_show_says_what_a_file_of_others_lacks_and_how_to_say_it(plain, capsys):
    _run("show", plain)
    shown = capsys.readouterr().out
    assert "nothing states its sample rate" in shown
    assert "earproof metadata write FILE --out NEW.tflite --labels labels.txt --sample-rate HZ" in shown


def test_show_gives_scale_zero_point_and_real_range_of_integers(capsys):
    path = Path(__file__).parent / "damaged_files/sound/int8_io.tflite"
    detail = open_interpreter(path.read_bytes()).get_input_details()[0]
    scale, zero_point = detail["quantization"]
    _run("show", path, "--json")
    (audio,) = json.loads(capsys.readouterr().out)["tensors"]["inputs"]
    assert (audio["dtype"], audio["scale"], audio["zero_point"]) == ("int8", pytest.approx(scale), zero_point)
    assert audio["min"] == pytest.approx(scale * (-128 - zero_point))
    assert audio["max"] == pytest.approx(scale * (127 - zero_point))
    _run("show", path)
    shown = capsys.readouterr().out
    assert "int8 [1, 3], scale 0.00390625, zero point -128: real values 0 to 0.996094" in shown


def test_labels_of_others_are_printed_as_they_were_meant(tmp_path, capsys):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(with_metadata(ending_in("SOFTMAX", (1, 44_100)), files={"labels.txt": b"a\r\nb\r\nc"}))
    _run("labels", path)
    printed = capsys.readouterr()
    assert printed.out == "a\nb\nc\n"
    assert printed.err.count("CR LF") == 1


def test_write_mends_the_label_file_of_others_and_keeps_the_rest(tmp_path):
    path, out = tmp_path / "theirs.tflite", tmp_path / "mended.tflite"
    path.write_bytes(with_metadata(ending_in("SOFTMAX", (1, 44_100)), files={"labels.txt": b"a\r\nb\r\nc"}))
    _run("write", path, "--out", out)
    spec = read_spec(out.read_bytes())
    assert (spec.labels, spec.sample_rate, spec.name, spec.version) == (("a", "b", "c"), 44_100, "clap detector", "v3")
    assert read_model_labels(out.read_bytes()) == ("a", "b", "c")


def test_write_makes_a_spec_of_options_for_samples(tmp_path, labels_file):
    path, out = tmp_path / "logits.tflite", tmp_path / "out.tflite"
    path.write_bytes(ending_in("LOGITS"))
    options = [
        "--labels",
        labels_file,
        "--sample-rate",
        16_000,
        "--name",
        "mine",
        "--version",
        "2",
        "--description",
        "d",
    ]
    with pytest.raises(ModelContractError, match="--activation softmax"):
        _run("write", path, "--out", out, *options)
    assert not out.exists()
    _run("write", path, "--out", out, *options, "--activation", "sigmoid")
    spec = read_spec(out.read_bytes())
    assert (spec.name, spec.version, spec.description, spec.labels) == ("mine", "2", "d", ("quiet", "singing", "talk"))
    assert (spec.sample_rate, spec.window_length, spec.activation) == (16_000, 16_000, "sigmoid")
    assert spec.score_transform == "sigmoid"


def test_write_makes_a_spec_of_options_for_a_spectrogram(tmp_path, labels_file, capsys):
    path, out = tmp_path / "mel.tflite", tmp_path / "out.tflite"
    path.write_bytes(ending_in("SOFTMAX", (1, 64, 63, 1)))
    options = ["--out", out, "--labels", labels_file, "--sample-rate", 16_000, "--window-length", 32_000]
    options += ["--front-end", "mel", "--n-fft", 1024, "--hop-length", 512, "--log", "log10"]
    _run("write", path, *options)
    expected = MelFrontEnd(
        inside_model=False, n_fft=1024, win_length=1024, hop_length=512, n_mels=64, fmax=8000.0, log="log10"
    )
    assert read_spec(out.read_bytes()).front_end == expected
    assert "taken as librosa has them: power=2.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ((1, 64, 63, 1), [], "--front-end mel"),
        ((1, 64, 63, 1), ["--front-end", "mel"], "needs --n-fft, --hop-length too"),
        ((1, 64, 63, 1), ["--n-fft", 512, "--hop-length", 256], "--window-length N"),
        ((1, 64, 63, 1), ["--n-fft", 512, "--hop-length", 256, "--window-length", 32_000], "15872 to 16127 samples"),
        (
            (1, 63, 64, 1),
            ["--n-fft", 512, "--hop-length", 512, "--window-length", 32_000, "--n-mels", 64],
            "keras.Sequential([keras.Input((64, 63, 1)), keras.layers.Permute((2, 1, 3)), model])",
        ),
        ((1, 64, 63, 1), ["--front-end", "stft", "--n-mels", 64], "--n-mels says nothing of a stft front end"),
        ((1, 64, 63, 1), ["--front-end", "mel", "--n-fft", 511, "--hop-length", 256], "n_fft is 511"),
        ((1, 40), ["--front-end", "waveform"], "too short for a waveform"),
    ],
)
def test_options_that_do_not_fit_the_tensor_are_refused(tmp_path, labels_file, shape, options, said):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(ending_in("SOFTMAX", shape))
    known = ["--labels", labels_file, "--sample-rate", 16_000]
    with pytest.raises(ModelContractError) as caught:
        _run("write", path, "--out", tmp_path / "out.tflite", *known, *options)
    assert said in str(caught.value)
    assert not (tmp_path / "out.tflite").exists()


def test_write_refuses_a_spec_that_the_graph_contradicts(plain, tmp_path):
    spec_file = tmp_path / "sigmoid.json"
    spec_file.write_text(tiny_spec(activation="sigmoid").to_json())
    with pytest.raises(ModelContractError, match="said to be sigmoid, but the model makes its scores with SOFTMAX"):
        _run("write", plain, "--spec", spec_file, "--out", tmp_path / "out.tflite")


def test_write_refuses_a_spec_for_another_window(plain, tmp_path):
    spec_file = tmp_path / "short.json"
    spec_file.write_text(tiny_spec(window_length=16_000).to_json())
    with pytest.raises(ModelContractError, match="with 32000 values, but windows of 16000 samples are said"):
        _run("write", plain, "--spec", spec_file, "--out", tmp_path / "out.tflite")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_labels_come_through_a_pipe(plain, spec_file, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"quiet\nsinging\ntalk\n",), daemon=True)
    writer.start()
    _run("write", plain, "--spec", spec_file, "--labels", pipe, "--force")
    writer.join(10)
    assert read_model_labels(plain.read_bytes()) == ("quiet", "singing", "talk")
