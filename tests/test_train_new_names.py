"""Names of files to write: two clips never get one, nor what a file system takes for one."""

import re

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from hypothesis import given
from hypothesis import strategies as st

import earproof
from metadata.safe_name import MOST_BYTES, safe_part
from train.recordings.clip_index import find_clips, read_index
from train.recordings.import_clips import import_clips
from train.recordings.pitch_shift import copy_name
from train.recordings.store.clip_store import load_clips
from train.recordings.tables.import_names import new_names, tell_renamed
from train.recordings.tables.new_names import (
    check_all_written,
    count_renamed,
    refuse_shared_folders,
    unique_paths,
)

parts = st.text(st.sampled_from('ab.;|<>:"/\\?* \t\n\u0301éÅ\U0001f415') | st.characters(exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("dog bark", "dog bark"),
        ("Vögel 雨 \U0001f415", "Vögel 雨 \U0001f415"),
        ("a/b", "a_b"),
        ("a\\b:c*d?e|f", "a_b_c_d_e_f"),
        ("..", "__"),
        (".", "__"),
        (".hidden", "_.hidden"),
        ("dog.", "dog_"),
        ("con", "_con"),
        ("LPT1.old", "_LPT1.old"),
        ("console", "console"),
        ("new\nline\ttab", "new_line_tab"),
        ("", "_"),
    ],
)
def test_a_part_of_a_path_is_legal_everywhere(name, safe):
    assert safe_part(name) == safe


def test_long_names_are_cut_to_bytes_and_stay_apart():
    one, other = safe_part("é" * 300), safe_part("é" * 301)
    assert one != other
    assert len(one.encode()) <= MOST_BYTES
    assert re.fullmatch("é+-[0-9a-f]{8}", one)


@given(parts)
def test_any_text_becomes_a_legal_part(text):
    safe = safe_part(text)
    assert 0 < len(safe.encode()) <= MOST_BYTES
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', safe)
    assert not safe.startswith(".")
    assert safe == safe.rstrip(". ")


def test_a_taken_name_gets_the_next_number_and_each_keeps_its_own():
    assert unique_paths(["d/a.flac", "d/a.flac", "d/A.flac", "d/a-2.flac", "e/a.flac"]) == [
        "d/a.flac",
        "d/a-3.flac",
        "d/A-4.flac",
        "d/a-2.flac",
        "e/a.flac",
    ]


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a-3", "b", "é", "e\u0301", "A-2"]), max_size=12))
def test_names_are_never_given_twice_whatever_the_file_system_merges(stems):
    given_names = unique_paths([f"x/{stem}.flac" for stem in stems])
    assert len({name.casefold().replace("e\u0301", "é") for name in given_names}) == len(stems)
    assert unique_paths([f"x/{stem}.flac" for stem in stems]) == given_names


def test_what_got_a_number_is_told():
    assert count_renamed(["a", "b"], ["a", "b"]) == ""
    assert "1 name was taken already" in count_renamed(["a", "a"], ["a", "a-2"])


@pytest.mark.parametrize("labels", [("Dog", "dog"), ("a/b", "a_b"), ("con", "_con"), ("Vögel", "Vo\u0308gel")])
def test_labels_that_would_share_a_folder_are_refused(labels):
    with pytest.raises(ValueError, match="would share the folder"):
        refuse_shared_folders(labels)


def test_a_file_system_that_merges_names_is_noticed(tmp_path):
    (tmp_path / "a.flac").write_bytes(b"")
    (tmp_path / "A.flac").hardlink_to(tmp_path / "a.flac")
    with pytest.raises(OSError, match="holds 1 file for 2 clips"):
        check_all_written(tmp_path, ["a.flac", "A.flac"])


