"""Time stamps: seconds, their levels and labels, and borders at times known by hand."""

import csv
import json

import numpy as np
import pytest

import earproof
from edge_runtime.timeline.row_segments import RowSegments
from edge_runtime.timeline.second_rows import Stamping, second_rows
from metadata.spec import ModelSpec, WaveformFrontEnd

RATE = 16_000


class _Samples:
    """A recording in memory, in blocks of an odd length."""

    def __init__(self, samples, sample_rate=RATE):
        self.samples, self.sample_rate, self.num_samples = samples.astype(np.float32), sample_rate, samples.size

    def blocks(self):
        for start in range(0, self.num_samples, 7_001):
            yield self.samples[start : start + 7_001]

    def remarks(self):
        return []


class _ToneOrNoise:
    """Says how much of a window's samples cross zero as often as noise does: what its share of noise is."""

    def __init__(self, window_length=RATE, activation="softmax"):
        self.spec = ModelSpec(
            name="tone_or_noise",
            version="1",
            description="",
            sample_rate=RATE,
            window_length=window_length,
            labels=("noise", "tone"),
            activation=activation,
            thresholds=(0.5, 0.5),
            front_end=WaveformFrontEnd(),
        )

    def scores(self, window):
        share = min(1.0, 2.0 * float((np.diff(np.signbit(window)) != 0).mean()))
        return np.array([share, 1.0 - share], np.float32)

    def decide(self, scores):
        if self.spec.activation == "softmax":
            return self.spec.labels[int(scores.argmax())]
        return tuple(label for label, score in zip(self.spec.labels, scores, strict=True) if score >= 0.5)


def _tone(seconds):
    return 0.3 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE)) / RATE)


def _noise(seconds):
    return np.random.default_rng(0).normal(0.0, 0.2, round(seconds * RATE))


def _rows(samples, classifier=None, first=0, rate=RATE, **stamping):
    return list(second_rows(classifier or _ToneOrNoise(), _Samples(samples, rate), Stamping(**stamping), first))


def _segments(rows):
    joined = RowSegments(("noise", "tone", "silence"))
    for row in rows:
        joined.take(row)
    return joined


@pytest.mark.parametrize("border", [2.0, 2.37, 2.8, 3.21])
@pytest.mark.parametrize("parts", [(_tone, _noise), (_noise, _tone)])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_border_is_found_to_50_ms_wherever_in_its_second_it_lies(border, parts, activation):
    samples = np.concatenate([parts[0](border), parts[1](6.0 - border)])
    found = _segments(_rows(samples, _ToneOrNoise(activation=activation))).segments()
    assert [one.label for one in found] == [part.__name__[1:] for part in parts]
    assert found[0].offset == found[1].onset == pytest.approx(border, abs=0.05)
    assert (found[0].onset, found[1].offset) == (0.0, 6.0)


def test_plain_borders_lie_between_seconds():
    found = _segments(_rows(np.concatenate([_tone(2.37), _noise(3.63)]), refined=False)).segments()
    assert [(one.onset, one.offset, one.label) for one in found] == [(0.0, 2.0, "tone"), (2.0, 6.0, "noise")]


def test_silence_begins_and_ends_where_the_level_says():
    samples = np.concatenate([_tone(1.25), np.zeros(round(3.5 * RATE)), _noise(1.25)])
    joined = _segments(_rows(samples))
    assert [(one.label, round(one.onset, 2), round(one.offset, 2)) for one in joined.segments()] == [
        ("tone", 0.0, 1.25),
        ("silence", 1.25, 4.75),
        ("noise", 4.75, 6.0),
    ]
    assert joined.totals() == pytest.approx({"tone": 1.25, "silence": 3.5, "noise": 1.25}, abs=0.02)


