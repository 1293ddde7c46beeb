"""The pages of what earproof bench and earproof evaluate found."""

from __future__ import annotations

import json
import math
import re

import pytest
from small_run import LABELS, MACHINE, small_report, timing, write_small_run

import earproof
from edge_runtime.bench.result import make_document
from edge_runtime.segments.segment import Segment
from train.event_scores.event_report import judge_systems
from train.event_scores.measured import EventMeasuring


def _page(document, tmp_path):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(document))
    assert earproof.main(["report", str(path)]) == 0
    return (tmp_path / "found.html").read_text(encoding="utf-8")


def _bench(**changes):
    state = dict.fromkeys(("governor", "clock_mhz", "max_clock_mhz", "temperature_celsius", "throttled"))
    state |= {"load_average": 0.1, "not_told": {}}
    spent = {"num_runs": 5, "warmup_runs": 1, "real_time_factor": 0.01, "machine": MACHINE, "model_bytes": 1000}
    nothing = {"cold_start": None, "operators": None, "sustained": None}
    entries = [
        {"file": f"runs/{name}.tflite", "num_threads": 1, "invoke": timing(middle), "end_to_end": timing(middle + 1)}
        for name, middle in (("slow", 5.0), ("fast", 2.0))
    ]
    return make_document(MACHINE, state, state, [{**entry, **spent, **nothing, **changes} for entry in entries])


def test_a_bench_names_the_fastest_file_and_says_what_was_not_measured(tmp_path, capsys):
    page = _page(_bench(), tmp_path)
    assert "Fastest: <code>fast.tflite</code>, 3.00 ms a window end to end." in page
    assert "<strong>Not here:</strong> cold start and memory" in page
    assert "the time of each operator" in capsys.readouterr().err
    assert "invoke</td>" in page


def test_the_operators_of_a_bench_are_listed_the_slowest_first(tmp_path):
    found = [
        {"name": name, "place": place, "mean_us": 10.0, "share": share}
        for place, (name, share) in enumerate([("ADD", 0.2), ("CONV_2D", 0.8)])
    ]
    page = _page(_bench(operators={"operators": found, "reason": ""}), tmp_path)
    assert page.index(">CONV_2D</th>") < page.index(">ADD</th>")
    assert "80.0%</td>" in page


def test_models_on_labels_stand_beside_each_other_with_their_paired_difference(tmp_path):
    window = small_report(tmp_path)["files"][0]["test"]["window"]
    worse = {**window, "accuracy": 0.5, "interval": [0.2, 0.8]}
    systems = [
        {"name": "a.tflite", "model": "a", "recipe": "int8", "evaluations": {"window": window}, "difference": None},
        {
            "name": "b.tflite",
            "model": "b",
            "recipe": "int8",
            "evaluations": {"window": worse},
            "difference": {"points": -12.5, "interval": [-30.0, 0.0], "over": "windows"},
        },
    ]
    page = _page({"data": "audio", "side": "test", "systems": systems}, tmp_path)
    assert "Most often right: <code>a.tflite</code>, accuracy 62.5% [30.0%, 90.0%]" in page
    assert "-12.5 [-30.0, +0.0]</td>" in page
    assert all(f">{label}</th>" in page for label in LABELS)


def test_systems_on_annotated_recordings_have_their_measures_in_one_table(tmp_path):
    truth = {name: [Segment(onset=0.0, offset=2.0, label="dog")] for name in "abcdef"}
    half = {**truth, **{name: [] for name in "abc"}}
    report = judge_systems(truth, {"all": truth, "half": half}, list("abcdef"), EventMeasuring(num_resamples=50))
    page = _page(report, tmp_path)
    assert re.search(r'class="headline">Highest segment f1 micro: <code>all</code>, 1\.000 \[1\.000, 1\.000\]\.', page)
    assert ">event f1</th><td>micro</td>" in page
    assert "1.000 [1.000, 1.000]</td>" in page
    assert "0.667" in page
    assert "-0.333" in page
    assert not math.isnan(report["systems"][0]["measures"][0]["value"])


def test_a_cross_validation_names_the_best_candidate(tmp_path):
    candidates = [
        {
            "name": name,
            "clip": {"share": share, "interval": [share - 0.1, share + 0.1], "number": 30},
            "folds": {"1": share},
            "difference": None,
            "seconds": 1.0,
        }
        for name, share in (("cnn", 0.5), ("transfer", 0.8))
    ]
    page = _page({"folds": ["1"], "how": "one fold", "num_groups": 30, "candidates": candidates}, tmp_path)
    assert "Best: <code>transfer</code>, clips right 80.0% [70.0%, 90.0%]." in page


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"format": "earproof bench", "format_version": 1}, "names no machine or no files"),
        ({"format": "earproof bench", "format_version": 9}, "version 9"),
        ({"systems": [{"evaluations": {}}]}, "was it cut or edited"),
        ({"other": 1}, "is no report of a build"),
        ([1], "is no report of a build"),
    ],
)
def test_a_document_of_another_kind_or_a_cut_one_is_refused(tmp_path, capsys, document, said):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(document))
    assert earproof.main(["report", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "found.html").exists()


@pytest.mark.parametrize("value", ["abc", None, []])
def test_a_number_that_is_none_is_told_with_its_file(tmp_path, capsys, value):
    document = _bench()
    document["files"][0]["end_to_end"]["p50_ms"] = value
    path = tmp_path / "found.json"
    path.write_text(json.dumps(document))
    assert earproof.main(["report", str(path)]) == 2
    assert f"{path} is not what earproof bench wrote" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value"), [("parity", "oops"), ("test", {"window": {"accuracy": "abc"}})])
def test_a_report_that_was_edited_is_told_with_its_file_or_its_section(tmp_path, capsys, name, value):
    run = write_small_run(tmp_path / "run")
    report = json.loads((run / "report.json").read_text())
    report["files"][0][name] = value
    (run / "report.json").write_text(json.dumps(report))
    code = earproof.main(["report", str(run)])
    assert code in (0, 2)
    told = capsys.readouterr().err
    assert f"{run / 'report.json'} is not what earproof build or convert wrote" in told or "was edited" in told


def test_a_damaged_history_is_not_called_absent(tmp_path):
    run = write_small_run(tmp_path / "run")
    (run / "net" / "history.csv").write_text("epoch,loss\n1,abc\n")
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "its history.csv cannot be read; the notes at the end say why" in page
    assert "history.csv of net cannot be read: could not convert string to float" in page


def test_results_are_no_runs_to_compare(tmp_path, capsys):
    path = tmp_path / "found.json"
    path.write_text(json.dumps(_bench()))
    assert earproof.main(["compare", str(path), str(path), "--out", str(tmp_path / "c.html")]) == 2
    assert "is no run; expected two folders" in capsys.readouterr().err
