import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

from train.recordings.clip_index import find_clips, read_index
from train.recordings.decoding.decode import AudioError
from train.recordings.trim import TrimSettings, find_sound, trim_clips

NO_MARGIN = TrimSettings(margin_seconds=0.0)


def _padded(before, sound, after, sample_rate=SAMPLE_RATE, amplitude=0.3):
    quiet = [np.zeros(int(seconds * sample_rate), np.float32) for seconds in (before, after)]
    return np.concatenate([quiet[0], tone(440, sound, amplitude, sample_rate), quiet[1]])


def _folder(root, **clips):
    for name, samples in clips.items():
        label, number = name.split("_")
        (root / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(root / label / f"{number}.wav", samples, SAMPLE_RATE)
    return root


def test_sound_is_found_between_the_quiet_to_a_frame():
    first, last = find_sound(_padded(1.0, 0.5, 2.0)[:, None], SAMPLE_RATE, NO_MARGIN)
    assert first == pytest.approx(1.0 * SAMPLE_RATE, abs=320)
    assert last == pytest.approx(1.5 * SAMPLE_RATE, abs=320)


def test_a_margin_is_kept_but_never_more_than_there_is():
    samples = _padded(0.05, 0.5, 1.0)[:, None]
    first, last = find_sound(samples, SAMPLE_RATE, TrimSettings(margin_seconds=0.2))
    assert first == 0
    assert last == pytest.approx(0.75 * SAMPLE_RATE, abs=320)


def test_sound_to_the_last_sample_is_kept_to_the_last_sample():
    samples = tone(440, 1.0)[: SAMPLE_RATE - 7, None]
    assert find_sound(samples, SAMPLE_RATE, NO_MARGIN) == (0, SAMPLE_RATE - 7)


def test_the_level_is_that_of_the_loudest_channel():
    loud = _padded(1.0, 0.5, 1.0)
    stereo = np.stack([np.zeros_like(loud), loud], axis=1)
    assert find_sound(stereo, SAMPLE_RATE, NO_MARGIN) == find_sound(loud[:, None], SAMPLE_RATE, NO_MARGIN)


@pytest.mark.parametrize(("amplitude", "kept"), [(0.0100, True), (0.0020, False)])  # RMS -43 and -57 dBFS
def test_what_is_below_the_threshold_is_quiet(amplitude, kept):
    assert (find_sound(tone(440, 1.0, amplitude)[:, None], SAMPLE_RATE, NO_MARGIN) is not None) == kept


def test_new_files_and_an_index_with_the_cuts_are_written_and_the_originals_stay(tmp_path):
    samples = _padded(1.0, 0.5, 2.0)
    root = _folder(tmp_path / "in", a_1=samples, b_1=tone(300, 1.0), b_2=np.zeros(SAMPLE_RATE))
    before = {path: path.read_bytes() for path in root.rglob("*.wav")}
    done = trim_clips(find_clips(root), tmp_path / "out", TrimSettings())
    assert {path: path.read_bytes() for path in root.rglob("*.wav")} == before
    assert [clip.path for clip in done.index.clips] == ["a/1.flac", "b/1.flac"]
    assert len(done.left_out) == 1
    assert "b/2.wav is quieter than -50 dBFS all through" in done.left_out[0]
    clip = read_index(tmp_path / "out" / "clips.csv").clips[0]
    assert (clip.original, clip.group) == ("a/1.wav", "a/1")
    cut, rate = soundfile.read(tmp_path / "out" / "a" / "1.flac")
    start, end = round(float(clip.start_s) * rate), round(float(clip.end_s) * rate)
    stored, _ = soundfile.read(root / "a" / "1.wav")
    np.testing.assert_array_equal(cut, stored[start:end])
    assert (done.seconds_before, done.seconds_after) == (pytest.approx(4.5), pytest.approx(0.7 + 1.0, abs=0.05))


def test_a_second_trim_counts_from_the_first_recording(tmp_path):
    root = _folder(tmp_path / "in", a_1=_padded(1.0, 1.0, 1.0), b_1=tone(300, 1.0))
    first = trim_clips(find_clips(root), tmp_path / "once", TrimSettings(margin_seconds=0.4))
    again = trim_clips(first.index, tmp_path / "twice", TrimSettings(margin_seconds=0.1)).index.clips[0]
    assert again.original == "a/1.wav"
    assert float(again.start_s) == pytest.approx(0.9, abs=0.03)
    assert float(again.end_s) == pytest.approx(2.1, abs=0.03)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_rate_channels_and_every_sample_are_kept(tmp_path, subtype):
    stereo = np.stack([tone(440, 1.0, sample_rate=44_100), tone(660, 1.0, sample_rate=44_100)], axis=1)
    for label in ("a", "b"):
        (tmp_path / "in" / label).mkdir(parents=True)
        soundfile.write(tmp_path / "in" / label / "1.wav", stereo, 44_100, subtype=subtype)
    trim_clips(find_clips(tmp_path / "in"), tmp_path / "out", NO_MARGIN)
    info = soundfile.info(tmp_path / "out" / "a" / "1.flac")
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, subtype)
    cut, stored = (soundfile.read(tmp_path / name)[0] for name in ("out/a/1.flac", "in/a/1.wav"))
    np.testing.assert_array_equal(cut, stored[: len(cut)])


def test_the_folder_of_the_originals_is_refused(tmp_path):
    root = _folder(tmp_path / "in", a_1=tone(300, 1.0), b_1=tone(400, 1.0))
    for folder in (root, tmp_path, root / "a"):
        with pytest.raises(ValueError, match="holds the originals"):
            trim_clips(find_clips(root), folder, TrimSettings(), force=True)


def test_two_recordings_that_would_get_one_name_get_two(tmp_path):
    root = _folder(tmp_path / "in", a_1=tone(300, 1.0), b_1=tone(400, 1.0))
    soundfile.write(root / "a" / "1.flac", tone(300, 1.0), SAMPLE_RATE)
    done = trim_clips(find_clips(root), tmp_path / "out", TrimSettings())
    assert [clip.path for clip in done.index.clips] == ["a/1.flac", "a/1-2.flac", "b/1.flac"]
    assert [clip.original for clip in done.index.clips] == ["a/1.flac", "a/1.wav", "b/1.wav"]
    assert "1 name was taken already" in done.renamed
    assert len(list((tmp_path / "out").rglob("*.flac"))) == 3


def test_a_label_that_is_silent_on_purpose_is_not_thrown_away(tmp_path):
    root = _folder(tmp_path / "in", silence_1=np.zeros(9000), silence_2=np.zeros(9000), song_1=tone(300, 1.0))
    with pytest.raises(ValueError, match=r"nothing would be left of silence: .*nothing was written"):
        trim_clips(find_clips(root), tmp_path / "out", TrimSettings())
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".earproof"]  # whose folder it is


def test_nothing_but_silence_is_an_error(tmp_path):
    root = _folder(tmp_path / "in", a_1=np.zeros(9000), b_1=np.zeros(9000))
    with pytest.raises(AudioError, match="none of the 2 recordings is left"):
        trim_clips(find_clips(root), tmp_path / "out", TrimSettings())


@pytest.mark.parametrize(
    "settings", [{"threshold_dbfs": 0.0}, {"threshold_dbfs": float("nan")}, {"margin_seconds": -1.0}]
)
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(ValueError, match="expected"):
        TrimSettings(**settings)
