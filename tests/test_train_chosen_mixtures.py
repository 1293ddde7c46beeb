"""A training on chosen pairs: nothing else is mixed, nothing else is judged."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE
from many_tones import LABEL_STEP_HZ, WINDOW_LENGTH, heard, tones

from metadata import WaveformFrontEnd
from train.batches.mixture_windows import MixtureWindows
from train.data.prepare import load_with_progress
from train.fitting import finished_run, training_run
from train.mixtures.mixture_table import write_mixtures
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings
from train.tasks.chosen_mixtures import choose_mixtures
from train.tasks.task import LabelSet, OneLabel


@pytest.fixture
def clips(tmp_path):
    clips = tones("abc", {"train": 3, "val": 2, "test": 2})
    for clip in clips.index.clips:
        path = tmp_path / clip.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return replace(clips, index=replace(clips.index, root=tmp_path))


def _table(tmp_path, *rows):
    path = tmp_path / "mixtures.csv"
    path.write_text("\n".join(["first,second", *rows, ""]))
    return path


def _pairs_heard(windows):
    return {tuple(sorted(heard(window))) for window in windows}


def test_only_chosen_pairs_are_mixed_and_label_pairs_come_equally_often(tmp_path, clips):
    others = [f"a/train{one}.wav,c/train{other}.wav" for one in (1, 2) for other in (0, 1)]
    chosen = choose_mixtures(clips, _table(tmp_path, "a/train0.wav,b/train2.wav", *others), LabelSet())
    settings = TrainingSettings(batch_size=50, epoch_windows=400)
    windows = MixtureWindows(chosen, SAMPLE_RATE, WINDOW_LENGTH, settings, (2,), "labels")
    batches = [windows[batch] for batch in range(len(windows))]
    pairs = set().union(*(_pairs_heard(batch) for batch, _ in batches))
    assert pairs == {(1000, 2020), (1010, 3000), (1010, 3010), (1020, 3000), (1020, 3010)}
    targets = np.concatenate([targets for _, targets in batches])
    assert targets.mean(axis=0) == pytest.approx([1.0, 0.5, 0.5], abs=0.08)


def test_single_sounds_are_still_all_of_them(tmp_path, clips):
    chosen = choose_mixtures(clips, _table(tmp_path, "a/train0.wav,b/train0.wav"))
    settings = TrainingSettings(batch_size=50, epoch_windows=200)
    windows = MixtureWindows(chosen, SAMPLE_RATE, WINDOW_LENGTH, settings, (1, 2), "labels")
    single = {
        min(heard(window)) // LABEL_STEP_HZ
        for batch in range(len(windows))
        for window, target in zip(*windows[batch], strict=True)
        if target.sum() == 1
    }
    assert single == {1, 2, 3}


def test_a_side_is_judged_on_its_chosen_pairs_and_without_any_on_all(tmp_path, clips):
    path = _table(tmp_path, "a/train0.wav,b/train0.wav", "b/val1.wav,c/val0.wav")
    chosen = choose_mixtures(clips, path, LabelSet())
    task, settings = LabelSet((2,)), TrainingSettings()
    assert _pairs_heard(task.held_out(chosen, "val", WINDOW_LENGTH, settings).windows) == {(2310, 3300)}
    assert len(task.held_out(chosen, "test", WINDOW_LENGTH, settings).truth) == 12
    assert len(task.held_out(clips, "val", WINDOW_LENGTH, settings).truth) == 12


def test_what_a_run_writes_is_read_again_as_the_same_data(tmp_path, clips):
    chosen = choose_mixtures(clips, _table(tmp_path, "b/train0.wav,a/train0.wav", "a/val0.wav,b/val0.wav"))
    write_mixtures(tmp_path / "run.csv", chosen.pairs)
    again = choose_mixtures(clips, tmp_path / "run.csv")
    assert again.data_sha256() == chosen.data_sha256() != clips.data_sha256()
    other = choose_mixtures(clips, _table(tmp_path, "b/train1.wav,a/train0.wav"))
    assert other.data_sha256() != chosen.data_sha256()


def test_without_a_choice_the_hash_of_the_data_is_that_of_its_clips(clips):
    assert replace(clips, pairs=None).data_sha256() == clips.data_sha256()
    assert clips.chosen([0, 3]).pairs is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a/val0.wav,b/val0.wav", "lists no mixture of the train side"),
        ("a/train0.wav,b/val0.wav", "on two sides"),
        ("a/train0.wav,gone.wav", r"no file 'gone\.wav'"),
    ],
)
def test_a_table_that_cannot_be_trained_on_is_refused(tmp_path, clips, row, reason):
    with pytest.raises(ValueError, match=reason):
        choose_mixtures(clips, _table(tmp_path, row))


def test_labels_that_the_model_does_not_know_are_named_with_its_own(tmp_path, clips):
    path = tmp_path / "mixtures.csv"
    path.write_text("first,second,first_label,second_label\na/train0.wav,b/train0.wav,wolf,b\n")
    with pytest.raises(ValueError, match="unknown label 'wolf'; the labels are a, b, c"):
        choose_mixtures(clips, path)


def test_a_silent_part_is_named(tmp_path, clips):
    waveforms = [np.zeros_like(clips.waveforms[0]), *clips.waveforms[1:]]
    with pytest.raises(ValueError, match=r"mixes a/train0\.wav, which is silent"):
        choose_mixtures(replace(clips, waveforms=waveforms), _table(tmp_path, "a/train0.wav,b/train0.wav"))


def test_a_model_of_single_sounds_takes_no_mixtures(tmp_path, clips):
    with pytest.raises(ValueError, match="mixes none"):
        choose_mixtures(clips, _table(tmp_path, "a/train0.wav,b/train0.wav"), OneLabel())


def _tiny_model():
    """A model module of one dense layer on a tenth of a second."""

    def build(num_labels, variant):
        import keras

        inputs = keras.layers.Input((1600,))
        return keras.Model(inputs, keras.layers.Dense(num_labels, "sigmoid")(inputs))

    return SimpleNamespace(
        NAME="isocc",
        DEFAULT_VARIANT="mixed",
        VARIANTS=("mixed",),
        task=lambda variant: LabelSet(),
        sample_rate=lambda variant: SAMPLE_RATE,
        window_length=lambda variant: 1600,
        front_end=lambda variant: WaveformFrontEnd(),
        build=build,
    )


def test_a_run_keeps_its_pairs_and_is_opened_with_them(tmp_path, monkeypatch, capsys):
    made = tones("abc", {"train": 3, "val": 2, "test": 2}, seconds=0.2)
    for clip, waveform in zip(made.index.clips, made.waveforms, strict=True):
        path = tmp_path / clip.path
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, waveform, SAMPLE_RATE)
    clips = load_clips(replace(made.index, root=tmp_path), SAMPLE_RATE, tmp_path / "cache")
    table = _table(tmp_path, "a/train0.wav,b/train0.wav", "a/test0.wav,c/test1.wav")
    chosen = choose_mixtures(clips, table, LabelSet())
    for module in (training_run, finished_run):
        monkeypatch.setattr(module, "model_module", lambda name: _tiny_model())
    settings = TrainingSettings(loss="binary_crossentropy", batch_size=4, epochs=1, epoch_windows=8)
    metrics = training_run.train_model(chosen, "isocc", tmp_path / "run", settings, tell=lambda text: None)
    assert metrics["test"]["window"]["num_decisions"] == 6 + 1
    run = finished_run.open_run(tmp_path / "run", tmp_path / "cache")
    assert "decode" not in capsys.readouterr().err
    finished_run.open_recordings(tmp_path / "run", tmp_path / "another", load_with_progress)
    assert "decode: 100%" in capsys.readouterr().err
    assert run.clips.data_sha256() == chosen.data_sha256()
    assert np.array_equal(run.held_out("test").windows, LabelSet().held_out(chosen, "test", 1600, settings).windows)
    with pytest.raises(ValueError, match="begun with other settings: data_sha256"):
        training_run.train_model(clips, "isocc", tmp_path / "run", settings, tell=lambda text: None)
