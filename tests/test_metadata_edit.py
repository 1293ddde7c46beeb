import argparse
import copy
import json
import os
from pathlib import Path

import pytest
from foreign_files import STATED, ending_in, output_of, with_metadata
from loader_matrix import make_cases
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

from metadata import (
    FrameScores,
    ModelContractError,
    find_metadata,
    pack_model,
    read_associated_files,
    read_spec,
    read_tensors,
    replace_spec,
)
from metadata.command import add_arguments, run
from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.rewrite import add_metadata_buffer
from metadata.tflite_file.associated_files import append_files, find_archive

GERMAN = "Stille\nGesang\nSprache\n"
YAMNET = Path(
    os.environ.get("EARPROOF_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"),
    "backbones",
    "yamnet_audio_classifier_with_metadata.tflite",
)


def _run(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments("metadata", parser)
    return run("metadata", parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec(thresholds=(0.25, 0.5, 0.75))))
    return path


@pytest.fixture
def foreign(tmp_path):
    path = tmp_path / "foreign.tflite"
    path.write_bytes(with_metadata(ending_in("LOGISTIC")))
    return path


@pytest.fixture
def german(tmp_path):
    path = tmp_path / "labels_de.txt"
    path.write_bytes(GERMAN.encode())
    return path


@pytest.fixture
def edit(tmp_path):
    """Edit a file into another and return metadata and files of that."""

    def run_edit(file, *arguments):
        out = tmp_path / "out.tflite"
        assert _run("edit", file, *arguments, "--out", out, "--force") == 0
        return find_metadata(out.read_bytes()), read_associated_files(out.read_bytes())

    return run_edit


def test_author_licence_and_version_are_changed_and_all_else_stays(foreign, edit):
    values, files = edit(foreign, "--author", "Ada", "--licence", "MIT", "--version", "v4")
    assert values == copy.deepcopy(STATED) | {"author": "Ada", "license": "MIT", "version": "v4"}
    assert files == read_associated_files(foreign.read_bytes())


def test_a_model_that_another_tool_packed_keeps_every_byte_outside_its_metadata(tmp_path):
    model = ending_in("LOGISTIC")
    path = tmp_path / "foreign.tflite"
    path.write_bytes(with_metadata(model))
    _run("edit", path, "--author", "Ada", "--force")
    assert path.read_bytes()[: find_archive(path.read_bytes())].endswith(model)


def test_what_is_edited_in_a_file_of_ours_is_in_its_spec_too_and_packing_that_anew_keeps_it(own, edit, tmp_path):
    edit(own, "--name", "claps", "--description", "hears claps", "--author", "Ada", "--license", "MIT")
    edited = (tmp_path / "out.tflite").read_bytes()
    spec = read_spec(edited)
    assert (spec.name, spec.description) == ("claps", "hears claps")
    assert spec.provenance.training == {"author": "Ada", "license": "MIT"}
    assert pack_model(tiny_classifier(), spec) == edited


def test_an_edit_to_what_is_there_already_gives_the_same_bytes(own, edit, tmp_path):
    edit(own, "--name", "tiny classifier", "--set", "output[0].name=scores")
    assert (tmp_path / "out.tflite").read_bytes() == own.read_bytes()


def test_the_same_edit_gives_the_same_bytes_again_and_again(foreign, german, tmp_path):
    arguments = ("--locale", f"de={german}", "--class-threshold", "song=0.3", "--force")
    _run("edit", foreign, *arguments)
    once = foreign.read_bytes()
    _run("edit", foreign, *arguments)
    assert foreign.read_bytes() == once


def test_display_names_lie_behind_the_labels_and_are_replaced_and_taken_out(own, german, edit, tmp_path):
    values, files = edit(own, "--locale", f"de={german}", "--locale", f"en-GB={german}")
    assert [(item["name"], item.get("locale")) for item in output_of(values)["associated_files"]] == [
        ("labels.txt", None),
        ("labels_de.txt", "de"),
        ("labels_en-GB.txt", "en-GB"),
    ]
    assert files["labels_de.txt"] == GERMAN.encode()
    german.write_bytes(b"Ruhe\nLied\nRede\n")
    _, files = edit(tmp_path / "out.tflite", "--locale", f"de={german}")
    assert files["labels_de.txt"] == b"Ruhe\nLied\nRede\n"
    _, files = edit(tmp_path / "out.tflite", "--drop", "locale=de", "--drop", "locale=en-GB")
    assert sorted(files) == ["labels.txt", "model_spec.json"]
    assert (tmp_path / "out.tflite").read_bytes() == own.read_bytes()


