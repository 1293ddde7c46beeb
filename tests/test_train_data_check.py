import warnings
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import soxr
from conftest import SAMPLE_RATE

from train.checks.check_plots import plot_check
from train.checks.data_check import check_data
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.decoding.decode import AudioError

SECONDS = 1.5


def _noise(seed, level=0.05, seconds=SECONDS):
    """Noise whose level wavers, different for each seed."""
    rng = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    wavering = 1.0 + 0.8 * np.sin(np.cumsum(rng.uniform(0, 0.004, count)))
    return (level * wavering * rng.standard_normal(count)).astype(np.float32)


class Data:
    """Recordings of two labels, two groups a side, every one sound; tests spoil what they are about."""

    def __init__(self, root, sides=("train", "val", "test"), per_side=2):
        self.root, self.clips, self.samples, self.rates = root, [], {}, {}
        for label in "ab":
            for side in sides:
                for number in range(per_side):
                    name = f"{label}-{side or 'x'}-{number}"
                    self.add(name, _noise(len(self.clips), 0.03 + 0.01 * number), Clip("", (label,), name, side))

    def add(self, name, samples, clip, sample_rate=SAMPLE_RATE):
        self.samples[name], self.rates[name] = samples, sample_rate
        self.clips.append(replace(clip, path=f"{name}.wav"))

    def check(self):
        for clip in self.clips:
            name = clip.path[:-4]
            soundfile.write(self.root / clip.path, self.samples[name], self.rates[name])
        labels = tuple(sorted({label for clip in self.clips for label in clip.labels}))
        return check_data(ClipIndex(self.root, labels, tuple(self.clips)))

    def change(self, name, **changes):
        self.clips = [replace(clip, **changes) if clip.path == f"{name}.wav" else clip for clip in self.clips]


def _kinds(check, level=None):
    return [finding.kind for finding in check.findings if level in (None, finding.level)]


def _only(check, kind):
    (finding,) = [finding for finding in check.findings if finding.kind == kind]
    return finding


def test_data_of_one_label_are_an_error(tmp_path):
    data = Data(tmp_path)
    data.clips = [clip for clip in data.clips if clip.labels == ("a",)]
    found = _only(data.check(), "one_label")

    assert (found.level, found.text) == ("error", "the only label is a; a classifier needs at least two")


def test_sound_data_has_no_finding(tmp_path):
    check = Data(tmp_path, per_side=5).check()
    assert (check.findings, check.passed, check.duplicates) == ([], True, [])


def test_a_group_on_two_sides_is_an_error(tmp_path):
    data = Data(tmp_path)
    for name in ("a-train-0", "a-test-0"):
        data.change(name, group="anna")
    check = data.check()
    assert _only(check, "group_in_two_splits").clips == ("anna: test, train",)
    assert not check.passed


@pytest.mark.parametrize("exact", [True, False])
def test_a_copy_on_another_side_is_an_error(tmp_path, exact):
    data = Data(tmp_path)
    copy = data.samples["a-train-0"]
    data.samples["a-test-0"] = copy if exact else np.round(copy * 0.3 * 32768) / 32768
    finding = _only(data.check(), "same_audio_in_two_splits")
    assert finding.level == "error"
    assert "a-train-0.wav (train) = a-test-0.wav (test)" in finding.clips[0]
    assert ("every sample" in finding.clips[0]) == exact


def test_a_copy_in_another_fold_is_an_error_without_any_split(tmp_path):
    data = Data(tmp_path, sides=("",), per_side=6)
    for place, clip in enumerate(list(data.clips)):
        data.change(clip.path[:-4], fold=str(place % 3))
    data.samples["a-x-1"] = data.samples["a-x-0"]
    check = data.check()
    assert _kinds(check, "error") == ["same_audio_in_two_folds"]


def test_a_copy_in_another_group_is_a_warning_where_no_split_is_given_and_within_a_group_a_note(tmp_path):
    data = Data(tmp_path, sides=("",), per_side=4)
    data.samples["a-x-1"] = data.samples["a-x-0"]
    assert _kinds(data.check(), "warning") == ["same_audio_in_two_groups"]
    data.change("a-x-1", group="a-x-0")
    check = data.check()
    assert _kinds(check) == ["same_audio_in_a_group"]
    assert check.passed


