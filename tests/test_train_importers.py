"""Small trees that look like the real ones; ESC-50 has a file of its own."""

import pytest

from train.recordings.clip_index import find_clips, read_index, write_index
from train.recordings.decoding.audio_files import find_files
from train.recordings.importers import IMPORTERS, recognize
from train.recordings.importers.musan import artists_of, licences_of
from train.recordings.importers.speech_commands import which_side


def _files(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def _text(root, name, *lines):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join([*lines, ""]))


def _esc50(root):
    _files(root, ["audio/1-100032-A-0.wav", "audio/2-13571-A-46.wav"])
    _text(
        root,
        "meta/esc50.csv",
        "filename,fold,target,category,esc10,src_file,take",
        "1-100032-A-0.wav,1,0,dog,True,100032,A",
        "2-13571-A-46.wav,2,46,church_bells,False,13571,A",
    )


def _esc10(root):
    _files(root, ["001 - Dog bark/1-30226-A.ogg", "002 - Rain/2-17367-A.ogg"])


def _urbansound8k(root):
    _files(root, ["audio/fold5/100032-3-0-0.wav", "audio/fold10/100263-2-0-117.wav", "audio/fold10/100263-2-0-121.wav"])
    _text(
        root,
        "metadata/UrbanSound8K.csv",
        "slice_file_name,fsID,start,end,salience,fold,classID,class",
        "100032-3-0-0.wav,100032,0.0,0.317551,1,5,3,dog_bark",
        "100263-2-0-117.wav,100263,58.5,62.5,1,10,2,children_playing",
        "100263-2-0-121.wav,100263,60.5,64.5,1,10,2,children_playing",
    )


def _musan(root):
    _files(root, [f"music/fma/music-fma-000{number}.wav" for number in range(4)])
    _files(root, ["noise/sound-bible/noise-sound-bible-0001.wav", "speech/librivox/speech-librivox-0097.wav"])
    _text(
        root,
        "music/fma/ANNOTATIONS",
        "music-fma-0000 blues Y Cullah",
        "music-fma-0001 blues,rock Y Cullah",
        "music-fma-0002 pop,electronica N Quiet_Music_for_Tiny_Robots composer",
    )
    _text(
        root,
        "music/fma/LICENSE",
        "music-fma-0000.wav, music-fma-0001.wav",
        "http://creativecommons.org/licenses/by-nc-sa/3.0/",
        "==========",
        "music-fma-0002.wav: Public Domain",
        "==========",
        "music-fma-0003.wav: ask the artist",
    )
    _text(root, "noise/sound-bible/LICENSE", "noise-sound-bible-0001 https://creativecommons.org/licenses/by/3.0/us/")
    _text(root, "speech/librivox/LICENSE", "All LibriVox recordings are in the public domain.")
    _text(root, "speech/librivox/ANNOTATIONS", "speech-librivox-0097 f german")


def _flickr8k(root):
    names = ["1000268201_693b08cb0e_0.wav", "1000268201_693b08cb0e_1.wav", "1001773457_577c3a7d70_0.wav"]
    _files(root, [f"wavs/{name}" for name in names])
    _text(root, "wav2spk.txt", *(f"{name} {speaker}" for name, speaker in zip(names, (7, 12, 7), strict=True)))
    _text(root, "wav2capt.txt", f"{names[0]} 1000268201_693b08cb0e.jpg #0")


def _vocalset(root):
    names = [
        "female1/arpeggios/belt/f1_arpeggios_belt_c_a.wav",
        "female1/excerpts/spoken/f1_row_spoken.wav",
        "male11/long_tones/straight/m11_long_straight_a.wav",
    ]
    _files(root, [f"FULL/{name}" for name in names])
    _files(root, ["data_by_technique/belt/f1_arpeggios_belt_c_a.wav", "data_by_singer/female1/again.wav"])


def _csd(root):
    _files(root, [f"english/wav/en{song:03}{key}.wav" for song in (1, 2) for key in "ab"])
    _files(root, ["korean/wav/kr001a.wav", "english/mid/en001a.mid", "english/csv/en001a.csv"])


