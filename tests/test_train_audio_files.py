"""What lies below a data folder: every file and folder is a recording or left out with its reason."""

import os
import socket

import pytest

from train.recordings import left_out
from train.recordings.decoding.audio_files import find_files
from train.recordings.left_out import LeftOut, by_reason, count_left_out, describe_left_out


def _tree(root, *names, content=b""):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def _left(root):
    """The kind of reason by path."""
    return {one.path: one.reason.kind for one in find_files(root).left_out}


def test_recordings_come_folder_by_folder_and_in_any_case_of_their_ending(tmp_path):
    _tree(tmp_path, "b/1.wav", "a/z.flac", "a/b/2.MP3", "a/B.ogg", "a-b/3.wav")
    assert find_files(tmp_path).recordings == ("a/B.ogg", "a/b/2.MP3", "a/z.flac", "a-b/3.wav", "b/1.wav")
    assert find_files(tmp_path).left_out == ()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dog/a.m4a", "other_format"),
        ("dog/a.WMA", "other_format"),
        ("dog/a.raw", "other_format"),
        ("dog/all.zip", "archive"),
        ("dog/notes.txt", "no_sound"),
        ("README", "no_sound"),
        ("dog/.hidden.wav", "hidden"),
        ("dog/._a.wav", "system"),
        ("dog/Thumbs.db", "system"),
    ],
)
def test_a_file_that_is_no_recording_is_left_out_with_its_reason(tmp_path, name, kind):
    _tree(tmp_path, "dog/a.wav", name)
    assert find_files(tmp_path).recordings == ("dog/a.wav",)
    assert _left(tmp_path) == {name: kind}


@pytest.mark.parametrize(
    "folder",
    [
        ".ipynb_checkpoints",
        ".Trash",
        ".Trash-1000",
        ".AppleDouble",
        "__MACOSX",
        "@eaDir",
        "System Volume Information",
        "$RECYCLE.BIN",
        "__pycache__",
        "lost+found",
        ".git",
    ],
)
@pytest.mark.parametrize("place", ["", "dog/", "dog/deep/"])
def test_a_system_folder_is_not_entered_wherever_it_lies(tmp_path, folder, place):
    _tree(tmp_path, "dog/a.wav", "dog/deep/b.wav", f"{place}{folder}/c.wav")
    assert find_files(tmp_path).recordings == ("dog/a.wav", "dog/deep/b.wav")
    assert _left(tmp_path) == {f"{place}{folder}/": "system"}


def test_a_hidden_folder_counts_once_with_all_that_is_in_it(tmp_path):
    _tree(tmp_path, "dog/a.wav", ".cache/dog/b.wav", ".cache/dog/c.wav")
    assert _left(tmp_path) == {".cache/": "hidden"}


def test_names_that_begin_with_an_underscore_are_read(tmp_path):
    _tree(tmp_path, "_silence_/a.wav", "_unknown_/_b.wav")
    assert find_files(tmp_path).recordings == ("_silence_/a.wav", "_unknown_/_b.wav")


@pytest.mark.parametrize("head", [b"RIFF\x24\0\0\0WAVE", b"fLaC", b"OggS", b"ID3\x03", b"FORM\0\0\0\0AIFF"])
def test_sound_without_an_ending_is_told_from_other_files(tmp_path, head):
    _tree(tmp_path, "dog/take1", "dog/take2.bak", content=head + b"\0" * 40)
    _tree(tmp_path, "dog/other.bak", content=b"nothing that sounds")
    assert _left(tmp_path) == {"dog/other.bak": "no_sound", "dog/take1": "no_ending", "dog/take2.bak": "no_ending"}


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000"), "no_ending"),  # W64
        (b"\xff\xfb\x90\x64" + bytes(413) + b"\xff\xfb\x90\x64" + bytes(413), "no_ending"),  # MP3, 128 kbit/s
        (b"\0\0\0\x20ftypM4A " + bytes(20), "other_format"),
        (b"\x1a\x45\xdf\xa3" + bytes(20), "other_format"),  # Matroska
        (b"MThd" + bytes(20), "no_sound"),
        (b"PK\x03\x04" + bytes(20), "no_sound"),
        (b"take one, two dogs", "no_sound"),
    ],
)
def test_a_name_that_says_nothing_is_judged_by_the_first_bytes_as_everywhere(tmp_path, head, reason):
    (tmp_path / "take").write_bytes(head)
    assert _left(tmp_path) == {"take": reason}


def test_a_link_is_followed_to_what_is_not_read_otherwise(tmp_path):
    _tree(tmp_path, "outside/a.wav", "outside/deep/b.wav", "one.wav", "data/dog/c.wav")
    os.symlink(tmp_path / "outside", tmp_path / "data" / "cat")
    os.symlink("../../one.wav", tmp_path / "data" / "dog" / "1.wav")
    assert find_files(tmp_path / "data").recordings == ("cat/a.wav", "cat/deep/b.wav", "dog/1.wav", "dog/c.wav")
    assert _left(tmp_path / "data") == {}


def test_a_link_to_what_is_read_counts_as_such_and_the_recording_keeps_its_own_name(tmp_path):
    _tree(tmp_path, "z/a.wav", "b/b.wav")
    os.symlink("../z/a.wav", tmp_path / "b" / "a.wav")
    os.symlink("z", tmp_path / "a")
    assert find_files(tmp_path).recordings == ("b/b.wav", "z/a.wav")
    assert _left(tmp_path) == {"a/": "link_again", "b/a.wav": "link_again"}