def test_the_same_audio_under_two_labels_is_an_error(tmp_path):
    data = Data(tmp_path, sides=("",), per_side=3)
    data.samples["b-x-0"] = data.samples["a-x-0"]
    finding = _only(data.check(), "same_audio_under_two_labels")
    assert finding.level == "error"
    assert "a-x-0.wav (a) = b-x-0.wav (b)" in finding.clips[0]


def test_a_label_with_one_clip_is_an_error_that_says_so(tmp_path):
    data = Data(tmp_path, sides=("",), per_side=3)
    data.add("only", _noise(99), Clip("", ("c",), "only"))
    finding = _only(data.check(), "few_groups")
    assert (finding.level, finding.clips) == ("error", ("only",))
    assert "c has 1 clip in 1 group" in finding.text


def test_a_test_side_on_which_build_would_recommend_no_file_is_a_warning(tmp_path):
    data = Data(tmp_path, per_side=5)
    data.change("b-test-4", group="b-test-3")
    finding = _only(data.check(), "few_test_groups")
    assert (finding.level, finding.clips) == ("warning", ("b: 4 groups",))
    assert "1 label has fewer than 5 groups on the test side" in finding.text


def test_a_side_without_a_label_is_an_error(tmp_path):
    data = Data(tmp_path)
    data.clips = [clip for clip in data.clips if not clip.path.startswith("b-val")]
    assert "the val side has no clip of b" in _only(data.check(), "label_missing").text


def test_clips_without_a_side_beside_others_with_one_are_an_error(tmp_path):
    data = Data(tmp_path, per_side=5)
    data.change("b-test-4", split="")
    finding = _only(data.check(), "split_half_filled")
    assert (finding.level, finding.clips) == ("error", ("b-test-4.wav",))
    assert finding.text.startswith("1 of 30 clips have no split, and the others have one; give one to all of them")
    half = replace(data.check().index, is_partly_sided=True)  # of several DATA, one of which has no sides
    assert "split_half_filled" not in _kinds(check_data(half))


def test_clipping_offset_and_emptiness_are_warnings_that_name_the_clips(tmp_path):
    data = Data(tmp_path, per_side=3)
    data.samples["a-train-0"] = np.clip(40 * data.samples["a-train-0"], -1, 32767 / 32768)
    data.samples["a-train-1"] = data.samples["a-train-1"] + np.float32(0.05)
    data.samples["b-train-1"] = np.zeros(SAMPLE_RATE, np.float32)
    data.samples["b-train-2"] = data.samples["b-train-2"] * np.float32(0.002)
    check = data.check()
    assert {kind: _only(check, kind).level for kind in ("clipping", "dc", "empty", "quiet")} == dict.fromkeys(
        ("clipping", "dc", "empty", "quiet"), "warning"
    )
    assert _only(check, "clipping").clips[0].startswith("a-train-0.wav")
    assert _only(check, "dc").clips == ("a-train-1.wav: +0.050",)
    assert _only(check, "empty").clips == ("b-train-1.wav",)
    assert _only(check, "quiet").clips[0].startswith("b-train-2.wav: -79 dBFS")
    assert check.passed


def test_a_label_whose_files_have_a_rate_of_their_own_is_a_warning(tmp_path):
    data = Data(tmp_path)
    data.rates = {name: 22_050 if name.startswith("b") else SAMPLE_RATE for name in data.rates}
    finding = _only(data.check(), "rate_by_label")
    assert finding.level == "warning"
    assert finding.clips == ("a: 16000 Hz in 6", "b: 22050 Hz in 6")


def test_rates_that_differ_within_the_labels_are_a_note(tmp_path):
    data = Data(tmp_path)
    data.rates = {name: 22_050 if name.endswith("1") else SAMPLE_RATE for name in data.rates}
    assert _kinds(data.check()) == ["few_test_groups", "rates", "lengths"]