def _speech_commands(root):
    _files(root, [f"{word}/{speaker}_nohash_0.wav" for word in ("yes", "no") for speaker in ("0a7c2a8d", "ffd2ba2f")])
    _files(root, ["yes/c1d39ce8_nohash_1.wav", "_background_noise_/pink_noise.wav"])
    _text(root, "validation_list.txt", "yes/ffd2ba2f_nohash_0.wav", "no/ffd2ba2f_nohash_0.wav")
    _text(root, "testing_list.txt", "yes/c1d39ce8_nohash_1.wav")


TREES = {
    "esc10": _esc10,
    "esc50": _esc50,
    "urbansound8k": _urbansound8k,
    "musan": _musan,
    "flickr8k": _flickr8k,
    "vocalset": _vocalset,
    "csd": _csd,
    "speech_commands": _speech_commands,
}


def test_every_importer_has_a_tree_here():
    assert set(TREES) == set(IMPORTERS)


@pytest.mark.parametrize("name", TREES)
def test_a_data_set_is_recognized_and_its_index_reads_back(tmp_path, name):
    TREES[name](tmp_path)
    known, reason = recognize(find_files(tmp_path))
    assert known == name
    index = find_clips(tmp_path)
    assert f"read as {IMPORTERS[name].title}" in index.source
    assert f"was read as {IMPORTERS[name].title}, because {reason}; --dataset none" in index.notes[0]
    assert all((tmp_path / clip.path).is_file() for clip in index.clips)
    assert all(clip.licence and clip.source and clip.group for clip in index.clips)
    write_index(tmp_path / "index.csv", index)
    assert read_index(tmp_path / "index.csv").clips == index.clips


@pytest.mark.parametrize("name", TREES)
def test_a_folder_of_labels_is_not_taken_for_a_data_set(tmp_path, name):
    _files(tmp_path, ["music/1.wav", "noise/2.wav", "speech/3.wav", "audio/4.wav", "english/5.wav"])
    assert recognize(find_files(tmp_path)) == ("", "")
    with pytest.raises(ValueError, match="does not hold"):
        find_clips(tmp_path, dataset=name)


def _by_path(root, tree):
    tree(root)
    return {clip.path: clip for clip in find_clips(root).clips}


def test_urbansound8k_slices_of_a_recording_form_a_group(tmp_path):
    clips = _by_path(tmp_path, _urbansound8k)
    clip = clips["audio/fold10/100263-2-0-117.wav"]
    assert (clip.labels, clip.group, clip.fold) == (("children_playing",), "freesound_100263", "10")
    assert clip.licence == "CC BY-NC 3.0"
    assert len({clip.group for clip in clips.values()}) == 2


def test_urbansound8k_lists_every_missing_slice(tmp_path):
    _urbansound8k(tmp_path)
    for name in ("fold5/100032-3-0-0.wav", "fold10/100263-2-0-121.wav"):
        (tmp_path / "audio" / name).unlink()
    with pytest.raises(ValueError, match=r"2 faults:\n.*line 2: no file.*\n.*line 4: no file"):
        find_clips(tmp_path)


def test_musan_gives_artists_as_groups_and_each_recordings_own_licence(tmp_path):
    clips = _by_path(tmp_path, _musan)
    music = [clips[f"music/fma/music-fma-000{number}.wav"] for number in range(4)]
    assert [clip.group for clip in music] == [
        "musan_Cullah",
        "musan_Cullah",
        "musan_Quiet_Music_for_Tiny_Robots",
        "musan_music-fma-0003",
    ]
    assert [clip.licence for clip in music] == [
        "CC BY-NC-SA 3.0",
        "CC BY-NC-SA 3.0",
        "public domain",
        "see music/fma/LICENSE",
    ]
    speech = clips["speech/librivox/speech-librivox-0097.wav"]
    assert (speech.labels, speech.group) == (("speech",), "musan_speech-librivox-0097")
    assert speech.licence == "see speech/librivox/LICENSE"


def test_a_licence_block_that_tells_two_licences_tells_none():
    text = "music-fma-0001 creativecommons.org/licenses/by/3.0 or creativecommons.org/licenses/by-nc/3.0"
    assert licences_of(text, "unknown") == {"music-fma-0001": "unknown"}


def test_a_short_annotation_names_no_artist():
    assert artists_of("music-fma-0001 pop\n\nspeech-librivox-0001 m english somebody\n") == {}


