"""`earproof evaluate` of detectors on annotated recordings: measures known by hand, labels and sides refused."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

import earproof
import train.evaluation.detector as detector
import train.held_out.detectors as detectors
from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_grid import ScoreGrid
from metadata import FrameScores, pack_model
from train.annotations.annotated_index import annotated_index
from train.fitting.finished_run import FinishedRun
from train.fitting.training_run import METRICS_FILE_NAME
from train.recordings.store.clip_store import load_clips

RATE, LABELS = 16_000, ("cat", "dog")
EVENTS = [
    *(("a", 1.2, 2.8, "dog"), ("a", 4.1, 4.9, "cat")),
    *(("b", 2.2, 3.7, "cat"), ("b", 4.2, 5.6, "dog")),
    *(("c", 0.3, 1.4, "dog"), ("c", 3.2, 4.8, "cat")),
]


@pytest.fixture
def scenes(tmp_path):
    """Recordings that are above zero where a dog sounds, below where a cat does; c is on the test side."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for name in "abc":
        samples = np.zeros(6 * RATE, np.float32)
        for recording, onset, offset, label in EVENTS:
            if recording == name:
                samples[round(onset * RATE) : round(offset * RATE)] = 0.5 if label == "dog" else -0.5
        soundfile.write(folder / f"{name}.wav", samples, RATE)
    rows = "".join(f"{name}.wav,{onset},{offset},{label}\n" for name, onset, offset, label in EVENTS)
    (folder / "annotations.csv").write_text("filename,onset,offset,event_label\n" + rows)
    (folder / "meta.csv").write_text("filename,split\na.wav,train\nb.wav,val\nc.wav,test\n")
    return folder


class _BySign:
    """Scores of 0.9 for cats where samples are below zero, for dogs where they are above."""

    def __init__(self, path, num_threads=1):
        frames = FrameScores(125, 256) if "frames" in path.name else None
        activation = "softmax" if "softmax" in path.name else "sigmoid"
        self.spec = tiny_spec(name="by sign", labels=LABELS, activation=activation, frames=frames)

    def frame_scores(self, window):
        middles = window.reshape(125, 256).mean(axis=1)
        return np.column_stack([middles < -0.2, middles > 0.2]).astype(np.float32) * np.float32(0.9)

    def scores(self, window):
        return np.array([(window < -0.1).mean(), (window > 0.1).mean()], np.float32)


@pytest.fixture
def evaluate(scenes, monkeypatch, capsys):
    """Judges models by their names with scores known by hand; gives the report, or what is printed."""
    monkeypatch.setattr(detector, "Classifier", _BySign)

    def run(*names, options=("--side", "all"), code=0, as_json=True):
        paths = [scenes.parent / f"{name}.tflite" for name in names]
        for path in paths:
            path.touch()
        cache = ["--cache", str(scenes.parent / "cache")]
        told = ["--json"] if as_json else []
        assert earproof.main(["evaluate", *map(str, paths), str(scenes), *options, *cache, *told]) == code
        printed = capsys.readouterr()
        return (json.loads(printed.out) if as_json and not code else printed.out), printed.err

    return run


def _value(system, measure, label):
    return next(row for row in system["measures"] if (row["measure"], row["label"]) == (measure, label))["value"]


def test_frames_that_are_right_have_every_measure_at_its_best(evaluate):
    report, said = evaluate("frames")
    (system,) = report["systems"]
    for measure, label in [("segment_f1", "micro"), ("event_f1", "macro"), ("event_f1", "dog"), ("psds1", "all")]:
        assert _value(system, measure, label) == pytest.approx(1.0)
    assert _value(system, "segment_error_rate", "micro") == 0.0
    assert report["num_recordings"] == 3
    assert system["scored"] == "scores frames of 0.016 s, averaged over windows that begin every 0.992 s"
    assert "windows begin every 0.992 s in place of 1 s" in said
    assert (
        "frames.tflite: by sign has no thresholds of frames; those of its windows are taken: cat 0.5, dog 0.5" in said
    )


