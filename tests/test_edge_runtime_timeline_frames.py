"""`earproof timeline` with a model that scores frames: events at times known by hand, in every form, resumable."""

import csv
import json

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

import earproof
from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_stream import recording_scores
from edge_runtime.timeline.frame_rows import FrameSegments, frame_rows
from metadata import FrameScores, pack_model

soundfile = pytest.importorskip("soundfile")
RATE, LABELS = 16_000, ("high", "low")
FRAMES = FrameScores(125, 256, (0.5, 0.4))


class _Samples:
    """A recording in memory, in blocks of an odd length."""

    def __init__(self, samples, sample_rate=RATE):
        self.samples, self.sample_rate, self.num_samples = samples.astype(np.float32), sample_rate, samples.size

    def blocks(self):
        for start in range(0, self.num_samples, 7_001):
            yield self.samples[start : start + 7_001]


class _Levels:
    """Scores of a frame: its mean for `high`, and what is missing to 1 for `low`."""

    def __init__(self, frames=FRAMES):
        self.spec = tiny_spec(labels=LABELS, activation="sigmoid", frames=frames)

    def frame_scores(self, window):
        means = window.reshape(125, 256).mean(axis=1)
        return np.column_stack([means, 1.0 - means]).astype(np.float32)


def _steps(*parts):
    """Samples that hold each level for so many frames of 16 ms."""
    return np.concatenate([np.full(count * 256, level) for level, count in parts])


def _rows(samples, first=0, classifier=None, **rules):
    return list(frame_rows(classifier or _Levels(), _Samples(samples), Detecting(**rules), first))


def _events(rows, **rules):
    joined = FrameSegments(LABELS, 0.016, Detecting(**rules))
    for row in rows:
        joined.take(row)
    return [(round(one.onset, 3), round(one.offset, 3), one.label) for one in joined.segments()]


# 300 frames are 4.8 s.
SAMPLES = _steps((0.0, 100), (0.55, 60), (0.9, 60), (0.0, 80))


def test_events_of_labels_overlap_and_begin_and_end_with_their_frames():
    assert _events(_rows(SAMPLES)) == [(0.0, 2.56, "low"), (1.6, 3.52, "high"), (3.52, 4.8, "low")]


def test_a_row_has_the_highest_score_of_its_second_and_the_labels_that_reach_their_thresholds():
    rows = _rows(SAMPLES)
    assert [row["scores"]["high"] for row in rows] == pytest.approx([0.0, 0.55, 0.9, 0.9, 0.0])
    assert [row["decision"] for row in rows] == [["low"], ["high", "low"], ["high", "low"], ["high", "low"], ["low"]]
    assert [(row["start_seconds"], row["end_seconds"]) for row in rows[-2:]] == [(3.0, 4.0), (4.0, 4.8)]
    assert rows[0]["level_dbfs"] is None
    assert not any(row["silent"] for row in rows)


def test_gaps_medians_and_short_events_are_treated_as_asked_for_across_seconds():
    samples = _steps((0.0, 60), (0.9, 1), (0.0, 60), (0.9, 40), (0.0, 2), (0.9, 40), (0.0, 10))
    rows = _rows(samples)
    high = [(one[0], one[1]) for one in _events(rows) if one[2] == "high"]
    assert high == [(0.96, 0.976), (1.936, 2.576), (2.608, 3.248)]
    assert [one[:2] for one in _events(rows, gap_seconds=0.032, min_seconds=0.1) if one[2] == "high"] == [
        (1.936, 3.248)
    ]
    smoothed = _events(_rows(samples, median_frames=5))
    assert [one[:2] for one in smoothed if one[2] == "high"] == [(1.936, 3.248)]


@pytest.mark.parametrize("median", [1, 7])
def test_events_of_rows_are_those_of_the_whole_grid(median):
    samples = np.random.default_rng(0).uniform(0.0, 1.0, 10 * RATE + 77)
    samples = np.repeat(samples[::256], 256)[: samples.size]
    rules = Detecting(median_frames=median, gap_seconds=0.02, min_seconds=0.03)
    whole = rules.segments(_Levels().spec, recording_scores(_Levels(), [samples]), samples.size / RATE)
    joined = FrameSegments(LABELS, 0.016, rules)
    for row in _rows(samples, median_frames=median):
        joined.take(row)
    assert len(whole) > 20
    assert tuple(joined.segments()) == whole


@pytest.mark.parametrize("first", [1, 3, 4])
@pytest.mark.parametrize("median", [1, 9])
def test_rows_from_a_later_second_on_are_those_of_the_whole(first, median):
    assert _rows(SAMPLES, first, median_frames=median) == _rows(SAMPLES, median_frames=median)[first:]