def test_thresholds_of_the_spec_become_a_calibration_that_keeps_scores(own, edit, tmp_path):
    values, files = edit(own, "--calibrate", "thresholds")
    assert output_of(values)["process_units"] == [
        {
            "options_type": "ScoreCalibrationOptions",
            "options": {"score_transformation": "INVERSE_LOGISTIC", "default_score": -1.0},
        },
        {"options_type": "ScoreThresholdingOptions", "options": {}},
    ]
    assert files["score_calibration.txt"] == b"1,1,0,0.25\n1,1,0,0.5\n1,1,0,0.75"
    edit(tmp_path / "out.tflite", "--drop", "calibration")
    assert (tmp_path / "out.tflite").read_bytes() == own.read_bytes()


def test_thresholds_of_single_labels_are_read_back_from_a_file_without_a_spec(foreign, edit, tmp_path, capsys):
    _, files = edit(foreign, "--class-threshold", "song=0.3", "--class-threshold", "speech=1")
    assert files["score_calibration.txt"] == b"1,1,0\n1,1,0,0.3\n1,1,0,1.0"
    capsys.readouterr()
    _run("show", tmp_path / "out.tflite", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["taken_for"]["thresholds"] == [0.5, 0.3, 1.0]
    assert report["heads"][0]["calibration"]["parameters"] == [[1, 1, 0], [1, 1, 0, 0.3], [1, 1, 0, 1]]
    assert not any("ScoreCalibrationOptions" in note for note in report["notes"])
    assert "the file states thresholds of 2 of 3 labels; the others count from 0.5 on" in report["notes"]


def test_a_calibration_file_loses_the_line_end_that_loaders_count_as_a_line(own, edit, tmp_path, capsys):
    (tmp_path / "given.csv").write_bytes(b"1,2,0.5\r\n\r\n0.9,1,0,0.1\r\n")
    values, files = edit(
        own, "--calibration", tmp_path / "given.csv", "--transformation", "log", "--default-score", "0"
    )
    assert files["score_calibration.txt"] == b"1,2,0.5\n\n0.9,1,0,0.1"
    assert output_of(values)["process_units"][0]["options"] == {"score_transformation": "LOG"}
    said = capsys.readouterr().err
    assert "CR line ends" in said
    assert "one more line; left out" in said
    assert "has no parameters in line 2; such a label gets the default score" in said


def test_a_threshold_for_all_labels_is_stated_and_taken_out(foreign, edit, tmp_path):
    values, _ = edit(foreign, "--threshold", "0.25")
    unit = {"options_type": "ScoreThresholdingOptions", "options": {"global_score_threshold": 0.25}}
    assert output_of(values)["process_units"] == [unit]
    values, _ = edit(tmp_path / "out.tflite", "--drop", "threshold")
    assert values == STATED


def test_a_second_output_has_labels_locales_and_calibration_of_its_own(tmp_path, german, edit):
    values = copy.deepcopy(STATED)
    values["subgraph_metadata"][0]["output_tensor_metadata"].append({"name": "frames"})
    model = add_metadata_buffer(tiny_detector(16_000), encode_metadata(values))
    path = tmp_path / "two.tflite"
    path.write_bytes(append_files(model, {"labels.txt": b"a\nb\nc\n"}))
    count = read_tensors(model).outputs[1].size
    (tmp_path / "frames.txt").write_text("".join(f"frame label {number}\n" for number in range(count)))
    (tmp_path / "names.txt").write_text("".join(f"Zeile {number}\n" for number in range(count)))
    values, files = edit(
        *(path, "--head", "frames", "--labels", tmp_path / "frames.txt", "--locale", f"de={tmp_path / 'names.txt'}"),
        *("--class-threshold", "frame label 2=0.5"),
    )
    first, second = values["subgraph_metadata"][0]["output_tensor_metadata"]
    assert first == output_of(STATED)
    assert [item["name"] for item in second["associated_files"]] == [
        *("labels_1.txt", "labels_1_de.txt", "score_calibration_1.txt")
    ]
    assert files["score_calibration_1.txt"].split(b"\n")[1:4] == [b"1,1,0", b"1,1,0,0.5", b"1,1,0"]


def test_a_model_with_frame_scores_is_calibrated_at_the_output_with_labels(tmp_path, edit):
    path = tmp_path / "detector.tflite"
    spec = tiny_spec(activation="sigmoid", frames=FrameScores(125, 256))
    path.write_bytes(pack_model(tiny_detector(frames_first=True), spec))
    values, _ = edit(path, "--calibrate", "thresholds")
    frames, scores = values["subgraph_metadata"][0]["output_tensor_metadata"]
    assert "process_units" not in frames
    assert scores["process_units"][0]["options_type"] == "ScoreCalibrationOptions"


def test_custom_metadata_raises_the_parser_version_and_taking_it_out_lowers_it(foreign, edit, tmp_path):
    (tmp_path / "card.bin").write_bytes(b"\0\xff\x07")
    values, _ = edit(foreign, "--custom", f"card={tmp_path / 'card.bin'}")
    assert values["subgraph_metadata"][0]["custom_metadata"] == [{"name": "card", "data": [0, 255, 7]}]
    assert values["min_parser_version"] == "1.5.0"
    values, _ = edit(tmp_path / "out.tflite", "--drop", "custom=card")
    assert values == STATED


def test_any_field_is_set_by_its_path_and_taken_out(foreign, edit, tmp_path):
    values, _ = edit(
        *(foreign, "--set", "output.stats.max=[1.0]", "--set", "output[0].stats.min[0]=-1", "--set", "graph.name=main"),
        *("--set", "output.content.content_properties_type=BoundingBoxProperties"),
        *("--set", "output.content.content_properties.type=CENTER", "--set", 'output.dimension_names=["a", "b"]'),
        *("--set", "input.content.content_properties.channels=2", "--set", "output.associated_files[0].version=7"),
    )
    assert values["subgraph_metadata"][0]["name"] == "main"
    output = output_of(values)
    assert output["stats"] == {"max": [1.0], "min": [-1.0]}
    assert output["content"]["content_properties"] == {"type": "CENTER"}
    assert output["dimension_names"] == ["a", "b"]
    assert values["min_parser_version"] == "1.4.1"
    values, _ = edit(tmp_path / "out.tflite", "--drop", "output.content", "--drop", "output.stats.max[0]")
    assert "content" not in output_of(values)
    assert output_of(values)["stats"]["max"] == []


def test_what_was_extracted_and_changed_is_taken_back(foreign, edit, tmp_path):
    folder = tmp_path / "parts"
    assert _run("extract", foreign, "--out", folder) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["labels.txt", "metadata.json"]
    values = json.loads((folder / "metadata.json").read_text())
    assert values == STATED
    values["subgraph_metadata"][0]["output_tensor_groups"] = [{"name": "all", "tensor_names": ["scores"]}]
    output_of(values)["associated_files"].append({"name": "readme.md", "type": "DESCRIPTIONS"})
    (folder / "metadata.json").write_text(json.dumps(values))
    (folder / "readme.md").write_bytes(b"# Claps\n")
    found, files = edit(foreign, "--from", folder)
    assert found == values
    assert files["readme.md"] == b"# Claps\n"


def test_files_changed_by_hand_are_mended_and_counted_when_they_are_taken_back(own, edit, german, tmp_path, capsys):
    edit(own, "--locale", f"de={german}", "--calibrate", "thresholds")
    edited, folder = tmp_path / "edited.tflite", tmp_path / "parts"
    (tmp_path / "out.tflite").rename(edited)
    assert _run("extract", edited, "--out", folder) == 0
    (folder / "score_calibration.txt").write_bytes(b"1,1,0,0.3\n1,1,0,0.5\n1,1,0,0.7\n")  # an editor ends the last line
    (folder / "labels_de.txt").write_bytes(b"Ruhe\r\nGesang\r\nSprache\r\n")
    capsys.readouterr()
    _, files = edit(edited, "--from", folder)
    assert files["score_calibration.txt"] == b"1,1,0,0.3\n1,1,0,0.5\n1,1,0,0.7"
    assert files["labels_de.txt"] == b"Ruhe\nGesang\nSprache\n"
    assert "labels_de.txt has CR LF line ends" in capsys.readouterr().err
    (folder / "labels_de.txt").write_bytes(b"Ruhe\nGesang\n")
    with pytest.raises(ModelContractError, match=r"labels_de\.txt has 2 names but output 0 has 3 labels"):
        _run("edit", edited, "--from", folder, "--force")


def test_extract_overwrites_nothing_unless_forced(own, tmp_path):
    folder = tmp_path / "parts"
    _run("extract", own, "--out", folder)
    assert sorted(path.name for path in folder.iterdir()) == ["labels.txt", "metadata.json", "model_spec.json"]
    (folder / "labels.txt").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"has labels\.txt, metadata\.json, model_spec\.json already"):
        _run("extract", own, "--out", folder)
    assert (folder / "labels.txt").read_bytes() == b"mine"
    assert _run("extract", own, "--out", folder, "--force") == 0
    assert (folder / "labels.txt").read_bytes() == b"silence\nsong\nspeech\n"