def test_what_was_rounded_for_several_files_of_one_network_is_told_once(evaluate):
    assert evaluate("frames", "frames-int8")[1].count("in place of 1 s") == 1


def test_a_side_has_its_recordings_alone(evaluate):
    report, _ = evaluate("frames", options=("--side", "test"))
    assert (report["num_recordings"], report["side"], report["labels"]) == (1, "test", ["cat", "dog"])


def test_window_scores_stand_for_the_hop_around_their_middle_and_the_output_says_so(evaluate):
    report, _ = evaluate("frames", "windows")
    system = report["systems"][1]
    assert system["scored"] == "has no frame scores: its window scores stand for 1 s each"
    # A second is found where the window of 2 s around its middle is half full of the event.
    assert _value(system, "segment_recall", "dog") == pytest.approx(5 / 6)
    assert _value(system, "segment_recall", "cat") == pytest.approx(4 / 5)
    difference = next(row for row in system["measures"] if (row["measure"], row["label"]) == ("segment_recall", "dog"))
    assert difference["difference"] == pytest.approx(-1 / 6)
    table, _ = evaluate("windows", as_json=False)
    assert "windows.tflite has no frame scores: its window scores stand for 1 s each" in table


def test_labels_that_fewer_than_five_recordings_have_are_named(evaluate, scenes):
    report, _ = evaluate("frames")
    assert report["recordings_by_label"] == {"cat": 3, "dog": 3}
    for name in "de":
        soundfile.write(scenes / f"{name}.wav", np.full(RATE, 0.5), RATE)
        with (scenes / "annotations.csv").open("a") as table:
            table.write(f"{name}.wav,0.0,1.0,dog\n")
    table, _ = evaluate("frames", as_json=False)
    assert "few recordings have cat (3): the intervals of these labels are too narrow" in table


def test_where_one_label_is_told_each_row_is_for_the_highest():
    spec = tiny_spec(labels=LABELS)
    scores = np.array([[0.2, 0.1], [0.6, 0.4], [0.3, 0.7]], np.float32)
    found = Detecting().segments(spec, ScoreGrid(hop_seconds=1.0, labels=LABELS, scores=scores), 2.5)
    assert [(one.onset, one.offset, one.label) for one in found] == [(0.0, 2.0, "cat"), (2.0, 2.5, "dog")]


def test_scores_of_windows_end_with_the_recording_where_psds_compares_them():
    grid = ScoreGrid(hop_seconds=1.0, labels=LABELS, scores=np.array([[0.2, 0.1], [0.6, 0.4]], np.float32))
    fine = detector.compared_scores(grid, 1.5, tiny_spec(labels=LABELS), Detecting())
    assert (fine.labels, fine.hop_seconds, fine.scores.shape) == (LABELS, 0.02, (75, 2))
    assert fine.scores[:, 1] == pytest.approx([0.1] * 50 + [0.4] * 25)


def test_scores_of_windows_are_not_smoothed_as_frames_are():
    spec = tiny_spec(labels=LABELS, activation="sigmoid")
    grid = ScoreGrid(hop_seconds=1.0, labels=LABELS, scores=np.array([[0, 0], [1, 0], [0, 0]], np.float32))
    rules = Detecting(median_frames=3)
    assert [(one.onset, one.offset) for one in rules.segments(spec, grid, 3.0)] == [(1.0, 2.0)]
    assert detector.compared_scores(grid, 3.0, spec, rules).scores[:, 0].sum() == 50


def test_psds_compares_the_medians_of_frame_scores():
    spec = tiny_spec(labels=LABELS, activation="sigmoid", frames=FrameScores(125, 256))
    grid = ScoreGrid(hop_seconds=0.016, labels=LABELS, scores=np.array([[0, 0], [1, 0], [0, 1], [0, 1]], np.float32))
    assert detector.compared_scores(grid, 0.064, spec, Detecting(median_frames=3)).scores.tolist() == [
        [0, 0],
        [0, 0],
        [0, 1],
        [0, 1],
    ]


