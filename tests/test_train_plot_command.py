import json

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from edge_runtime.model.classifier import Classifier
from metadata import MelFrontEnd, StftFrontEnd
from metadata.packing.packed_model import pack_model
from metadata.spec import WaveformFrontEnd
from train.pictures.clip_picture import Hearing, _tiles, spectrogram_settings


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "clip.wav", tone(1000, 5.0), SAMPLE_RATE)
    return tmp_path / "clip.wav"


def _model(tmp_path, **changes):
    path = tmp_path / "tiny.tflite"
    spec = tiny_spec(**changes)
    model = tiny_classifier(spec.window_length, len(spec.labels), activation=spec.activation)
    path.write_bytes(pack_model(model, spec))
    return path


def _run(capsys, *arguments):
    code = earproof.main(["plot", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _size(path):
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    return tuple(int.from_bytes(content[place : place + 4], "big") for place in (16, 20))


def test_a_picture_is_taller_with_a_models_scores(capsys, tmp_path, clip):
    assert _run(capsys, clip, "--out", tmp_path / "alone.png")[0] == 0
    assert _run(capsys, clip, "--model", _model(tmp_path), "--out", tmp_path / "model.png")[0] == 0
    alone, model = (_size(tmp_path / name) for name in ("alone.png", "model.png"))
    assert alone[0] == model[0]
    assert alone[1] < model[1]


def test_without_out_the_picture_lies_here_and_its_whole_path_is_told(capsys, tmp_path, clip, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert _run(capsys, clip)[1] == f"wrote {(tmp_path / 'here' / 'clip.png').resolve()}\n"
    assert (tmp_path / "here" / "clip.png").is_file()


@pytest.mark.parametrize("hop", [None, "0.5", "3"])
def test_the_windows_and_scores_are_those_of_classify(capsys, tmp_path, clip, hop):
    model = _model(tmp_path)
    chosen = ["--hop", hop] if hop else []
    code, out, _ = _run(capsys, clip, "--model", model, "--out", tmp_path / "p.png", "--json", *chosen)
    assert code == 0
    windows = json.loads(out)["windows"]
    expected = list(Classifier(model).classify_file(clip, round(float(hop or 2) * SAMPLE_RATE)))
    assert [window["start_seconds"] for window in windows] == [result.start_seconds for result in expected]
    for window, result in zip(windows, expected, strict=True):
        assert list(window["scores"]) == list(TINY_LABELS)
        np.testing.assert_allclose(list(window["scores"].values()), result.scores, atol=1e-6)
        assert window["decision"] == result.decision


def test_a_multi_label_model_with_many_labels_is_drawn(capsys, tmp_path, clip):
    labels = tuple(f"sound {number}" for number in range(12))
    model = _model(tmp_path, labels=labels, activation="sigmoid")
    code, out, _ = _run(capsys, clip, "--model", model, "--out", tmp_path / "p.png", "--json")
    assert code == 0
    assert len(json.loads(out)["windows"][0]["scores"]) == 12


def test_an_excerpt_begins_where_asked(capsys, tmp_path, clip):
    model = _model(tmp_path)
    arguments = [clip, "--model", model, "--out", tmp_path / "p.png", "--json"]
    windows = json.loads(_run(capsys, *arguments, "--start", "1.5", "--seconds", "2")[1])["windows"]
    assert [window["start_seconds"] for window in windows] == [1.5]


def test_a_long_recording_is_drawn_in_part_and_that_is_said(capsys, tmp_path):
    soundfile.write(tmp_path / "long.wav", tone(200, 70.0, sample_rate=8_000), 8_000)
    code, _, err = _run(capsys, tmp_path / "long.wav", "--out", tmp_path / "p.png")
    assert code == 0
    assert "lasts 70 s; 60 s from 0 s on are drawn" in err


@pytest.mark.parametrize("samples", [np.zeros(SAMPLE_RATE), np.full(3, 0.5)])
def test_silence_and_a_clip_of_three_samples_are_drawn(capsys, tmp_path, samples):
    soundfile.write(tmp_path / "odd.wav", samples, SAMPLE_RATE)
    for number, chosen in enumerate(([], ["--model", _model(tmp_path)])):
        assert _run(capsys, tmp_path / "odd.wav", "--out", tmp_path / f"{number}.png", *chosen)[0] == 0


def test_a_picture_that_is_there_is_kept_unless_forced(capsys, tmp_path, clip):
    out = tmp_path / "p.png"
    out.write_text("mine")
    code, _, err = _run(capsys, clip, "--out", out)
    assert (code, out.read_text()) == (2, "mine")
    assert "--force" in err
    assert _run(capsys, clip, "--out", out, "--force")[0] == 0
    _size(out)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["CLIP", "--out", "p.jpg"], "does not end in .png"),
        (["gone.wav"], "does not exist"),
        (["CLIP", "--hop", "1"], "name the model with --model"),
        (["CLIP", "--start", "5"], "lasts 5.00 s"),
        (["CLIP", "--start", "-1"], "lasts 5.00 s"),
        (["CLIP", "--seconds", "0"], "expected above 0"),
        (["CLIP", "--model", "MODEL", "--hop", "0"], "at least one sample"),
        (["CLIP", "--model", "CLIP"], "clip.wav"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(capsys, tmp_path, monkeypatch, clip, arguments, reason):
    monkeypatch.chdir(tmp_path)
    known = {"CLIP": clip, "MODEL": _model(tmp_path)}
    code, _, err = _run(capsys, *(known.get(argument, argument) for argument in arguments))
    assert code == 2
    assert reason in err
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".png", ".jpg")] == []


def test_the_pictures_settings_are_the_models_own():
    mel = MelFrontEnd(n_fft=512, hop_length=160, win_length=400, n_mels=64, log="log10")
    stft, chosen = spectrogram_settings(mel, SAMPLE_RATE)
    assert chosen == mel
    assert (stft.n_fft, stft.hop_length, stft.win_length, stft.pad_mode) == (512, 160, 400, "reflect")
    magnitude = StftFrontEnd(n_fft=256, hop_length=64, win_length=256, power=1.0)
    stft, chosen = spectrogram_settings(magnitude, 4_000)
    assert (stft.n_fft, stft.hop_length, chosen.fmax, chosen.n_mels) == (256, 64, 2_000.0, 64)
    assert spectrogram_settings(WaveformFrontEnd(), 8_000)[1].fmax == 4_000.0


def test_each_window_is_drawn_as_the_model_sees_it_without_its_neighbour():
    waveform = np.concatenate([tone(500, 1.0), np.zeros(SAMPLE_RATE, np.float32)])
    stft, mel = spectrogram_settings(WaveformFrontEnd(), SAMPLE_RATE)
    hearing = Hearing(
        waveform=waveform,
        sample_rate=SAMPLE_RATE,
        start_seconds=3.0,
        stft=stft,
        mel=mel,
        window_length=SAMPLE_RATE,
        window_hop=SAMPLE_RATE,
    )
    first, second = _tiles(hearing, lambda samples: np.abs(samples)[None])
    assert (first[:2], second[:2]) == ((3.0, 4.0), (4.0, 5.0))
    assert second[2].max() == 0.0


@pytest.mark.parametrize("name", ["clip.flac", "clip.ogg"])
def test_a_recording_that_is_no_wav_is_drawn_too(capsys, tmp_path, name):
    soundfile.write(tmp_path / name, tone(1000, 5.0), SAMPLE_RATE)
    code, _, err = _run(capsys, tmp_path / name, "--out", tmp_path / "p.png")
    assert code == 0, err
    assert (tmp_path / "p.png").stat().st_size > 1000