def test_remove_gives_back_the_model_and_says_what_was_there(own, tmp_path, capsys):
    assert _run("remove", own, "--out", tmp_path / "bare.tflite") == 0
    assert (tmp_path / "bare.tflite").read_bytes() == tiny_classifier()
    said = capsys.readouterr().err
    assert "name tiny classifier; version 1.0.0" in said
    assert "labels.txt, 20 bytes" in said
    with pytest.raises(ModelContractError, match="neither metadata nor files"):
        _run("remove", tmp_path / "bare.tflite", "--force")


def test_a_label_file_without_labels_is_not_called_binary(own, tmp_path):
    (tmp_path / "labels_de.txt").write_bytes(b"\n")
    with pytest.raises(ValueError, match=r"labels_de\.txt holds no labels; expected one label a line"):
        _run("edit", own, "--locale", f"de={tmp_path / 'labels_de.txt'}", "--force")


def test_a_file_is_rewritten_only_when_forced(own):
    before = own.read_bytes()
    for action in (["edit", own, "--author", "Ada"], ["remove", own]):
        with pytest.raises(FileExistsError, match="give --force to overwrite it, or --out OUT to leave it as it is"):
            _run(*action)
    assert own.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to edit was given"),
        (["--locale", "de_at={short}"], "'de_at' is no locale.*did you mean de-AT"),
        (["--locale", "german={short}"], "'german' is no locale"),
        (["--locale", "de={short}"], "has 2 names but output 0 has 3 labels"),
        (["--calibration", "{short}"], "line 1 is 'Stille'; expected scale,slope,offset"),
        (["--calibration", "{negative}"], "line 2 has the scale -1.0; expected 0 to 1"),
        (["--transformation", "log"], "belong to --calibration FILE"),
        (["--calibrate", "thresholds"], "no spec with thresholds.*--class-threshold"),
        (["--class-threshold", "dog=0.3"], "has no label 'dog'"),
        (["--class-threshold", "song=1.5"], "the threshold of song is 1.5; expected 0 to 1"),
        (["--class-threshold", "song=high"], "the threshold of song is 'high'"),
        (["--threshold", "nan"], "the threshold is nan; expected 0 to 1"),
        (["--threshold", "-0.1"], "the threshold is -0.1; expected 0 to 1"),
        (["--head", "7", "--threshold", "0.5"], "--head 7 is none of the 1 output: 0 scores"),
        (["--set", "authr=Ada"], "no field authr; did you mean author"),
        (["--set", "output[3].name=x"], "has 1 items; .*asks for number 3"),
        (["--set", "output.stats.max=high"], "'high'; expected JSON"),
        (["--set", "output.stats.max=[true]"], r"output.stats.max\[0\] is True; expected a number"),
        (["--set", "input.content.content_properties.sample_rate=-1"], "is -1; expected a whole number from 0"),
        (["--set", "output.content.content_properties.channels=1"], "set content_properties_type first"),
        (["--set", "output.associated_files[0].type=LABELS"], "'LABELS'; expected one of UNKNOWN, DESCRIPTIONS"),
        (["--set", "name[0]=x"], "is no list"),
        (["--set", "output..name=x"], "no path to a field"),
        (["--drop", "calibration"], "output 0 has no calibration"),
        (["--drop", "threshold"], "output 0 states no threshold"),
        (["--drop", "locale=de"], "no labels for the locale 'de'; it has none"),
        (["--drop", "custom=card"], "no custom metadata 'card'"),
        (["--drop", "output.stats"], "the metadata has no output.stats"),
        (["--set", "output.associated_files[0].name=other.txt"], "names other.txt but the file holds labels.txt"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_in_words_and_changes_nothing(arguments, said, foreign, tmp_path):
    short, negative = tmp_path / "short.txt", tmp_path / "negative.csv"
    short.write_bytes(b"Stille\nGesang\n")
    negative.write_bytes(b"1,1,0\n-1,1,0\n1,1,0")
    before = foreign.read_bytes()
    given = [text.format(short=short, negative=negative) if "{" in text else text for text in arguments]
    with pytest.raises(ModelContractError, match=said):
        _run("edit", foreign, *given, "--force")
    assert foreign.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "input.content.content_properties.sample_rate=8000"], "what the input takes is in the spec"),
        (["--labels", "labels.txt"], "the labels are in the spec of this file too"),
        (["--class-threshold", "song=0.3"], "--calibrate thresholds"),
        (["--name", ""], "name is empty"),
    ],
)
def test_what_would_contradict_the_spec_of_a_file_of_ours_is_refused(arguments, said, own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("labels.txt").write_bytes(b"a\nb\nc\n")
    with pytest.raises(ModelContractError, match=said):
        _run("edit", own, *arguments, "--force")


def test_thresholds_of_scores_that_no_calibration_computes_are_refused(tmp_path):
    path = tmp_path / "logits.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec(score_transform="softmax")))
    with pytest.raises(ModelContractError, match="softmax makes scores of, which no calibration computes"):
        _run("edit", path, "--calibrate", "thresholds", "--force")


def test_fields_of_a_later_schema_are_not_lost_in_silence(tmp_path):
    import flatbuffers

    builder = flatbuffers.Builder(64)
    name = builder.CreateString("from the future")
    builder.StartObject(9)  # one field more than ModelMetadata has
    builder.PrependUOffsetTRelativeSlot(8, name, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"M001")
    path = tmp_path / "later.tflite"
    path.write_bytes(add_metadata_buffer(tiny_classifier(), bytes(builder.Output())))
    with pytest.raises(ModelContractError, match=r"field 8 of ModelMetadata of a schema after 1\.5\.0"):
        _run("edit", path, "--author", "Ada", "--force")


def test_a_model_without_metadata_cannot_be_edited(tmp_path):
    path = tmp_path / "plain.tflite"
    path.write_bytes(tiny_classifier())
    with pytest.raises(ModelContractError, match="no TFLite metadata that could be edited"):
        _run("edit", path, "--author", "Ada", "--force")
    with pytest.raises(ModelContractError, match="neither metadata nor files"):
        _run("extract", path, "--out", tmp_path / "parts")


@pytest.mark.skipif(not YAMNET.is_file(), reason="YAMNet lies in the shared data, which is not here")
def test_yamnet_is_read_field_by_field_and_keeps_what_is_not_edited(edit):
    values, files = edit(YAMNET, "--author", "Ada", "--class-threshold", "Speech=0.3")
    before = find_metadata(YAMNET.read_bytes())
    assert before["name"] == "yamnet/classification"
    assert before["version"] == "v1"
    assert before["author"] == "TensorFlow"
    assert before["min_parser_version"] == "1.3.0"
    audio = before["subgraph_metadata"][0]["input_tensor_metadata"][0]
    assert audio["content"]["content_properties"] == {"sample_rate": 16_000, "channels": 1}
    labels = read_associated_files(YAMNET.read_bytes())
    assert files["yamnet_label_list.txt"] == labels["yamnet_label_list.txt"]
    assert files["score_calibration.txt"].split(b"\n")[:2] == [b"1,1,0,0.3", b"1,1,0"]
    output_of(values)["associated_files"].pop()
    del output_of(values)["process_units"]
    assert values == before | {"author": "Ada"}


def test_describing_a_file_anew_keeps_display_names_and_custom_metadata(own, edit, german, tmp_path, capsys):
    edit(own, "--locale", f"de={german}", "--custom", f"note={german}")
    edited, again = tmp_path / "out.tflite", tmp_path / "again.tflite"
    assert _run("write", edited, "--out", again) == 0
    assert again.read_bytes() == edited.read_bytes()
    assert "new one has not" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["thresholds of the spec", "of the user"])