def test_a_label_that_came_from_a_lower_rate_is_an_error_though_all_files_have_one_rate(tmp_path):
    data = Data(tmp_path)
    for name in list(data.samples):
        if name.startswith("b"):
            low = soxr.resample(data.samples[name], SAMPLE_RATE, 8_000)
            data.samples[name] = soxr.resample(low, 8_000, SAMPLE_RATE)
    finding = _only(data.check(), "bandwidth_by_label")
    assert finding.level == "error"
    assert "tells a from b: nothing above 4" in finding.text


def test_a_label_that_its_level_tells_is_a_warning(tmp_path):
    data = Data(tmp_path)
    data.samples = {name: held * 0.05 if name.startswith("b") else held for name, held in data.samples.items()}
    finding = _only(data.check(), "level_by_label")
    assert (finding.level, "tells a from b" in finding.text) == ("warning", True)


def test_far_less_of_one_label_is_a_warning(tmp_path):
    data = Data(tmp_path)
    for number in range(40):
        data.add(f"more-{number}", _noise(100 + number), Clip("", ("a",), f"more-{number}", "train"))
    assert "a has 69 s, b only 9 s" in _only(data.check(), "imbalance").text


def test_a_label_of_which_nothing_can_be_read_is_said_to_have_nothing_and_not_too_few_groups(tmp_path):
    data = Data(tmp_path)
    check = data.check()
    assert check.passed
    for clip in data.clips[:6]:
        (tmp_path / clip.path).write_bytes(b"RIFF")
    found = _only(check_data(check.index.without_split()), "label_missing")
    assert found.text == "a has no recording that can be read; add some, or mend those it has"


def test_unreadable_files_are_an_error_and_the_rest_is_checked(tmp_path):
    data = Data(tmp_path)
    data.check()
    (tmp_path / "a-train-0.wav").write_bytes(b"RIFF")
    check = check_data(ClipIndex(tmp_path, ("a", "b"), tuple(data.clips)))
    assert len(check.index.clips) == len(check.measures) == 11
    assert "a-train-0.wav" in _only(check, "unreadable").clips[0]
    for path in tmp_path.glob("*.wav"):
        path.write_bytes(b"")
    with pytest.raises(AudioError, match="none of the 12 recordings"):
        check_data(ClipIndex(tmp_path, ("a", "b"), tuple(data.clips)))


def test_clips_of_several_labels_count_under_each_and_may_share_a_background(tmp_path):
    data = Data(tmp_path)
    data.change("a-train-0", labels=("a", "b"))
    data.samples["b-train-1"] = (data.samples["a-train-0"] * 0.4).astype(np.float32)
    check = data.check()
    assert _only(check, "same_audio_under_two_labels").level == "note"


def test_errors_come_first_and_a_long_list_is_shortened_on_the_screen(tmp_path):
    data = Data(tmp_path, per_side=3)
    data.samples = {name: held + np.float32(0.05) for name, held in data.samples.items()}
    data.change("a-train-0", split="", group="anna")
    data.change("a-test-0", group="anna")
    check = data.check()
    assert check.findings[0].level == "error"
    described = _only(check, "dc").describe().splitlines()
    assert described[0].startswith("warning: 18 clips have an offset")
    assert described[-1] == "    and 13 more"


def test_pictures_are_written_and_are_pictures(tmp_path):
    paths = plot_check(Data(tmp_path).check(), tmp_path / "plots")
    assert [path.name for path in paths] == ["balance.png", "levels.png", "bandwidth.png", "lengths.png"]
    for path in paths:
        content = path.read_bytes()
        width, height = (int.from_bytes(content[place : place + 4], "big") for place in (16, 20))
        assert content.startswith(b"\x89PNG")
        assert min(width, height) > 200


def test_the_silent_windows_of_each_label_are_counted_and_trim_is_named(tmp_path):
    data = Data(tmp_path)
    for clip in data.clips[:3]:  # of label a: 4 s of sound and 6 s of quiet each, so 2 and 3 windows
        data.samples[clip.path[:-4]] = np.r_[_noise(9, seconds=4.0), np.zeros(6 * SAMPLE_RATE, np.float32)]
    finding = _only(data.check(), "silent_windows")

    assert finding.level == "warning"
    assert finding.clips == ("a: 9 of 18",)
    assert "9 of 24 windows of 2 s are below -50 dBFS" in finding.text
    assert "earproof data trim" in finding.text