def test_short_events_are_left_out_when_asked(evaluate):
    report, _ = evaluate("frames", options=("--side", "all", "--shortest", "1.2"))
    (system,) = report["systems"]
    assert _value(system, "event_recall", "micro") == pytest.approx(4 / 6)  # not those of 0.8 and 1.1 s


def test_rules_of_a_detector_that_make_no_sense_are_refused(evaluate):
    for options, said in [
        (("--median-frames", "4"), "--median-frames is 4; expected an odd number"),
        (("--gap", "-1"), "--gap is -1.0; expected seconds, 0 or more"),
        (("--hop", "3"), "expected one of up to 2 s, the window"),
    ]:
        assert said in evaluate("frames", options=("--side", "all", *options), code=2)[1]


def test_labels_that_the_data_lack_are_named_with_those_they_have(evaluate, scenes):
    path = scenes / "annotations.csv"
    path.write_text(path.read_text().replace("cat", "cow"))
    _, said = evaluate("frames", code=2)
    assert "has no event of cat" in said
    assert "finds cat, dog, and there are cow, dog" in said


def test_only_the_judged_side_needs_every_label(evaluate, scenes):
    path = scenes / "annotations.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "b.wav" not in line or "dog" in line))
    report, _ = evaluate("frames", options=("--side", "test"))
    assert _value(report["systems"][0], "event_f1", "micro") == 1.0
    _, said = evaluate("frames", options=("--side", "val"), code=2)
    assert f"the val side of {scenes} has no event of cat" in said
    assert "finds cat, dog, and there is dog" in said


def test_labels_that_the_data_lack_are_told_before_what_the_split_lacks(evaluate, scenes):
    path = scenes / "annotations.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "cat" not in line))
    (scenes / "meta.csv").unlink()
    _, said = evaluate("frames", options=("--side", "test"), code=2)
    assert f"{scenes} has no event of cat" in said
    path.write_text("filename,onset,offset,event_label\na.wav,1.2,2.8,dog\na.wav,4.1,4.9,cat\nb.wav,2.2,3.7,cat\n")
    _, said = evaluate("frames", options=("--side", "test"), code=2)
    assert "--side all judges all recordings" in said
    evaluate("frames", options=("--side", "all"))


def test_a_label_that_is_not_judged_needs_no_side(evaluate, scenes):
    with (scenes / "annotations.csv").open("a") as table:
        table.write("a.wav,4.0,5.0,cow\n")
    (scenes / "meta.csv").unlink()
    report, said = evaluate("frames", options=("--side", "test"))
    assert "has cow too, which the models do not find; not judged" in said
    assert report["labels"] == ["cat", "dog"]


def test_labels_that_the_models_do_not_find_are_told_and_not_judged(evaluate, scenes):
    with (scenes / "annotations.csv").open("a") as table:
        table.write("a.wav,4.0,5.0,cow\n")
    report, said = evaluate("frames")
    assert "has cow too, which the models do not find; not judged" in said
    assert _value(report["systems"][0], "event_f1", "micro") == 1.0


def test_a_recording_shorter_than_a_window_is_padded_and_told(evaluate, scenes):
    soundfile.write(scenes / "d.wav", np.full(RATE, 0.5), RATE)
    with (scenes / "annotations.csv").open("a") as table:
        table.write("d.wav,0.0,1.0,dog\n")
    report, said = evaluate("frames")
    assert "1 recording is shorter than the window of 2 s; padded with zeros" in said
    assert _value(report["systems"][0], "event_f1", "micro") == 1.0


def test_recordings_at_another_rate_are_resampled(evaluate, scenes):
    samples, _ = soundfile.read(scenes / "a.wav")
    soundfile.write(scenes / "a.wav", np.repeat(samples, 2), 2 * RATE)
    report, said = evaluate("frames")
    assert "32000" in said or "32 kHz" in said
    assert _value(report["systems"][0], "event_f1", "micro") == 1.0


