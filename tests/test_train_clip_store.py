import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

from train.recordings.clip_index import find_clips
from train.recordings.decoding.decode import AudioError
from train.recordings.split import LeakError, split_clips
from train.recordings.store.clip_store import load_clips, short_clips


def test_a_second_load_comes_from_the_cache_and_is_the_same(make_folder, tmp_path, monkeypatch):
    index = find_clips(make_folder())
    first = load_clips(index, SAMPLE_RATE, tmp_path / "cache")
    monkeypatch.setattr("train.recordings.store.clip_store.waveform_blocks", lambda *_: pytest.fail("decoded again"))
    second = load_clips(index, SAMPLE_RATE, tmp_path / "cache")
    assert first.digests == second.digests
    assert all(np.array_equal(one, other) for one, other in zip(first.waveforms, second.waveforms, strict=True))


def test_a_changed_recording_is_decoded_again(make_folder, tmp_path):
    root = make_folder()
    before = load_clips(find_clips(root), SAMPLE_RATE, tmp_path / "cache")
    soundfile.write(root / "low" / "0.wav", tone(300, 2.0), SAMPLE_RATE)
    after = load_clips(find_clips(root), SAMPLE_RATE, tmp_path / "cache")
    assert before.data_sha256() != after.data_sha256()


def test_an_unreadable_file_is_left_out_by_name_or_refused(make_folder, tmp_path):
    root = make_folder()
    (root / "low" / "broken.wav").write_bytes(b"RIFF")
    clips = load_clips(find_clips(root), SAMPLE_RATE, tmp_path / "cache")
    assert len(clips.waveforms) == 8
    assert len(clips.skipped) == 1
    assert "broken.wav" in clips.skipped[0]
    with pytest.raises(AudioError, match=r"broken\.wav"):
        load_clips(find_clips(root), SAMPLE_RATE, tmp_path / "cache", strict=True)


def test_nothing_but_unreadable_files_is_an_error(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.wav").write_bytes(b"")
    with pytest.raises(AudioError, match="none of the 2 recordings"):
        load_clips(find_clips(tmp_path), SAMPLE_RATE, tmp_path / "cache")


def test_a_copy_of_a_recording_on_another_side_is_a_leak(make_folder, tmp_path):
    root = make_folder(clips_per_label=6)
    for number in range(6):  # every clip once more under another name: some copy lands on another side
        (root / "low" / f"copy{number}.wav").write_bytes((root / "low" / f"{number}.wav").read_bytes())
    with pytest.raises(LeakError, match="hold the same audio"):
        load_clips(split_clips(find_clips(root), seed=0), SAMPLE_RATE, tmp_path / "cache")


def test_the_hashes_do_not_depend_on_where_the_folder_lies(make_folder, tmp_path):
    root = make_folder()
    here = load_clips(find_clips(root), SAMPLE_RATE, tmp_path / "cache")
    moved = root.rename(tmp_path / "moved")
    there = load_clips(find_clips(moved), SAMPLE_RATE, tmp_path / "cache")
    assert (here.data_sha256(), here.split_sha256()) == (there.data_sha256(), there.split_sha256())


@pytest.mark.parametrize(("lengths", "count"), [([99, 100, 101], 1), ([100], 0), ([1], 1)])
def test_clips_shorter_than_a_window_are_counted(lengths, count):
    assert short_clips([np.zeros(length) for length in lengths], 100) == count