def test_flickr8k_speakers_are_groups(tmp_path):
    clips = _by_path(tmp_path, _flickr8k)
    assert {clip.labels for clip in clips.values()} == {("speech",)}
    assert {clip.group for clip in clips.values()} == {"flickr8k_speaker_7", "flickr8k_speaker_12"}


def test_flickr8k_lines_that_are_no_pair_are_refused(tmp_path):
    _flickr8k(tmp_path)
    _text(tmp_path, "wav2spk.txt", "a.wav 1", "b.wav", "c.wav 2 3")
    with pytest.raises(ValueError, match="2 lines do not hold a file name and a speaker, line 2, 3"):
        find_clips(tmp_path, dataset="flickr8k")


def test_vocalset_reads_each_recording_once_and_spoken_excerpts_as_speech(tmp_path):
    clips = _by_path(tmp_path, _vocalset)
    assert {path: (clip.labels[0], clip.group) for path, clip in clips.items()} == {
        "FULL/female1/arpeggios/belt/f1_arpeggios_belt_c_a.wav": ("song", "vocalset_female1"),
        "FULL/female1/excerpts/spoken/f1_row_spoken.wav": ("speech", "vocalset_female1"),
        "FULL/male11/long_tones/straight/m11_long_straight_a.wav": ("song", "vocalset_male11"),
    }


def test_csd_is_one_singer_and_so_one_group(tmp_path):
    clips = _by_path(tmp_path, _csd)
    assert len(clips) == 5
    assert {(clip.labels, clip.group) for clip in clips.values()} == {(("song",), "csd_singer")}


def test_speech_commands_keeps_the_official_sides_and_speakers(tmp_path):
    clips = _by_path(tmp_path, _speech_commands)
    assert {path: clip.split for path, clip in clips.items()} == {
        "no/0a7c2a8d_nohash_0.wav": "train",
        "no/ffd2ba2f_nohash_0.wav": "val",
        "yes/0a7c2a8d_nohash_0.wav": "train",
        "yes/ffd2ba2f_nohash_0.wav": "val",
        "yes/c1d39ce8_nohash_1.wav": "test",
    }
    assert clips["yes/0a7c2a8d_nohash_0.wav"].group == clips["no/0a7c2a8d_nohash_0.wav"].group


def test_speech_commands_whose_lists_name_missing_files_is_refused(tmp_path):
    _speech_commands(tmp_path)
    _text(tmp_path, "testing_list.txt", "yes/c1d39ce8_nohash_1.wav", "up/00000000_nohash_0.wav")
    with pytest.raises(ValueError, match=r"1 file of .* are not there: up/00000000_nohash_0"):
        find_clips(tmp_path)