def test_a_label_that_is_silence_is_told_as_a_note(tmp_path):
    data = Data(tmp_path)
    for clip in data.clips[:6]:
        data.samples[clip.path[:-4]] = _noise(len(clip.path), level=1e-4)
    finding = _only(data.check(), "silent_windows")

    assert (finding.level, finding.clips) == ("note", ("a: 6 of 6",))


def test_channels_that_cancel_are_named_with_the_one_that_is_heard(tmp_path):
    data = Data(tmp_path)
    name, partly = data.clips[0].path[:-4], data.clips[1].path[:-4]
    data.samples[name] = np.stack([0.5 * _noise(50), -_noise(50)], axis=1)
    sound = _noise(51, seconds=5.0)
    data.samples[partly] = np.stack([sound, np.r_[-sound[:SAMPLE_RATE], sound[SAMPLE_RATE:]]], axis=1)
    check = data.check()

    assert "channel 2 is used" in _only(check, "channels_cancel").clips[0]
    assert _only(check, "channels_cancel").clips[0].startswith(f"{name}.wav: its channels cancel when averaged")
    assert "in 1 of 5 s" in _only(check, "channels_cancel_in_part").clips[0]


def test_float_samples_above_full_scale_are_a_warning(tmp_path):
    data = Data(tmp_path)
    check = data.check()
    assert "above_full_scale" not in _kinds(check)
    path = tmp_path / data.clips[0].path
    soundfile.write(path, 20 * _noise(0), SAMPLE_RATE, subtype="FLOAT")
    finding = _only(check_data(check.index), "above_full_scale")

    peak = 20 * np.abs(_noise(0)).max()
    assert finding.clips == (f"{path.name}: {20 * np.log10(peak):.1f} dB",)


ODD = {
    "one sample": [0.5],
    "all zero": np.zeros(9000),
    "an offset alone": np.full(9000, 0.25),
    "denormal": np.full(9000, 1e-42),
    "alternating": np.tile([1.0, -1.0], 9000),
    "integers saved as float": 32_767 * np.sin(np.arange(9000)),
    "the most that is read": np.tile([1e10, -1e10], 9000),
}


def test_odd_recordings_leak_no_warning_of_numpy(tmp_path):
    data = Data(tmp_path)
    data.check()
    clips = list(data.clips)
    for number, (name, samples) in enumerate(ODD.items()):
        soundfile.write(tmp_path / f"odd-{number}.wav", np.asarray(samples, np.float32), SAMPLE_RATE, subtype="FLOAT")
        clips.append(Clip(f"odd-{number}.wav", ("odd",), name, "train"))
    for bad, samples in (("nan", [0.0, np.nan]), ("far", [1e30, 0.0]), ("none", [])):
        soundfile.write(tmp_path / f"{bad}.wav", np.asarray(samples, np.float32), SAMPLE_RATE, subtype="FLOAT")
        clips.append(Clip(f"{bad}.wav", (bad,), bad, "train"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = check_data(ClipIndex(tmp_path, ("a", "b", "far", "nan", "none", "odd"), tuple(clips)))

    told = " ".join(check.unreadable)
    assert len(check.unreadable) == 3
    assert "far.wav holds a value of 1e+30 at sample 0; expected numbers around -1 to 1" in told
    assert "nan.wav holds NaN or infinity at sample 1" in told
    assert "none.wav holds no samples" in told
    measured = {clip.path: one for clip, one in zip(check.index.clips, check.measures, strict=True)}
    assert measured["odd-2.wav"].dc == 0.25
    assert measured["odd-2.wav"].rms_dbfs == -120.0
    assert measured["odd-4.wav"].clipped_samples == 0
    assert measured["odd-5.wav"].overshoot_db == pytest.approx(20 * np.log10(32_767), abs=0.01)