def test_describing_a_file_anew_keeps_a_calibration_of_the_same_labels(own, edit, tmp_path, capsys, kind):
    edited, again, lines = tmp_path / "out.tflite", tmp_path / "again.tflite", tmp_path / "lines.csv"
    lines.write_text("1,2,0\n\n0.5,1,0,0.2")
    edit(own, *(["--calibrate", "thresholds"] if kind.startswith("thresholds") else ["--calibration", lines]))
    assert _run("write", edited, "--out", again) == 0
    assert "new one has not" not in capsys.readouterr().err
    assert again.read_bytes() == edited.read_bytes()


def test_a_calibration_that_no_longer_holds_is_told_and_how_to_write_it_anew(own, edit, german, tmp_path, capsys):
    again, spec = tmp_path / "again.tflite", tmp_path / "spec.json"
    edit(own, "--calibrate", "thresholds")
    others = replace_spec(read_spec((tmp_path / "out.tflite").read_bytes()), thresholds=(0.1, 0.2, 0.3))
    spec.write_text(others.to_json())
    for words, why in (
        (["--labels", german], "belongs to other labels"),
        (["--spec", spec], "hides labels by other thresholds than the spec has"),
    ):
        assert _run("write", tmp_path / "out.tflite", *words, "--out", again, "--force") == 0
        said = capsys.readouterr().err
        assert f"score_calibration.txt is not kept: it {why}" in said
        assert "the file had ScoreCalibrationOptions, score_calibration.txt too, which the new one has not" in said
        assert "earproof metadata edit FILE --calibrate thresholds" in said
        assert list(read_associated_files(again.read_bytes())) == ["labels.txt", "model_spec.json"]


