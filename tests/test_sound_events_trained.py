"""A detector trained on annotated recordings: its run, its thresholds, and what it is judged by."""

import json

import numpy as np
import pytest
import soundfile

import earproof
from train.fitting.finished_run import open_run
from train.tasks.sound_events import SoundEvents

RATE, SECONDS = 16_000, 6.0
TONES = {"high": 2500.0, "low": 400.0}  # Hz


def _scene(rng: np.random.Generator, number: int) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Faint noise with a burst of each tone, which overlap in some scenes."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    samples = 1e-3 * rng.standard_normal(time.size)
    events = []
    for place, (label, frequency) in enumerate(TONES.items()):
        onset = round(float(rng.uniform(0.3, 2.0)) + 2.0 * ((place + number) % 2), 2)
        offset = round(onset + float(rng.uniform(0.8, 1.8)), 2)
        samples += np.where((time >= onset) & (time < offset), 0.2 * np.sin(2 * np.pi * frequency * time), 0.0)
        events.append((onset, offset, label))
    return samples, events


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("events") / "scenes", np.random.default_rng(0)
    folder.mkdir()
    rows, meta = ["filename,onset,offset,event_label"], ["filename,split"]
    for number in range(9):
        name, (samples, events) = f"{number}.wav", _scene(rng, number)
        soundfile.write(folder / name, samples, RATE)
        meta.append(f"{name},{('train', 'val', 'test')[number % 3]}")
        rows += [f"{name},{onset},{offset},{label}" for onset, offset, label in events]
    soundfile.write(folder / "quiet.wav", 1e-3 * rng.standard_normal(round(SECONDS * RATE)), RATE)
    meta.append("quiet.wav,test")
    (folder / "annotations.csv").write_text("\n".join(rows) + "\n")
    (folder / "meta.csv").write_text("\n".join(meta) + "\n")
    return folder


@pytest.fixture(scope="module")
def report(scenes):
    """A build that was told nothing of models: annotated recordings make a detector."""
    settings = {"epochs": 4, "epoch_windows": 96, "augment": False, "learning_rate": 3e-3}
    out, cache = scenes.with_name("build"), scenes.with_name("cache")
    return earproof.build(scenes, out=out, cache=cache, recipes="float16", num_runs=3, warmup_runs=1, **settings)


@pytest.fixture(scope="module")
def run(scenes, report):
    out = scenes.with_name("build") / "event_crnn"
    return out, scenes.with_name("cache"), json.loads((out / "metrics.json").read_text())


def test_a_build_of_annotated_recordings_makes_detectors_that_pass_every_level(scenes, report):
    names = {path.name for path in scenes.with_name("build").glob("*.tflite")}
    forms = ("", "-spectrogram")
    assert names == {f"event_crnn{form}-{recipe}.tflite" for form in forms for recipe in ("float32", "float16")}
    assert report["passed"]
    classifier = earproof.load(scenes.with_name("build") / "event_crnn-float16.tflite")
    assert classifier.spec.frames.num_frames == 125
    assert len(classifier.spec.frames.thresholds) == 2
    assert classifier.spec.provenance.training["annotated"] is True


def test_the_events_of_the_test_side_are_judged_with_the_quiet_recording_among_them(run):
    events = run[2]["events"]
    assert events["num_recordings"] == 4
    (system,) = events["systems"]
    found = {(row["measure"], row["label"]): row["value"] for row in system["measures"]}
    assert found["segment_f1", "micro"] > 0.6  # tones on silence; everything called active has 0.4
    assert 0.0 <= found["psds1", "all"] <= 1.0


def test_the_run_opens_with_its_events_and_thresholds_of_frames(run):
    opened = open_run(run[0], run[1])
    assert opened.task == SoundEvents(RATE)
    assert opened.clips.events is not None
    assert len(opened.clips.events) == 10
    assert opened.spec.frames is not None
    assert len(opened.spec.frames.thresholds) == len(opened.spec.labels) == 2
    cut = opened.test_windows()
    assert cut.truth.sum(axis=1).tolist()[-2:] == [0, 0]  # both windows of the quiet recording
    assert cut.starts.tolist() == [0, 80_000] * 4


def test_the_run_is_judged_as_a_detector_by_the_command_line(run, scenes, capsys):
    assert earproof.main(["evaluate", str(run[0]), str(scenes), "--cache", str(run[1]), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_recordings"] == 4
    assert "scores frames of 0.04 s" in report["systems"][0]["scored"]


def test_annotated_recordings_are_refused_by_a_model_of_one_label(scenes, capsys):
    words = ["train", "mel_cnn", str(scenes), "--out", str(scenes.with_name("refused"))]
    assert earproof.main(words) == 2
    assert "mel_cnn (log) tells one label or number a window" in capsys.readouterr().err
    assert not scenes.with_name("refused").exists()