LOOKALIKES = {
    "vocalset": [f"{label}/{number}.wav" for label in ("male1", "female1", "noise") for number in range(3)],
    "esc50": [f"{label}/rec{number}.wav" for label in ("101 - Engine ok", "102 - Engine broken") for number in (1, 2)],
    "csd": [f"{label}/my song {number}.wav" for label in ("english", "korean") for number in (1, 2)],
    "musan": [f"{label}/mine/take{number}.wav" for label in ("music", "noise", "speech") for number in (1, 2)]
    + ["music/mine/LICENSE"],
    "flickr8k": ["wavs/1.wav", "wavs/2.wav", "other/3.wav"],
    "speech_commands": ["yes/1.wav", "no/1.wav", "yes/2.wav", "no/2.wav"],
    "urbansound8k": ["dog/1.wav", "cat/1.wav", "metadata/UrbanSound8K.csv"],
}
SIGNS = {
    "flickr8k": ("wav2spk.txt", "1.wav 7", "2.wav 8"),
    "speech_commands": ("validation_list.txt", "yes/1.wav", "no/1.wav"),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_names_of_folders_alone_make_no_data_set(tmp_path, name):
    _files(tmp_path, LOOKALIKES[name])
    if name in SIGNS:
        _text(tmp_path, *SIGNS[name])
    assert recognize(find_files(tmp_path)) == ("", "")
    index = find_clips(tmp_path)
    assert index.labels == tuple(sorted({path.split("/")[0] for path in LOOKALIKES[name] if path.endswith(".wav")}))
    assert [note for note in index.notes if "was read as" in note] == []


@pytest.mark.parametrize("name", SIGNS)
def test_a_file_of_a_data_set_in_a_folder_that_is_none_is_told(tmp_path, name):
    _files(tmp_path, LOOKALIKES[name])
    _text(tmp_path, *SIGNS[name])
    assert find_clips(tmp_path).notes[0].startswith(f"{SIGNS[name][0]} is not read: the recordings are not as in")


COMPANY = ["esc10", "musan", "csd", "flickr8k"]


@pytest.mark.parametrize("name", COMPANY)
def test_a_folder_of_ones_own_beside_a_data_set_is_not_swallowed(tmp_path, name):
    TREES[name](tmp_path)
    _files(tmp_path, ["mine/1.wav"])
    assert "mine" in find_clips(tmp_path).labels
    assert "mine" not in find_clips(tmp_path, dataset=name).labels
    left = {one.path: one.reason.kind for one in find_clips(tmp_path, dataset=name).left_out}
    assert left["mine/1.wav"] == f"not_{name}"


@pytest.mark.parametrize("name", TREES)
def test_every_data_set_can_be_read_as_plain_folders(tmp_path, name):
    TREES[name](tmp_path)
    index = find_clips(tmp_path, dataset="none")
    assert index.labels == tuple(sorted({clip.path.split("/")[0] for clip in index.clips}))
    assert {clip.licence for clip in index.clips} == {""}


@pytest.mark.parametrize("name", TREES)
def test_all_that_lies_in_a_data_set_is_a_clip_its_table_or_counted(tmp_path, name):
    TREES[name](tmp_path)
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    index = find_clips(tmp_path)
    used = {clip.path for clip in index.clips} | {one.path for one in index.left_out} | {*IMPORTERS[name].signs}
    assert there <= used


def test_vocalset_and_speech_commands_say_why_they_leave_recordings_out(tmp_path):
    _vocalset(tmp_path / "vocalset")
    _speech_commands(tmp_path / "speech_commands")
    kinds = [
        {one.path: one.reason.kind for one in find_clips(tmp_path / name).left_out}
        for name in ("vocalset", "speech_commands")
    ]
    assert kinds[0]["data_by_technique/belt/f1_arpeggios_belt_c_a.wav"] == "vocalset_again"
    assert kinds[1] == {"_background_noise_/pink_noise.wav": "no_word"}


def test_the_small_edition_of_speech_commands_has_speakers_and_no_sides(tmp_path):
    _speech_commands(tmp_path)
    for name in ("validation_list.txt", "testing_list.txt"):
        (tmp_path / name).unlink()
    clips = find_clips(tmp_path).clips
    assert {clip.split for clip in clips} == {""}
    assert {clip.group for clip in clips} == {
        f"speech_commands_{name}" for name in ("0a7c2a8d", "ffd2ba2f", "c1d39ce8")
    }


def test_silence_and_unknown_are_labels_of_speech_commands_on_sides_by_its_rule(tmp_path):
    _speech_commands(tmp_path)
    _files(tmp_path, [f"_silence_/{number}.wav" for number in range(60)] + ["_unknown_/0a7c2a8d_nohash_0.wav"])
    index = find_clips(tmp_path)
    assert index.labels == ("_silence_", "_unknown_", "no", "yes")
    silence = [clip for clip in index.clips if clip.labels == ("_silence_",)]
    assert {clip.split for clip in silence} == {"train", "val", "test"}
    assert len({clip.group for clip in silence}) == 60
    unknown = next(clip for clip in index.clips if clip.labels == ("_unknown_",))
    assert unknown.group == "speech_commands_0a7c2a8d"


def test_one_of_the_two_lists_of_speech_commands_is_an_error(tmp_path):
    _speech_commands(tmp_path)
    (tmp_path / "testing_list.txt").unlink()
    with pytest.raises(ValueError, match=r"has no testing_list\.txt beside validation_list\.txt"):
        find_clips(tmp_path)


def test_the_rule_of_speech_commands_gives_its_published_sides():
    # The lists begin with right/a69b9b3e_nohash_0.wav (validation) and right/bb05582b_nohash_3.wav (testing).
    sides = [which_side(name) for name in ("a69b9b3e_nohash_0.wav", "bb05582b_nohash_3.wav")]
    assert sides == ["val", "test"]
    assert which_side("a69b9b3e_nohash_4.wav") == which_side("a69b9b3e_nohash_0.wav")