def test_a_second_at_60_dbfs_below_full_scale_is_silent_and_one_above_is_not():
    square = np.tile([1.0, -1.0], RATE // 2)
    rows = _rows(np.concatenate([0.001 * square, 0.00102 * square]))
    assert [row["silent"] for row in rows] == [True, False]
    assert rows[0]["level_dbfs"] == pytest.approx(-60.0, abs=1e-4)
    assert [row["decision"] for row in rows] == [["silence"], ["noise"]]
    assert [row["silent"] for row in _rows(0.001 * square, silence_dbfs=-61.0)] == [False]


def test_the_level_is_that_of_the_files_own_samples():
    # At 44.1 kHz a tone of 18 kHz is loud; nothing of it is left at the model's rate.
    tone = 0.5 * np.sin(2 * np.pi * 18_000 * np.arange(2 * 44_100) / 44_100)
    rows = _rows(tone, rate=44_100)
    assert [row["level_dbfs"] for row in rows] == pytest.approx([-9.03, -9.03], abs=0.01)


def test_a_threshold_is_compared_with_the_score_before_any_rounding():
    class Sure(_ToneOrNoise):
        def scores(self, window):
            return np.array([0.69, 0.31], np.float32)

    assert _rows(_noise(1.0), Sure(), threshold=0.7)[0]["decision"] == []  # as published it was rounded to 1 first
    assert _rows(_noise(1.0), Sure(), threshold=0.69)[0]["decision"] == ["noise"]
    assert _rows(_noise(1.0), Sure())[0]["decision"] == ["noise"]


@pytest.mark.parametrize("first", [1, 3, 5])
def test_rows_from_a_later_second_on_are_those_of_the_whole(first):
    samples = np.concatenate([_tone(2.6), np.zeros(RATE), _noise(2.9)])
    assert _rows(samples, first=first) == _rows(samples)[first:]


@pytest.mark.parametrize("length", [1_600, 15_600, 32_000])
def test_windows_shorter_or_longer_than_a_second_stamp_seconds_too(length):
    rows = _rows(np.concatenate([_tone(3.0), _noise(2.4)]), _ToneOrNoise(length))
    assert [row["decision"] for row in rows] == [["tone"]] * 3 + [["noise"]] * 3
    assert rows[-1]["end_seconds"] == pytest.approx(5.4)


def test_the_scores_of_a_second_are_the_mean_of_three_windows_a_quarter_of_a_second_apart():
    rows = _rows(np.concatenate([_tone(2.0), _noise(1.0), _tone(2.0)]))
    # Of noise half the samples cross zero, of the tone 400 in 16,000; a shifted window has a quarter of its neighbour.
    alone, quarter, most = 0.05, 2 * (0.25 * 0.5 + 0.75 * 0.025), 2 * (0.75 * 0.5 + 0.25 * 0.025)
    expected = [alone, (2 * alone + quarter) / 3, (1.0 + 2 * most) / 3, (2 * alone + quarter) / 3, alone]
    assert [row["scores"]["noise"] for row in rows] == pytest.approx(expected, abs=0.01)


def test_a_recording_shorter_than_a_window_has_one_row():
    (row,) = _rows(_noise(0.4))
    assert (row["start_seconds"], row["end_seconds"]) == (0.0, 0.4)


def test_two_borders_that_cross_leave_no_overlap():
    joined = RowSegments(("a", "b", "silence"))
    for second, label, borders in (
        (0, "silence", {}),
        (1, "a", {"silence": 1.9, "a": 1.9}),
        (2, "b", {"a": 1.7, "b": 1.7}),
    ):
        scores = {"a": 0.5, "b": 0.5}
        joined.take(
            {"start_seconds": second, "end_seconds": second + 1.0, "silent": label == "silence", "scores": scores,
             "decision": [label], "borders": borders}
        )  # fmt: skip
    assert [(one.onset, one.offset, one.label) for one in joined.segments()] == [(0.0, 1.9, "silence"), (1.9, 3.0, "b")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from convert.export.float_export import export_float
    from metadata.packing.packed_model import pack_model
    from train.models import timeline

    spec = ModelSpec(
        name="timeline",
        version="1",
        description="untrained",
        sample_rate=RATE,
        window_length=RATE,
        labels=("music", "noise", "speech"),
        activation="softmax",
        thresholds=(0.5,) * 3,
        front_end=timeline.front_end("small"),
    )
    path = tmp_path_factory.mktemp("model") / "timeline.tflite"
    path.write_bytes(pack_model(export_float(timeline.build(3), fast=False), spec))
    return path


@pytest.fixture
def wav(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "a.wav"
    soundfile.write(path, np.concatenate([_tone(1.5), np.zeros(2 * RATE), _noise(1.0)]), RATE, subtype="PCM_16")
    return path


def test_the_table_has_a_row_a_second_and_the_document_its_segments_and_totals(model, wav, tmp_path, capsys):
    table, document = tmp_path / "a.csv", tmp_path / "a.json"
    for out in (table, document):
        assert earproof.main(["timeline", str(model), str(wav), "--out", str(out)]) == 0
    rows = list(csv.DictReader(table.open()))
    assert [row["second"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["labels"] == "silence" for row in rows] == [False, False, True, False, False]
    assert rows[2]["level_dbfs"] == "-inf"
    told = json.loads(document.read_text())
    (recording,) = told["recordings"]
    assert told["totals"]["silence"] == pytest.approx(2.0, abs=0.02)
    assert sum(told["totals"].values()) == pytest.approx(4.5)
    assert [one["label"] for one in recording["segments"]].count("silence") == 1
    assert "silence 2.0 s" in capsys.readouterr().out


def test_segments_are_written_in_every_form_that_is_asked_for(model, wav, tmp_path, capsys):
    from edge_runtime.segments.read_segments import read_segments

    names = ["a.csv", "a.tsv", "a.rttm", "a.json", "a.txt", "raven.txt"]
    paths = [tmp_path / name for name in names]
    given = [f"raven={path}" if path.name == "raven.txt" else str(path) for path in paths]
    options = [word for text in given for word in ("--segments", text)]
    assert earproof.main(["timeline", str(model), str(wav), *options]) == 0
    for path in paths:
        (segments,) = read_segments(path).values()
        (silence,) = [one for one in segments if one.label == "silence"]
        assert (silence.onset, silence.offset) == pytest.approx((1.5, 3.5), abs=0.02)
        assert segments[-1].offset == pytest.approx(4.5)
    assert capsys.readouterr().err.splitlines() == [f"wrote {path}" for path in paths]


def test_a_label_track_of_several_recordings_is_refused_before_they_are_heard(model, wav, tmp_path, capsys):
    command = ["timeline", str(model), str(wav), str(wav), "--segments", str(tmp_path / "a.txt")]
    assert earproof.main(command) == 2
    assert "a label track is of one recording" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["textgrid=a.TextGrid", "a.eaf", "labels=a.csv"])
def test_a_form_that_is_not_written_is_refused_with_those_that_are(model, wav, given, capsys):
    assert earproof.main(["timeline", str(model), str(wav), "--segments", given]) == 2
    said = capsys.readouterr().err
    assert "expected csv, dcase, audacity, raven, rttm, json; TextGrid and ELAN are read by train and data" in said


def test_a_name_with_an_equals_sign_is_written_with_its_form(model, wav, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert earproof.main(["timeline", str(model), str(wav), "--segments", "csv=a=b.csv"]) == 0
    assert (tmp_path / "a=b.csv").is_file()


def test_every_file_that_is_written_is_told_once(model, wav, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    table, track, picture = (tmp_path / name for name in ("a.csv", "a.txt", "a.png"))
    command = ["timeline", str(model), str(wav), "--out", str(table), "--segments", str(track)]
    assert earproof.main([*command, "--picture", str(picture)]) == 0
    assert capsys.readouterr().err.splitlines() == [f"wrote {path}" for path in (table, track, picture)]


def test_no_two_labels_of_a_picture_share_a_colour():
    from train.pictures.timeline_picture import label_style

    document = {"labels": [f"label {number}" for number in range(40)], "silence": "silence"}
    styles = [label_style(label, document) for label in (*document["labels"], "silence")]
    assert len({colour for colour, _ in styles}) == 41
    assert styles[0] == ("#0072b2", "")
    assert styles[8][1] != styles[0][1]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_picture_is_drawn_and_the_same_again(model, wav, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    picture = tmp_path / f"a{suffix}"
    command = ["timeline", str(model), str(wav), "--picture", str(picture), "--first", "3", "--force"]
    assert earproof.main(command) == 0
    once = picture.read_bytes()
    assert earproof.main(command) == 0
    assert picture.read_bytes() == once
    assert once[:4] in (b"\x89PNG", b"<?xm")


def test_a_stopped_run_goes_on_where_it_was(model, wav, tmp_path):
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    assert earproof.main(["timeline", str(model), str(wav), "--out", str(whole)]) == 0
    lines = whole.read_bytes().splitlines(keepends=True)
    (tmp_path / "stopped.jsonl.part").write_bytes(b"".join(lines[:4]) + lines[4][:9])  # killed inside the third row
    assert earproof.main(["timeline", str(model), str(wav), "--out", str(stopped), "--resume"]) == 0
    assert stopped.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--first", "4"], "expected --picture too"),
        (["--picture", "a.pdf"], "ends in .png or .svg"),
        (["--threshold", "7"], "expected a score from 0 to 1"),
        (["--silence-below", "3"], "expected a level of 0 or less"),
    ],
)
def test_options_that_make_no_sense_are_refused(model, wav, options, said, capsys):
    assert earproof.main(["timeline", str(model), str(wav), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_model_with_windows_of_five_seconds_is_refused_with_what_to_use(monkeypatch, wav, capsys):
    import edge_runtime.timeline.command as command

    monkeypatch.setattr(command, "Classifier", lambda *_: _ToneOrNoise(5 * RATE))
    assert earproof.main(["timeline", "mixed.tflite", str(wav)]) == 2
    said = capsys.readouterr().err
    assert "has windows of 5 s" in said
    assert "earproof train timeline, or with event_crnn for events" in said


def test_a_recording_at_8_khz_is_told_to_have_nothing_above_4_khz(model, tmp_path, capsys):
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "telephone.wav"
    soundfile.write(path, _noise(0.5)[:4_000], 8_000)
    assert earproof.main(["timeline", str(model), str(path)]) == 0
    said = capsys.readouterr().err
    assert "nothing above 4 kHz" in said
    assert "shorter than the window of 1 s; padded with zeros" in said
