import csv
import hashlib
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data_short"
LABELS = (ROOT / "labels.txt").read_text(encoding="utf-8").splitlines()
SAMPLE_RATE = 16_000

with (FOLDER / "clips.csv").open(newline="", encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


@pytest.fixture(scope="module")
def clips():
    soundfile = pytest.importorskip("soundfile", reason="reading FLAC needs soundfile, from the train extra")
    return {row["path"]: soundfile.read(FOLDER / row["path"], dtype="int16") for row in ROWS}


@pytest.fixture(autouse=True)
def maker_modules_are_importable(monkeypatch):
    # The folder holds data, it is no package; its modules import each other as siblings.
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == FOLDER:
            del sys.modules[name]


def test_the_columns_are_path_labels_group_split_and_licence():
    assert list(ROWS[0]) == ["path", "labels", "group", "split", "licence"]
    assert {row["licence"] for row in ROWS} == {"Apache-2.0"}


def test_the_labels_are_those_of_labels_txt():
    assert sorted({row["labels"] for row in ROWS}) == sorted(LABELS)


def test_a_clip_lies_in_the_folder_of_its_label():
    assert [Path(row["path"]).parts[0] for row in ROWS] == [row["labels"] for row in ROWS]


@pytest.mark.parametrize("label", LABELS)
def test_every_label_has_at_least_eight_clips_and_at_least_two_in_each_split(label):
    splits = [row["split"] for row in ROWS if row["labels"] == label]
    assert len(splits) >= 8
    assert {split: splits.count(split) >= 2 for split in splits} == {"train": True, "val": True, "test": True}


def test_clips_csv_names_every_file_once():
    files = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.flac"))
    assert sorted(row["path"] for row in ROWS) == files


def test_no_group_is_on_two_sides_of_the_split():
    sides = defaultdict(set)
    for row in ROWS:
        sides[row["group"]].add(row["split"])
    assert {group: found for group, found in sides.items() if len(found) > 1} == {}


def test_the_clips_take_less_than_six_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.flac")) < 6_000_000


def test_every_clip_is_flac_16_khz_mono_of_16_bits():
    soundfile = pytest.importorskip("soundfile", reason="reading FLAC needs soundfile, from the train extra")
    infos = [soundfile.info(FOLDER / row["path"]) for row in ROWS]
    found = {(info.format, info.subtype, info.samplerate, info.channels) for info in infos}
    assert found == {("FLAC", "PCM_16", SAMPLE_RATE, 1)}


def test_every_clip_is_8_to_20_seconds_long(clips):
    seconds = {path: len(samples) / sample_rate for path, (samples, sample_rate) in clips.items()}
    assert {path: length for path, length in seconds.items() if not 8 <= length <= 20} == {}


def test_all_clips_differ(clips):
    hashes = {hashlib.sha256(samples.tobytes()).hexdigest() for samples, _ in clips.values()}
    assert len(hashes) == len(ROWS)


def test_no_clip_reaches_full_scale_or_has_dc(clips):
    for path, (samples, _) in clips.items():
        assert np.abs(samples.astype(int)).max() <= 0.98 * 32768, path
        assert abs(samples.mean()) < 1, path  # LSB


def test_every_two_seconds_of_song_and_speech_are_louder_than_any_two_seconds_of_silence(clips):
    levels = defaultdict(list)
    for row in ROWS:
        samples, sample_rate = clips[row["path"]]
        windows = np.lib.stride_tricks.sliding_window_view(samples / 32768, 2 * sample_rate)[:: sample_rate // 2]
        levels[row["labels"]] += list(20 * np.log10(np.sqrt(np.mean(windows**2, axis=1))))
    assert max(levels["silence"]) < -40 < min(levels["song"] + levels["speech"])


def test_no_voice_pauses_for_longer_than_0_6_seconds(clips):
    for row in ROWS:
        if row["labels"] == "silence":
            continue
        samples, sample_rate = clips[row["path"]]
        frames = samples[: len(samples) // 160 * 160].reshape(-1, 160) / 32768  # 10 ms each
        quiet = np.sqrt(np.mean(frames**2, axis=1)) < 0.05 * np.sqrt(np.mean((samples / 32768) ** 2))
        edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
        assert max(edges[1::2] - edges[::2], default=0) * 160 / sample_rate <= 0.6, row["path"]


def test_room_tone_is_the_same_for_a_seed_and_another_for_another():
    from room_tone import ROOMS, room_tone

    for room in ROOMS:
        first, again, other = (room_tone(room, SAMPLE_RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert np.array_equal(first, again), room.name
        assert not np.allclose(first, other), room.name


def test_room_tone_has_the_level_that_the_room_states():
    from room_tone import ROOMS, room_tone

    for room in ROOMS:
        tone = room_tone(room, SAMPLE_RATE, np.random.default_rng(1))
        assert 20 * np.log10(np.sqrt(np.mean(tone**2))) == pytest.approx(room.level_dbfs, abs=1e-6)


def test_hum_of_60_hz_lands_on_the_multiples_of_60_hz():
    from room_tone import mains_hum

    spectrum = np.abs(np.fft.rfft(mains_hum(SAMPLE_RATE, 60.0, 8, np.random.default_rng(1)) * np.hanning(SAMPLE_RATE)))
    near_harmonics = np.abs((np.arange(len(spectrum)) + 30) % 60 - 30) <= 3
    assert np.sum(spectrum[near_harmonics] ** 2) > 0.99 * np.sum(spectrum**2)


def test_a_melody_and_its_singing_are_the_same_for_a_seed_and_another_for_another():
    from singing_voice import sing
    from sung_melody import SINGERS

    first, again, other = (sing(SINGERS[4], 0.5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.allclose(first, other)


def test_a_voice_sings_the_pitch_that_is_written():
    from singing_voice import fundamental_curve
    from sung_melody import SINGERS, Note

    note = Note(start=0.0, duration=2.0, pitch=69.0, vowel="a", consonant=None, ends_phrase=True)
    curve = fundamental_curve(SINGERS[0], [note], 400, np.random.default_rng(1))
    assert np.median(curve) == pytest.approx(440.0, rel=0.01)


def test_singers_stay_between_80_and_720_hz():
    from sung_melody import SINGERS, compose

    pitches = [note.pitch for singer in SINGERS for note in compose(singer, 30.0, np.random.default_rng(1))]
    lowest, highest = (440 * 2 ** ((pitch - 69) / 12) for pitch in (min(pitches), max(pitches)))
    assert lowest > 80
    assert highest < 720


def test_clipping_is_refused_not_hidden():
    from recording import to_pcm16

    assert to_pcm16(np.array([0.5, -0.5])).tolist() == [16384, -16384]
    for peak in (0.99, np.nan):
        with pytest.raises(ValueError, match=r"expected at most 0\.98"):
            to_pcm16(np.array([0.0, peak]))


def test_data_that_is_there_is_not_replaced_without_force(capsys):
    from make_data_short import main

    before = (FOLDER / "clips.csv").stat().st_mtime_ns
    assert main([]) == 2
    assert "--force" in capsys.readouterr().err
    assert (FOLDER / "clips.csv").stat().st_mtime_ns == before


def test_a_missing_espeak_ng_is_named_before_anything_is_written(tmp_path, monkeypatch, capsys):
    pytest.importorskip("soundfile")
    pytest.importorskip("soxr")
    import make_data_short

    monkeypatch.setattr(make_data_short.shutil, "which", lambda program: None)
    assert make_data_short.main(["--out", str(tmp_path)]) == 2
    assert "apt-get install espeak-ng" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_clips_csv_is_what_the_script_plans():
    from make_data_short import SEED, csv_bytes, planned_clips

    assert csv_bytes(planned_clips(SEED)) == (FOLDER / "clips.csv").read_bytes()


def test_a_sentence_spoken_twice_gives_the_same_samples():
    pytest.importorskip("soundfile")
    pytest.importorskip("soxr")
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed, and only it can speak the clips again")
    from spoken_text import VOICES, synthesised

    first, again = (synthesised(VOICES[0], VOICES[0].sentences[2]) for _ in range(2))
    assert np.array_equal(first, again)
    assert 1.0 < len(first) / SAMPLE_RATE < 6.0