def test_copies_at_almost_the_same_pitch_get_names_of_their_own(tmp_path):
    soundfile.write(tmp_path / "1.wav", tone(440, 0.1), SAMPLE_RATE)
    clip = read_index(_table(tmp_path, "1.wav,a")).clips[0]
    names = unique_paths([copy_name(clip, 0, cents) for cents in (0.11, 0.12, 0.13)])
    assert names == [f"pitch_shifted/00000-1+0.1c{number}.flac" for number in ("", "-2", "-3")]


def _table(root, *rows):
    (root / "clips.csv").write_text("\n".join(["path,labels", *rows, ""]))
    return root / "clips.csv"


def _colliding(root):
    """Nineteen clips, ten names in the folder of an older import: each a tone of its own."""
    names = [f"cat/{number}.wav" for number in range(10)]
    names += ["dog/a-b.wav", "dog/a/b.wav", "dog/a-b-2.wav", "dog/x.wav", "dog/x.flac", "dog/x.ogg", "dog/X.wav"]
    names += ["dog/a/b.flac", "dog/a-b.flac"]
    for place, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, tone(200 + 50 * place, 0.5), SAMPLE_RATE)
    return root


def test_import_writes_a_file_for_every_clip_and_keeps_its_sound(tmp_path, capsys):
    root = _colliding(tmp_path / "in")
    command = ["data", "import", str(root), "--into", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert earproof.main(command) == 0
    captured = capsys.readouterr()
    assert "19 clips" in captured.out
    assert "names were taken already" in captured.err
    assert len(list((tmp_path / "out").rglob("*.flac"))) == 19
    before, after = find_clips(root), find_clips(tmp_path / "out")
    assert len(after.clips) == 19
    for old, new in zip(before.clips, after.clips, strict=True):
        samples = [soundfile.read(index.root / clip.path)[0] for index, clip in ((before, old), (after, new))]
        peaks = [np.abs(np.fft.rfft(one[:8000])).argmax() for one in samples]
        assert peaks[0] == peaks[1]
        assert old.group == new.group


def test_import_gives_the_same_names_again(tmp_path):
    clips = find_clips(_colliding(tmp_path / "in")).clips
    assert new_names(clips) == new_names(clips)
    assert "dog/a-b.flac" in new_names(clips)
    assert tell_renamed(clips).startswith("6 names")  # three beside a-b, three beside x


@pytest.mark.parametrize("label", ["..", "../../out", "a/b", "con", "."])
def test_a_label_of_a_table_never_leads_out_of_the_folder(tmp_path, label):
    (tmp_path / "in").mkdir()
    for name in ("1.wav", "2.wav"):
        soundfile.write(tmp_path / "in" / name, tone(440, 0.1), SAMPLE_RATE)
    index = find_clips(_table(tmp_path / "in", f"1.wav,{label}", "2.wav,cat"))
    import_clips(load_clips(index, SAMPLE_RATE, tmp_path / "cache"), SAMPLE_RATE, tmp_path / "into" / "out")
    assert len(list((tmp_path / "into" / "out").rglob("*.flac"))) == 2
    assert len(list(tmp_path.rglob("*.flac"))) == 2
    assert find_clips(tmp_path / "into" / "out").labels == tuple(sorted([label, "cat"]))


def test_import_refuses_labels_of_one_folder_before_it_decodes_and_its_own_recordings(tmp_path, capsys):
    for name in ("Dog/1.wav", "dog/1.wav"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / "in" / name, tone(440, 0.1), SAMPLE_RATE)
    assert earproof.main(["data", "import", str(tmp_path / "in"), "--into", str(tmp_path / "out")]) == 2
    assert "'Dog' and 'dog' would share the folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "in" / ".earproof").write_text("")
    (tmp_path / "in" / "dog").rename(tmp_path / "in" / "cat")
    assert earproof.main(["data", "import", str(tmp_path / "in"), "--into", str(tmp_path / "in"), "--force"]) == 2
    assert "holds the originals" in capsys.readouterr().err
    assert (tmp_path / "in" / "cat" / "1.wav").is_file()
