"""`earproof evaluate`: predictions and models on recordings held out."""

import json

import numpy as np
import pytest
import soundfile
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from metadata import pack_model


@pytest.fixture
def scenes(tmp_path):
    """Three annotated recordings and predictions that are right in two of them."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for name in "abc":
        soundfile.write(folder / f"{name}.wav", np.random.default_rng(0).normal(0, 0.1, 16_000 * 6), 16_000)
    rows = [f"{name}.wav,1.0,3.0,dog\n" for name in "abc"]
    (folder / "annotations.csv").write_text("filename,onset,offset,event_label\n" + "".join(rows))
    (tmp_path / "right.csv").write_text("filename,onset,offset,event_label\n" + "".join(rows))
    (tmp_path / "some.csv").write_text("filename,onset,offset,event_label\n" + "".join(rows[:2]))
    return tmp_path


def test_predictions_are_judged_side_by_side_with_paired_differences(scenes, capsys):
    files = [str(scenes / name) for name in ("right.csv", "some.csv")]
    assert earproof.main(["evaluate", *files, str(scenes / "scenes"), "--json"]) == 0
    right, some = json.loads(capsys.readouterr().out)["systems"]
    micro = [
        next(row for row in one["measures"] if (row["measure"], row["label"]) == ("event_recall", "micro"))
        for one in (right, some)
    ]
    assert [row["value"] for row in micro] == [1.0, pytest.approx(2 / 3)]
    assert micro[1]["difference"] == pytest.approx(-1 / 3)


def _event_precision(capsys, *arguments):
    assert earproof.main(["evaluate", *map(str, arguments), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["systems"]
    rows = [one for one in found["measures"] if (one["measure"], one["label"]) == ("event_precision", "micro")]
    return rows[0]["value"]


def test_what_is_found_in_a_recording_without_an_event_is_a_false_alarm(scenes, capsys):
    soundfile.write(scenes / "scenes" / "d.wav", np.random.default_rng(1).normal(0, 0.1, 16_000 * 6), 16_000)
    (scenes / "alarm.csv").write_text((scenes / "right.csv").read_text() + "d.wav,1.0,3.0,dog\n")
    assert _event_precision(capsys, scenes / "alarm.csv", scenes / "scenes") == pytest.approx(3 / 4)


def test_annotations_in_milliseconds_are_read_where_the_unit_is_given(scenes, capsys):
    rows = [f"{name}.wav,1000,3000,dog\n" for name in "abc"]
    (scenes / "scenes" / "annotations.csv").write_text("filename,onset,offset,event_label\n" + "".join(rows))
    assert earproof.main(["evaluate", str(scenes / "right.csv"), str(scenes / "scenes")]) == 2
    assert (
        "divide them by 1000. data list, data check, data compose and evaluate read them as they are with "
        "--unit milliseconds" in capsys.readouterr().err
    )
    assert _event_precision(capsys, scenes / "right.csv", scenes / "scenes", "--unit", "milliseconds") == 1.0


def test_models_and_predictions_are_not_mixed(scenes, capsys):
    model = scenes / "tiny.tflite"
    model.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    assert earproof.main(["evaluate", str(model), str(scenes / "right.csv"), str(scenes / "scenes")]) == 2
    assert "models and predictions are judged apart" in capsys.readouterr().err


def test_a_file_is_judged_on_all_recordings_of_a_folder(make_folder, tmp_path, capsys):
    labels = ("high", "low")
    model = tmp_path / "tiny.tflite"
    model.write_bytes(pack_model(tiny_classifier(num_labels=2), tiny_spec(labels=labels)))
    arguments = ["evaluate", str(model), str(make_folder()), "--side", "all", "--cache", str(tmp_path / "cache")]
    assert earproof.main([*arguments, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["systems"]
    assert found["evaluations"]["clip_mean_score"]["num_decisions"] == 8


def test_annotations_judged_as_predictions_of_themselves_are_right_even_where_events_of_a_label_overlap(scenes, capsys):
    folder = scenes / "scenes"
    table = folder / "annotations.csv"
    label = table.read_text().splitlines()[1].rsplit(",", 1)[1]
    name = table.read_text().splitlines()[1].split(",", 1)[0]
    table.write_text(table.read_text() + f"{name},0.2,0.9,{label}\n{name},0.4,1.0,{label}\n")
    assert earproof.main(["evaluate", str(table), str(folder), "--side", "all", "--json"]) == 0
    printed = capsys.readouterr()
    (system,) = json.loads(printed.out)["systems"]
    found = {(row["measure"], row["label"]): row["value"] for row in system["measures"]}
    assert found["event_f1", "micro"] == found["segment_f1", "micro"] == 1.0
    assert "joined with another one of the same label" in printed.err


def test_data_that_do_not_come_last_are_refused_with_the_order(scenes, capsys):
    data, model, table = scenes / "scenes", scenes / "one.tflite", scenes / "right.csv"
    model.touch()
    assert earproof.main(["evaluate", str(data), str(model)]) == 2
    said = capsys.readouterr().err
    assert f"{model} is no data but a model; the data come last: earproof evaluate SYSTEM ... DATA" in said
    assert earproof.main(["evaluate", str(data), str(table)]) == 2
    said = capsys.readouterr().err
    assert f"{data} is a folder without a training or a .tflite file; the data come last" in said


def test_headings_are_the_last_parts_of_paths_that_tell_files_apart(scenes, capsys):
    (scenes / "other").mkdir()
    (scenes / "other" / "right.csv").write_text((scenes / "some.csv").read_text())
    files = [str(scenes / name) for name in ("right.csv", "other/right.csv", "some.csv")]
    assert earproof.main(["evaluate", *files, str(scenes / "scenes")]) == 0
    heading = capsys.readouterr().out.splitlines()[2].split()
    assert heading == [f"{scenes.name}/right.csv", "other/right.csv", "some.csv"]


def test_annotations_that_are_not_read_are_told_where_predictions_are_judged(scenes, capsys):
    (scenes / "scenes" / "a.txt").write_text("0.5\t1.0\tcat\n")
    assert earproof.main(["evaluate", str(scenes / "right.csv"), str(scenes / "scenes")]) == 0
    assert "left out, 1: a.txt (annotations of single recordings" in capsys.readouterr().err