def test_frames_longer_than_a_second_give_each_second_its_row():
    class Slow(_Levels):
        def frame_scores(self, window):
            means = window.reshape(4, 24_000).mean(axis=1)
            return np.column_stack([means, 1.0 - means]).astype(np.float32)

    slow = Slow()
    slow.spec = tiny_spec(labels=LABELS, activation="sigmoid", window_length=96_000, frames=FrameScores(4, 24_000))
    rows = _rows(np.concatenate([np.zeros(48_000), np.full(48_000, 0.9)]), classifier=slow)
    assert [row["decision"] for row in rows] == [["low"]] * 3 + [["high"]] * 3


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    spec = tiny_spec(name="detector", activation="sigmoid", frames=FrameScores(125, 256, (0.5, 0.5, 0.5)))
    path = tmp_path_factory.mktemp("model") / "detector.tflite"
    path.write_bytes(pack_model(tiny_detector(), spec))
    return path


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.random.default_rng(0).normal(0.0, 0.2, 5 * RATE) * np.repeat([0, 1, 2, 0.2, 1], RATE)
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def test_segments_are_written_in_every_form(model, wav, tmp_path):
    from edge_runtime.segments.read_segments import read_segments

    names = ["a.csv", "a.tsv", "a.rttm", "a.json", "a.txt", "raven.txt"]
    paths = [tmp_path / name for name in names]
    given = [f"raven={path}" if path.name == "raven.txt" else str(path) for path in paths]
    options = [word for text in given for word in ("--segments", text)]
    assert earproof.main(["timeline", str(model), str(wav), *options]) == 0
    found = [[(round(one.onset, 3), one.label) for one in next(iter(read_segments(path).values()))] for path in paths]
    assert found[0]
    assert all(sorted(one) == sorted(found[0]) for one in found)


def test_the_table_has_a_row_a_second_and_the_document_no_silence(model, wav, tmp_path):
    table, document = tmp_path / "a.csv", tmp_path / "a.json"
    for out in (table, document):
        assert earproof.main(["timeline", str(model), str(wav), "--out", str(out)]) == 0
    rows = list(csv.DictReader(table.open()))
    assert [row["second"] for row in rows] == ["0", "1", "2", "3", "4"]
    told = json.loads(document.read_text())
    assert set(told["totals"]) == {"silence", "song", "speech"}  # the labels of the model
    assert told["model"]["timeline"]["frame_seconds"] == 0.016
    (recording,) = told["recordings"]
    assert set(recording["seconds"][0]) == {
        "start_seconds",
        "end_seconds",
        "level_dbfs",
        "silent",
        "scores",
        "decision",
    }
    assert recording["segments"]


def test_a_stopped_run_goes_on_where_it_was(model, wav, tmp_path):
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    options = ["--median-frames", "5", "--gap", "0.1"]
    assert earproof.main(["timeline", str(model), str(wav), *options, "--out", str(whole)]) == 0
    lines = whole.read_bytes().splitlines(keepends=True)
    (tmp_path / "stopped.jsonl.part").write_bytes(b"".join(lines[:4]) + lines[4][:9])
    assert earproof.main(["timeline", str(model), str(wav), *options, "--out", str(stopped), "--resume"]) == 0
    assert stopped.read_bytes() == whole.read_bytes()


def test_a_second_is_shown_with_the_labels_that_sound_in_it_alone(wav, tmp_path, capsys):
    frames = FrameScores(125, 256, (0.0, 1.0, 1.0))
    path = tmp_path / "one.tflite"
    path.write_bytes(pack_model(tiny_detector(), tiny_spec(activation="sigmoid", frames=frames)))
    assert earproof.main(["timeline", str(path), str(wav)]) == 0
    second = capsys.readouterr().out.splitlines()[1]
    assert second.startswith("    0.00 -     1.00 s  silence 0.")
    assert "song" not in second


def test_a_lane_a_label_is_drawn(model, wav, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "a.svg"
    assert earproof.main(["timeline", str(model), str(wav), "--picture", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--silence-below", "-50"], "expected no --silence-below"),
        (["--threshold", "0.7"], "expected no --threshold"),
        (["--plain-borders"], "expected no --plain-borders"),
        (["--median-frames", "2"], "expected an odd number"),
        (["--hop", "3"], "expected one of up to 2 s, the window"),
    ],
)
def test_options_that_make_no_sense_with_frames_are_refused(model, wav, options, said, capsys):
    assert earproof.main(["timeline", str(model), str(wav), *options]) == 2
    assert said in capsys.readouterr().err


def test_what_was_rounded_and_assumed_is_told(wav, tmp_path, capsys):
    spec = tiny_spec(name="detector", activation="sigmoid", frames=FrameScores(125, 256))
    path = tmp_path / "detector.tflite"
    path.write_bytes(pack_model(tiny_detector(), spec))
    assert earproof.main(["timeline", str(path), str(wav)]) == 0
    said = capsys.readouterr().err
    assert "windows begin every 0.992 s in place of 1 s" in said
    assert "detector has no thresholds of frames; those of its windows are taken: silence 0.5" in said


def test_rules_for_frames_are_refused_for_a_model_without(wav, tmp_path, capsys):
    path = tmp_path / "plain.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    assert earproof.main(["timeline", str(path), str(wav), "--gap", "1"]) == 2
    assert "plain.tflite has no scores of frames; expected no --hop" in capsys.readouterr().err
