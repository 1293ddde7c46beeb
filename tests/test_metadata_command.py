import argparse
import json

import pytest
from tiny_tflite import tiny_classifier, tiny_spec

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
