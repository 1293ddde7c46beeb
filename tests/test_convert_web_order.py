"""Which file of a build the page opens first."""

import json

import pytest

from convert.web.build_order import ordered_files

NAMES = ("a-float32.tflite", "a-int8.tflite", "b-int8.tflite")


@pytest.fixture
def run(tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def _names(paths):
    return [path.name for path in ordered_files(paths)]


def test_the_file_of_the_verdict_comes_first_and_the_others_by_name(run):
    (run / "report.json").write_text(json.dumps({"verdict": {"file": "a-int8.tflite"}}))
    assert _names([run]) == ["a-int8.tflite", "a-float32.tflite", "b-int8.tflite"]


def test_files_that_are_named_keep_their_order(run):
    (run / "report.json").write_text(json.dumps({"verdict": {"file": "a-int8.tflite"}}))
    assert _names([run / NAMES[2], run / NAMES[1]]) == ["b-int8.tflite", "a-int8.tflite"]


@pytest.mark.parametrize("report", [None, {}, {"verdict": {"file": None}}, {"verdict": {"file": "gone.tflite"}}])
def test_without_a_verdict_the_names_order_the_files(run, report):
    if report is not None:
        (run / "report.json").write_text(json.dumps(report))
    assert _names([run]) == list(NAMES)


@pytest.mark.parametrize("content", ["{", "[]", '{"verdict": 3}'])
def test_a_report_that_is_none_is_told(run, content, capsys):
    (run / "report.json").write_text(content)
    assert _names([run]) == list(NAMES)
    assert "report.json is no report of a build" in capsys.readouterr().err
