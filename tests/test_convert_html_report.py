"""The page of a run: what stands on it, what it says is missing, and that it needs nothing else."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from small_run import LABELS, MACHINE, RATE, small_golden, small_report, write_small_run
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from convert.html_report.mistakes import mistake_blocks
from convert.html_report.render import TEMPLATES
from convert.html_report.run_record import read_run
from convert.report.verdict_text import steps_line
from metadata import pack_model


class Elements(HTMLParser):
    """All start tags of a page in their order, with the text that follows each."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data.strip()

    def of(self, *tags):
        return [one for one in self.found if one[0] in tags]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_small_run(tmp_path_factory.mktemp("run") / "small")


@pytest.fixture(scope="module")
def page(run):
    assert earproof.main(["report", str(run)]) == 0
    return (run / "report.html").read_text(encoding="utf-8")


def test_the_verdict_comes_first_and_the_numbers_are_those_of_the_report(page):
    assert page.index("<strong>Take <code>net-int8.tflite</code></strong>") < page.index("<table>")
    row = re.search(r'<tr><th scope="row">net-int8.tflite</th>(.*?)</tr>', page)[1]
    assert re.findall(r">([^<]+)</td>", row) == [
        *("yes", "300", "62.5% [30.0%, 90.0%]", "99.5%", "1.50 / 1.50", "2.50 / 2.50", "pass")
    ]
    assert "decision agreement 0.995 (≥ 0.98)" in page
    assert '<td class="good">takes it</td><td class="bad">refuses it</td>' in page
    assert [one[2] for one in Elements(page).of("h2")][:4] == [
        *("Verdict", "Files: accuracy, size and latency", "Model card", "Training curves")
    ]