def test_describing_a_file_anew_tells_the_threshold_that_is_gone(own, edit, tmp_path, capsys):
    again = tmp_path / "again.tflite"
    edit(own, "--threshold", "0.3")
    assert _run("write", tmp_path / "out.tflite", "--out", again, "--force") == 0
    assert "the file had ScoreThresholdingOptions too" in capsys.readouterr().err


def test_display_names_of_other_labels_are_not_kept_and_that_is_told(own, edit, german, tmp_path, capsys):
    edit(own, "--locale", f"fr={german}")
    again = tmp_path / "again.tflite"
    assert _run("write", tmp_path / "out.tflite", "--labels", german, "--out", again) == 0
    assert "labels_fr.txt is not kept: it belongs to other labels" in capsys.readouterr().err
    assert list(read_associated_files(again.read_bytes())) == ["labels.txt", "model_spec.json"]


def test_a_threshold_that_became_that_of_all_labels_is_not_gone(foreign, edit, tmp_path, capsys):
    edit(foreign, "--threshold", "0.3")
    again = tmp_path / "again.tflite"
    assert _run("write", tmp_path / "out.tflite", "--activation", "sigmoid", "--out", again) == 0
    assert read_spec(again.read_bytes()).thresholds == pytest.approx((0.3,) * 3)
    assert "which the new one has not" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["spectrogram", "int8_io"])
def test_thresholds_for_loaders_that_refuse_the_file_are_told_to_be_in_vain(name, edit, tmp_path, capsys):
    path = tmp_path / "file.tflite"
    path.write_bytes(make_cases()[name].content)
    edit(path, "--calibrate", "thresholds")
    assert "but neither opens this file, so nothing comes of it" in capsys.readouterr().err