def test_the_table_holds_the_measures_of_each_model(evaluate, scenes):
    out = scenes.parent / "t.csv"
    evaluate("frames", "windows", options=("--side", "all", "--csv", str(out)))
    rows = list(csv.DictReader(out.open()))
    assert len({row["system"] for row in rows}) == 2
    kept = {(row["measure"], row["label"]): float(row["value"]) for row in rows if "frames" in row["system"]}
    assert kept["psds2", "all"] == pytest.approx(1.0)


def test_real_files_float_and_frames_are_judged_on_the_test_side(scenes, capsys):
    spec = tiny_spec(labels=LABELS, activation="sigmoid", frames=FrameScores(125, 256))
    (scenes.parent / "one.tflite").write_bytes(pack_model(tiny_detector(num_labels=2), spec))
    plain = tiny_spec(labels=LABELS)
    (scenes.parent / "two.tflite").write_bytes(pack_model(tiny_classifier(num_labels=2), plain))
    paths = [str(scenes.parent / name) for name in ("one.tflite", "two.tflite")]
    assert earproof.main(["evaluate", *paths, str(scenes), "--cache", str(scenes.parent / "cache"), "--json"]) == 0
    printed = capsys.readouterr()
    assert [one["model"] for one in json.loads(printed.out)["systems"]] == ["tiny classifier"] * 2
    assert "one.tflite does not say what it was trained on; these recordings may be among it" in printed.err


def test_rules_of_a_detector_are_refused_for_predictions(scenes, capsys):
    table = str(scenes / "annotations.csv")
    assert earproof.main(["evaluate", table, str(scenes), "--gap", "1"]) == 2
    assert "predictions are segments already; expected no --hop" in capsys.readouterr().err


class _Keras:
    """Predicts as `_BySign` scores, frames flat as a trained model gives them."""

    def predict(self, windows, **_):
        frames = np.stack([_BySign.frame_scores(self, window).reshape(-1) for window in windows])
        return [np.zeros((len(windows), 2), np.float32), frames]


@pytest.fixture
def run_folder(scenes, monkeypatch):
    """A finished training on the scenes, with or without its annotations."""
    folder = scenes.parent / "run"
    folder.mkdir()
    (folder / METRICS_FILE_NAME).touch()

    def open_held_run(path, held, is_annotated=True):
        index = annotated_index(scenes) if is_annotated else replace(annotated_index(scenes), events=None)
        clips = load_clips(index, RATE, scenes.parent / "cache")
        spec = tiny_spec(labels=LABELS, activation="sigmoid", frames=FrameScores(125, 256))
        return FinishedRun(path, _Keras(), spec, clips)

    def use(is_annotated=True):
        monkeypatch.setattr(detectors, "open_held_run", lambda *given: open_held_run(*given, is_annotated))
        return str(folder)

    return use


def test_a_training_and_its_file_are_judged_on_the_recordings_of_its_side(evaluate, run_folder, scenes, capsys):
    model = scenes.parent / "frames.tflite"
    model.touch()
    given = [run_folder(), str(model), str(scenes), "--json", "--cache", str(scenes.parent / "cache")]
    assert earproof.main(["evaluate", *given]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_recordings"], report["side"]) == (1, "test")
    assert [_value(one, "event_f1", "micro") for one in report["systems"]] == [1.0, 1.0]
    assert _value(report["systems"][0], "psds1", "all") == pytest.approx(1.0)


def test_a_training_on_clips_without_annotations_is_refused_with_what_to_give(evaluate, run_folder, scenes, capsys):
    given = [run_folder(is_annotated=False), str(scenes), "--cache", str(scenes.parent / "cache")]
    assert earproof.main(["evaluate", *given]) == 2
    assert "was trained on recordings without annotations" in capsys.readouterr().err