def test_the_page_needs_no_other_file_and_no_host(page):
    addresses = [
        value
        for _, attrs, _ in Elements(page).found
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href", "data", "poster", "action")
    ]
    assert addresses
    assert [one for one in addresses if not one.startswith(("#", "data:"))] == []
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_the_same_run_gives_the_same_bytes(page, run, tmp_path):
    out = tmp_path / "again.html"
    assert earproof.main(["report", str(run), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == page


def test_ids_are_unique_and_what_points_to_one_finds_it(page):
    elements = Elements(page).found
    ids = [attrs["id"] for _, attrs, _ in elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {
        value[1:]
        for _, attrs, _ in elements
        for name, value in attrs.items()
        if name in ("href", "xlink:href") and value.startswith("#")
    } | set(re.findall(r"url\(#([^)]+)\)", page))
    assert targets - set(ids) == set()


def test_headings_tables_charts_and_pictures_can_be_read_by_a_screen_reader(page):
    elements = Elements(page)
    levels = [int(one[0][1]) for one in elements.of("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(elements.of("caption")) == len(elements.of("table")) > 5
    assert all(one[1].get("scope") in ("row", "col") for one in elements.of("th"))
    assert all(one[1]["alt"] for one in elements.of("img"))
    charts = [one for one in elements.of("div") if one[1].get("role") == "img"]
    assert len(charts) == len(elements.of("figure")) > 3
    assert len(elements.of("svg")) == len(charts) + 2  # the front and the history have two panels
    assert all(one[1]["aria-label"] for one in charts)
    for figure in re.findall(r"</figure>\s*(.{0,90})", page, re.S):
        assert "<table" in figure or "scroll" in figure or "<details" in figure  # its numbers


def test_text_of_a_chart_is_text_in_the_colours_of_the_page(page):
    charts = re.findall(r"<svg.*?</svg>", page, re.S)
    assert any(">net-int8.tflite</text>" in chart for chart in charts)
    assert [colour for chart in charts for colour in re.findall(r"#[0-9a-f]{6}", chart)] == []
    assert "font-family" not in "".join(charts)


def test_every_colour_has_enough_contrast_in_light_and_in_dark():
    light, dark = re.findall(r":root \{(.*?)\}", (TEMPLATES / "page.css").read_text(), re.S)
    for scheme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", scheme))
        for paper in ("paper", "panel"):
            assert min(_contrast(colours[name], colours[paper]) for name in ("ink", "soft", "link")) >= 4.5
        assert _contrast(colours["good"], colours["paper"]) >= 4.5
        assert _contrast(colours["bad"], colours["paper"]) >= 4.5
        assert min(_contrast(colours[f"s{place}"], colours["paper"]) for place in range(1, 9)) >= 3
        for name in ("good-paper", "bad-paper"):
            assert _contrast(colours["ink"], colours[name]) >= 4.5


def test_the_worst_mistake_comes_first_with_the_sound_that_was_heard(page):
    titles = [one[2] for one in Elements(page).of("p") if one[1].get("class") == "title"]
    assert titles == ["dog, taken for rain", "wind, taken for dog", "rain, taken for wind"]
    first = re.search(r"data:audio/wav;base64,([^\"]+)", page)[1]
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(first)), dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(samples, small_golden().windows[1])
    assert "<dd>dog/1.wav</dd>" in page
    assert "3 mistakes on the 8 test windows" in page


def test_mistakes_that_would_make_the_page_large_are_left_out_and_counted(run):
    text, played = mistake_blocks(read_run(run), most_bytes=2 * 2 * 4_000)
    assert [one.title for one in played.windows] == ["dog, taken for rain", "wind, taken for dog"]
    assert "1 more mistake left out, so that the page stays small." in text.lines


def test_a_model_without_a_mistake_says_so(tmp_path):
    run = write_small_run(tmp_path / "right", wrong={})
    (text,) = mistake_blocks(read_run(run))
    assert text.lines[0].startswith("No mistake on the 8 test windows")


def test_what_a_run_lacks_is_told_and_the_page_made_of_the_rest(tmp_path, capsys):
    run = write_small_run(tmp_path / "bare")
    shutil.rmtree(run / "net")
    shutil.rmtree(run / "golden")
    assert earproof.main(["report", str(run)]) == 0
    told, page = capsys.readouterr().err, (run / "report.html").read_text(encoding="utf-8")
    for what in ("the training curves of net", "the worst mistakes of net", "seeds, settings and versions"):
        assert f"<strong>Not here:</strong> {what}" in page
        assert what in told
    assert "things are not on this page" in page
    assert "62.5% [30.0%, 90.0%]" in page


def test_of_a_conversion_the_model_files_say_what_its_training_would(tmp_path):
    run = write_small_run(tmp_path / "converted")
    shutil.rmtree(run / "net")
    (run / "net-float32.tflite").write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    record = read_run(run)
    assert record.trainings["net"].spec["labels"] == list(tiny_spec().labels)
    assert record.trainings["net"].history == ()
    assert record.faults == ()


def test_the_drift_of_the_layers_is_drawn_and_the_worst_are_listed(tmp_path):
    run = write_small_run(tmp_path / "drifting")
    names = ("position", "layer", "operation", "dtype", "snr_db", "lost_db", "cosine_similarity", "max_abs_error")
    rows = [(2, "dense", "FULLY_CONNECTED", "int8", 12.5, 3.0, 0.99, 0.1), (1, "conv", "CONV_2D", "int8", 30, 1, 1, 0)]
    rows += [(0, "input", "INPUT", "float32", None, 0.0, 1.0, 0.0)]
    (run / "drift").mkdir()
    layers = [dict(zip(names, row, strict=True)) for row in rows]
    (run / "drift" / "net-int8.json").write_text(json.dumps({"num_windows": 3, "layers": layers}))
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "on 3 windows; 1 of 3 are equal" in page
    assert page.index(">dense</th>") < page.index(">conv</th>")
    assert "poor below 20 dB</text>" in page


def test_other_machines_stand_in_a_table(tmp_path):
    found = {
        "file": "net-int8.tflite",
        "measures": {"max_abs_error": 0.002, "decision_agreement": 1.0},
        "num_windows": 8,
        "passed": True,
    }
    arm = {**MACHINE, "cpu": "Cortex-A72", "architecture": "aarch64"}
    one = {"machine": arm, "reference": MACHINE, "files": [found]}
    run = write_small_run(tmp_path / "arm", other_machines={"same_runtime": [one], "desk": []})
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert ">Cortex-A72, aarch64, a runtime 1.0</td>" in page
    assert "ARM64 against x86" not in page


def test_emulated_machines_are_told_apart_by_their_boards_and_none_is_compared_with_itself(tmp_path):
    found = {
        "file": "net-int8.tflite",
        "measures": {"max_abs_error": 0.002, "decision_agreement": 1.0},
        "num_windows": 8,
        "passed": True,
    }
    emulated = {**MACHINE, "cpu": "unknown", "architecture": "aarch64"}  # as QEMU gives it
    boards = [{**emulated, "board": f"QEMU cortex-{core} (a board)"} for core in ("a53", "a76")]
    same = [{"machine": one, "reference": MACHINE, "files": [found]} for one in boards]
    desk = [*same, {"machine": MACHINE, "reference": MACHINE, "files": [found]}]
    run = write_small_run(tmp_path / "arm", other_machines={"same_runtime": same, "desk": desk})
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    section = page[page.index('id="machines"') : page.index('id="latency"')]
    assert "unknown" not in section
    assert section.count("QEMU cortex-a53 (a board), aarch64") == section.count("QEMU cortex-a76 (a board)") == 2
    assert section.count('<tr><th scope="row">') == 4
    assert "against the runtime that the build was proven with" in section
    assert "its speed was not measured" in section


def test_a_report_of_an_older_version_makes_a_page_that_says_what_it_did_not_know(tmp_path):
    report = small_report(tmp_path / "old")
    for file in report["files"]:
        del file["loaders"], file["latency"]["end_to_end"]["samples_ms"]
    run = write_small_run(tmp_path / "old", verdict=None, data=None, files=report["files"])
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "No verdict" in page
    assert "which loaders take the files" in page
    assert "the latency of each run" in page


def test_a_file_that_is_damaged_is_named_on_the_page(tmp_path):
    run = write_small_run(tmp_path / "damaged")
    (run / "golden" / "net.npz").write_bytes(b"no archive")
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "net.npz of net cannot be read" in page


def test_a_file_that_failed_its_parity_is_no_good_news(tmp_path):
    report = small_report(tmp_path / "failed")
    report["files"][1]["passed"] = report["files"][1]["parity"][0]["passed"] = False
    report["files"][1]["parity"][0]["measures"]["decision_agreement"] = 0.5
    run = write_small_run(tmp_path / "failed", files=report["files"], passed=False)
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert '<div class="verdict bad">' in page
    assert "<strong>FAIL</strong> level 3: net-int8.tflite against its reference: decision_agreement 0.5" in page
    assert "1 comparison of 2 <strong>failed</strong>" in page


def test_a_label_is_never_markup(tmp_path):
    evil = "<script>alert(1)</script> $x$"
    text = json.dumps(small_report(tmp_path / "evil")).replace(LABELS[0], evil)
    run = write_small_run(tmp_path / "evil", **json.loads(text))
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $x$" in page


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "does not exist; expected the folder of a run"),
        ({}, "holds no report.json; expected a folder that earproof build or earproof convert filled"),
        ({"report.json": "{"}, "is no JSON document"),
        ({"report.json": '{"files": []}'}, "is no report of a build: choices, machine not in it"),
        ({"report.json": "[]"}, "is no report of a build"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, capsys, made, said):
    folder = tmp_path / "folder"
    if made is not None:
        folder.mkdir()
        for name, text in made.items():
            (folder / name).write_text(text)
    assert earproof.main(["report", str(folder)]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "report.html").exists()


def test_a_section_whose_numbers_are_not_in_the_report_is_told_and_the_others_are_there(tmp_path):
    report = small_report(tmp_path / "edited")
    for file in report["files"]:
        del file["latency"]["invoke"]["p99_ms"]
    run = write_small_run(tmp_path / "edited", files=report["files"])
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<strong>Not here:</strong> Latency: the report is of another version, or was edited (KeyError(" in page
    assert "62.5% [30.0%, 90.0%]" in page


def test_several_runs_stand_side_by_side_where_a_file_is_named(tmp_path, capsys, run):
    other = write_small_run(tmp_path / "other")
    assert earproof.main(["report", str(run), str(other)]) == 2
    assert "expected --out FILE.html" in capsys.readouterr().err
    out = tmp_path / "both.html"
    assert earproof.main(["report", str(run), str(other), "--out", str(out)]) == 0
    elements = Elements(out.read_text(encoding="utf-8"))
    assert {one[2] for one in elements.of("h3")} == {"small", "other"}
    assert earproof.main(["report", str(run), str(other), "--out", str(out)]) == 2
    assert "--force to overwrite" in capsys.readouterr().err


def test_two_runs_are_paired_on_the_same_test_side_and_what_differs_is_named(tmp_path, capsys, run):
    better = write_small_run(tmp_path / "better", wrong={7: (0, 0.7)}, seed=1)
    out = tmp_path / "compare.html"
    assert earproof.main(["compare", str(run), str(better), "--out", str(out)]) == 0
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["net", "8", "8", "62.5%", "87.5%", "+25.0", "[+0.0,", "+62.5]", "cannot", "be", "told", "apart"] in told
    assert ["net:", "seed", "0", "1"] in told
    page = out.read_text(encoding="utf-8")
    elements = Elements(page)
    assert page.index("<strong>small and better cannot be told apart</strong>: 62.5% and 87.5% of 8 test") < page.index(
        "Take <code>net-int8.tflite</code>"
    )
    assert "better is newly right on 2 windows and newly wrong on 0 windows." in page
    titles = [one[2] for one in elements.of("h2")]
    assert titles[:5] == [
        *("Verdict", "Which is more often right", "Recordings added or left out"),
        *("What differs", "Files of the same name"),
    ]
    assert titles.count("Confusion") == 1
    ids = [attrs["id"] for _, attrs, _ in elements.found if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_the_recordings_that_one_run_has_more_are_named_by_group_and_what_they_changed_by_label(tmp_path, capsys):
    before = write_small_run(tmp_path / "before")
    after = write_small_run(tmp_path / "after", wrong={7: (0, 0.7)})
    shared = ["../../bark.wav,dog,kennel,test", "../../drops.wav,rain,roof,train"]
    more = ["../../take1.wav,dog,session a,train", "../../take2.wav,rain,session a,train"]
    for run, rows in ((before, shared), (after, [*shared, *more])):
        (run / "net" / "split.csv").write_text("\n".join(["path,labels,group,split", *rows, ""]))
    out = tmp_path / "compare.html"
    assert earproof.main(["compare", str(before), str(after), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "Added: 2 clips of 1 group (2 train) that before has not.\nLeft out: no clip that after has not." in told
    assert "The test side is the same: 1 clip." in told
    assert ["session", "a", "train", "2", "dog", "1,", "rain", "1"] in [line.split() for line in told.splitlines()]
    rows = re.findall(r'<tr><th scope="row">net</th>(.*?)</tr>', out.read_text(encoding="utf-8"))
    cells = [re.findall(r">([^<]+)</td>", row) for row in rows]
    assert ["dog", "3", "66.7%", "100.0%", "1", "0"] in cells


def test_a_test_side_that_is_not_the_same_is_told(tmp_path, capsys):
    runs = [write_small_run(tmp_path / name) for name in ("before", "after")]
    for run, side in zip(runs, ("test", "train"), strict=True):
        rows = ["../../bark.wav,dog,kennel,test", f"../../drops.wav,rain,roof,{side}"]
        (run / "net" / "split.csv").write_text("\n".join(["path,labels,group,split", *rows, ""]))
    assert earproof.main(["compare", *map(str, runs), "--out", str(tmp_path / "compare.html")]) == 0
    told = capsys.readouterr().out
    assert "The test sides differ: 1 clip only in before, 0 clips only in after." in told
    assert "Changed: 1 clip with another side, the first test → train." in told


def test_runs_without_a_recording_in_common_say_so(tmp_path, capsys, run):
    other = write_small_run(tmp_path / "other")
    assert earproof.main(["compare", str(run), str(other), "--out", str(tmp_path / "compare.html")]) == 0
    assert "no recording in common, by its path; were recordings or a run moved?" in capsys.readouterr().err


def test_a_run_against_itself_differs_in_nothing(tmp_path, capsys, run):
    again = tmp_path / "again"
    shutil.copytree(run, again)
    out = tmp_path / "compare.html"
    assert earproof.main(["compare", str(run), str(again), "--out", str(out)]) == 0
    assert "+0.0    right on the same windows" in capsys.readouterr().out
    assert "<li>Nothing of " in out.read_text(encoding="utf-8")


def test_runs_of_other_test_sides_are_not_paired_and_it_is_said(tmp_path, capsys, run):
    other = write_small_run(tmp_path / "other")
    golden = dict(np.load(other / "golden" / "net.npz"))
    golden["windows"] = golden["windows"][::-1]
    np.savez(other / "golden" / "net.npz", **golden)
    out = tmp_path / "compare.html"
    assert earproof.main(["compare", str(run), str(other), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "a paired difference of net: the test sides are not the same" in told.err
    assert "cannot be told apart" not in told.out
    assert "Which is more often right cannot be said of net: the test sides are not the same" in told.out


def test_what_to_do_is_a_list_of_steps_whose_options_are_kept_whole(tmp_path):
    run = write_small_run(tmp_path / "steps")
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    steps = ["Record more.", "Build again (`earproof build DATA --test-share 30 --out runs/next`)."]
    text = [*report["verdict"]["text"], steps_line(steps)]
    (run / "report.json").write_text(
        json.dumps({**report, "verdict": {**report["verdict"], "steps": steps, "text": text}})
    )
    assert earproof.main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count("What to do:") == 1
    assert "<li>Record more.</li>" in page
    assert 'build DATA <span class="option">--test-share</span> 30 <span class="option">--out</span> runs/next' in page


def _contrast(one, other):
    """WCAG 2's contrast of two colours."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