def test_two_links_to_one_file_are_one_recording(tmp_path):
    _tree(tmp_path, "outside.wav", "data/a/1.wav")
    for name in ("2.wav", "3.wav"):
        os.symlink(tmp_path / "outside.wav", tmp_path / "data" / "a" / name)
    assert find_files(tmp_path / "data").recordings == ("a/1.wav", "a/2.wav")
    assert _left(tmp_path / "data") == {"a/3.wav": "link_again"}


def test_loops_and_links_to_nothing_end_the_walk_nowhere(tmp_path):
    _tree(tmp_path, "data/a/1.wav", "secret/2.wav")
    for target, name in (("..", "up"), ("../..", "out"), (".", "self"), ("me.wav", "me.wav"), ("nowhere", "gone.wav")):
        os.symlink(target, tmp_path / "data" / "a" / name)
    assert find_files(tmp_path / "data").recordings == ("a/1.wav",)
    assert _left(tmp_path / "data") == {
        "a/gone.wav": "link_to_nothing",
        "a/me.wav": "link_to_nothing",
        "a/out": "link_loop",
        "a/self": "link_loop",
        "a/up": "link_loop",
    }


def test_what_is_no_file_is_not_opened(tmp_path):
    _tree(tmp_path, "a/1.wav")
    os.mkfifo(tmp_path / "a" / "pipe.wav")  # opening it would wait for ever
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path / "a")  # the path of a socket must be short
        try:
            listener.bind("s.wav")
        finally:
            os.chdir(here)
    assert _left(tmp_path) == {"a/pipe.wav": "no_file", "a/s.wav": "no_file"}


def test_a_folder_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    _tree(tmp_path, "a/1.wav", "b/2.wav")
    scandir = os.scandir

    def closed(path):
        if os.fspath(path).endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert find_files(tmp_path).recordings == ("a/1.wav",)
    assert _left(tmp_path) == {"b/": "closed"}


def test_a_recording_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    _tree(tmp_path, "a/1.wav", "a/2.wav")
    monkeypatch.setattr(os, "access", lambda path, mode: not os.fspath(path).endswith("2.wav"))
    assert _left(tmp_path) == {"a/2.wav": "closed"}


def test_a_name_that_is_not_utf_8_is_told_so_that_it_can_be_printed(tmp_path):
    _tree(tmp_path, "a/1.wav")
    try:
        (tmp_path / "a" / os.fsdecode(b"caf\xe9.wav")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    (line,) = describe_left_out(find_files(tmp_path).left_out)
    assert line == r"left out, 1: a/caf\udce9.wav (the name is not UTF-8 text; rename it)"


def test_an_empty_folder_is_counted(tmp_path):
    _tree(tmp_path, "a/1.wav")
    (tmp_path / "a" / "deep" / "deeper").mkdir(parents=True)
    assert _left(tmp_path) == {"a/deep/deeper/": "empty"}


def test_the_root_itself_must_be_open(tmp_path):
    with pytest.raises(FileNotFoundError):
        find_files(tmp_path / "nowhere")


def test_the_marker_of_a_folder_that_earproof_filled_is_nobodys_file(tmp_path):
    _tree(tmp_path, "dog/a.wav", ".earproof", "pictures/.earproof", "dog/.earproof")
    assert _left(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a/1.3gp", "ffmpeg -i IN.3gp OUT.wav"),
        ("a/1.WMA", "ffmpeg -i IN.WMA OUT.wav"),
        ("a/1.amr", "ffmpeg -i IN.amr OUT.wav"),
        ("a/1.raw", "ffmpeg -f s16le -ar HZ -ac CHANNELS -i IN.raw OUT.wav"),
    ],
)
def test_the_command_that_converts_a_file_names_its_ending(name, command):
    found = [LeftOut(name, left_out.OTHER_FORMAT)]
    assert describe_left_out(found)[0].endswith(f": {command})")
    assert count_left_out(found)["other_format"]["reason"].endswith(command)


def test_lines_count_by_reason_name_three_and_put_the_rare_first():
    found = [LeftOut(f"a/{number}.txt", left_out.NO_SOUND) for number in range(2)]
    found += [LeftOut(f"a/{number}.m4a", left_out.OTHER_FORMAT) for number in range(5)]
    found += [LeftOut("a/new\nline.zip", left_out.ARCHIVE)]
    archive, other, text = describe_left_out(found)
    assert archive == r"left out, 1: a/new\nline.zip (archives; unpack them)"
    assert other.startswith("left out, 5: a/0.m4a, a/1.m4a, a/2.m4a and 2 more (sound of a format that is not read")
    assert text == "2 other files, which are no recordings: a/0.txt, a/1.txt"
    assert [reason.kind for reason in by_reason(found)] == ["archive", "other_format", "no_sound"]
    assert count_left_out(found, most=1)["other_format"]["paths"] == ["a/0.m4a"]
    assert count_left_out(found)["other_format"]["count"] == 5


def test_a_reason_names_every_ending_once_the_most_frequent_first():
    text = left_out.reason_text(left_out.OTHER_FORMAT, ["a.m4a", "b.wma", "c.m4a", "d.amr"])

    assert "ffmpeg -i IN.m4a OUT.wav" in text
    assert text.endswith("; likewise .wma, .amr")
