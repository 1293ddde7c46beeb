"""Names with everything in them: what the project writes it reads back equal, in every file that holds a name."""

import csv
import io
import json
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.classify.output_files import write_document, write_lines, write_table
from edge_runtime.listen.event_files import Event, open_event_file
from edge_runtime.tables import markdown_table
from metadata import pack_model, read_model_labels, read_spec
from metadata.csv_line import csv_line
from metadata.joined_names import join_names, split_names
from metadata.labels import format_labels, parse_labels
from train.mixtures.mixture_index import pair_clips
from train.mixtures.mixture_table import read_mixtures, write_mixtures
from train.recordings.clip import Clip, group_of
from train.recordings.clip_index import ClipIndex, combine, find_clips, read_index, write_index

NASTY = r""";|,"'\ =#+-&/:*?<>%$()[]{}@!~^`.""" + "\t\n\r\u200f\u202e\u00e9\u0301\U0001f415\u96e8\u05d0aB1"
texts = st.text(
    st.sampled_from(NASTY) | st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20
)
stripped = texts.map(str.strip).filter(bool)
labels = (
    texts.map(lambda text: unicodedata.normalize("NFC", text))
    .map(lambda text: "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Zl", "Zp", "Cn")))
    .map(str.strip)
    .filter(bool)
)
label_sets = st.lists(labels, min_size=2, max_size=4, unique=True)
file_names = (
    texts.map(lambda text: text.replace("/", "_").replace("\0", "_"))
    .filter(lambda name: len(name.encode()) < 200 and name not in (".", ".."))
    .map(lambda name: f"{name}.wav")
)


@given(st.lists(texts | st.just("") | st.text("\\;|", max_size=6), min_size=1), st.sampled_from(";|+"))
def test_joined_names_come_apart_as_they_were(names, separator):
    assert split_names(join_names(names, separator), separator) == tuple(names)


@pytest.mark.parametrize("name", ["dog", "door knock", r"C:\data\dog", "a\\", "a|b", "e=f#g"])
def test_a_name_without_the_separator_is_written_as_it_is(name):
    assert join_names([name], ";") == name
    assert split_names(name, ";") == (name,)


def test_a_separator_within_a_name_has_a_backslash_in_front():
    assert join_names(["a;b", "c"], ";") == r"a\;b;c"
    assert join_names(["a\\", "c"], ";") == r"a\\;c"


@given(st.lists(texts | st.just(""), min_size=2, max_size=5))
def test_a_line_of_csv_comes_back_from_the_standard_reader(cells):
    assert list(csv.reader(io.StringIO(csv_line(cells), newline=""), strict=True)) == [cells]


def test_a_line_of_csv_is_what_the_standard_writer_writes():
    cells = ["a.wav", "dog, big", 'the "dog"', "x\ny", 0.5, 3, "", None]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    assert csv_line(cells) == text.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(file_names, min_size=1, max_size=4, unique=True), label_sets, st.lists(stripped, min_size=1, max_size=3)
)
def test_an_index_reads_back_equal(names, known, groups):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        root.mkdir()
        for name in names:
            (root / name).write_bytes(b"")
        clips = tuple(
            Clip(name, tuple(known[: 1 + place % 2]), group_of(*groups[: 1 + place % 3]), "train", original=name)
            for place, name in enumerate(names)
        )
        write_index(root / "index.csv", ClipIndex(root, tuple(known), clips))
        assert read_index(root / "index.csv", known).clips == clips
        assert read_index(root / "index.csv").clips == clips
        (Path(folder) / "run").mkdir()
        write_index(Path(folder) / "run" / "split.csv", ClipIndex(root, tuple(known), clips))
        again = read_index(Path(folder) / "run" / "split.csv", known)
        assert [(Path(folder) / "run" / clip.path).resolve() for clip in again.clips] == [root / name for name in names]
        assert [(clip.labels, clip.groups) for clip in again.clips] == [(clip.labels, clip.groups) for clip in clips]


@settings(max_examples=40, deadline=None)
@given(st.lists(file_names, min_size=2, max_size=4, unique=True), label_sets, stripped)
def test_a_table_of_mixtures_reads_back_equal(names, known, group):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in names:
            (root / name).write_bytes(b"")
        clips = tuple(
            Clip(name, (known[place % len(known)],), group_of(f"{group}{place}"), "train")
            for place, name in enumerate(names)
        )
        mixtures = pair_clips(ClipIndex(root, tuple(sorted(known)), clips))
        write_mixtures(root / "mixtures.csv", mixtures)
        read = read_mixtures(root / "mixtures.csv", labels=known)
        pairs = [
            {frozenset(found.clips.clips[place] for place in pair) for pair in found.parts}
            for found in (mixtures, read)
        ]
        assert pairs[0] == pairs[1]
        beside_data = read_mixtures(root / "mixtures.csv", mixtures.clips)
        assert beside_data.parts.tolist() == mixtures.parts.tolist()


@given(label_sets)
def test_a_label_file_reads_back_equal(known):
    assert parse_labels(format_labels(known)) == tuple(known)


@settings(max_examples=20, deadline=None)
@given(label_sets)
def test_the_labels_in_a_model_file_read_back_equal(known):
    packed = pack_model(tiny_classifier(num_labels=len(known)), tiny_spec(labels=tuple(known)))
    assert read_model_labels(packed) == tuple(known)
    assert read_spec(packed).labels == tuple(known)


def _lines(known, name):
    """What `earproof classify` hands to a writer: a model, one recording of one window, its end."""
    row = {
        "start_seconds": 0.0,
        "end_seconds": 1.0,
        "level_dbfs": -20.0,
        "silent": False,
        "scores": dict.fromkeys(known, 0.5),
        "decision": known[:2],
    }
    return [
        {"model": {"labels": known}, "settings": {"phone": False}},
        {"recording": name, "duration_seconds": 1.0, "phone": False},
        row,
        {"clip": {"scores": dict.fromkeys(known, 0.5), "decision": known[:2]}},
    ]


@given(label_sets, file_names)
def test_scores_read_back_equal_from_every_format(known, name):
    table, document, lines = io.StringIO(), io.StringIO(), io.StringIO()
    write_table(_lines(known, name), table)
    rows = list(csv.DictReader(io.StringIO(table.getvalue(), newline="")))
    assert [row["kind"] for row in rows] == ["window", "clip"]
    for row in rows:
        assert row["file"] == name
        assert [key.removeprefix("score_") for key in row if key.startswith("score_")] == known
        assert list(split_names(row["decision"], "+")) == known[:2]
    write_document(_lines(known, name), document)
    (recording,) = json.loads(document.getvalue())["recordings"]
    assert recording["file"] == name
    assert list(recording["windows"][0]["scores"]) == known
    write_lines(_lines(known, name), lines)
    assert [json.loads(line) for line in lines.getvalue().split("\n")[:-1]] == _lines(known, name)


def test_labels_that_would_share_a_column_with_a_count_are_refused():
    lines = [{"model": {"labels": ["1", "dog"], "counts": ["1", "2"]}, "settings": {"phone": False}}]
    with pytest.raises(ValueError, match=r"write --out as \.json or \.jsonl"):
        write_table(lines, io.StringIO())


@settings(max_examples=40, deadline=None)
@given(label_sets)
def test_events_read_back_equal_from_every_format(known):
    events = [Event(label=label, start_seconds=1.0, end_seconds=2.5, peak_score=0.9, mean_score=0.5) for label in known]
    with tempfile.TemporaryDirectory() as folder:
        content = {}
        for suffix in (".jsonl", ".csv", ".txt"):
            file = open_event_file(Path(folder) / f"events{suffix}")
            for event in events:
                file.write(event)
            file.close()
            content[suffix] = (Path(folder) / f"events{suffix}").read_bytes().decode()
    assert [json.loads(line)["label"] for line in content[".jsonl"].split("\n")[:-1]] == known
    assert [row["label"] for row in csv.DictReader(io.StringIO(content[".csv"], newline=""))] == known
    assert [line.split("\t") for line in content[".txt"].split("\n")[:-1]] == [
        ["1.000000", "2.500000", label] for label in known
    ]


@given(st.lists(st.lists(labels, min_size=3, max_size=3), min_size=2, max_size=4))
def test_a_markdown_table_keeps_its_columns(rows):
    lines = markdown_table(rows)
    del lines[1]
    assert [[cell.strip() for cell in split_names(line, "|")[1:-1]] for line in lines] == rows


NFC, NFD = (unicodedata.normalize(form, "Vögel") for form in ("NFC", "NFD"))


def _recordings(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_labels_have_composed_letters_however_the_disk_spells_them(tmp_path):
    index = find_clips(_recordings(tmp_path, f"{NFD}/{NFD}1.wav", "cat/1.wav"))
    assert index.labels == (NFC, "cat")
    assert [clip.path for clip in index.clips] == [f"{NFD}/{NFD}1.wav", "cat/1.wav"]
    assert index.clips[0].group == f"{NFC}/{NFC}1"


def test_composed_and_decomposed_folders_are_one_label(tmp_path):
    _recordings(tmp_path, f"{NFD}/1.wav", f"{NFC}/2.wav", "cat/1.wav")
    assert find_clips(tmp_path).labels == (NFC, "cat")


@pytest.mark.parametrize(("disk", "table"), [(NFD, NFC), (NFC, NFD)])
def test_a_table_finds_files_that_the_disk_spells_otherwise(tmp_path, disk, table):
    _recordings(tmp_path, f"{disk}/1.wav", "cat/1.wav", f"audio/{disk}.wav")
    rows = [f"{table}/1.wav,{table},{table}", f"cat/1.wav,cat,{disk}", f"{table}.wav,{disk},x"]
    (tmp_path / "clips.csv").write_text("\n".join(["path,labels,group", *rows, ""]))
    clips = find_clips(tmp_path).clips
    assert [clip.path for clip in clips] == [f"{disk}/1.wav", "cat/1.wav", f"audio/{disk}.wav"]
    assert [clip.labels for clip in clips] == [(NFC,), ("cat",), (NFC,)]
    assert clips[0].group == clips[1].group == table  # one speaker, in the spelling that came first


@pytest.mark.parametrize(("folder", "listed"), [(NFD, NFC), (NFC, NFD)])
def test_a_label_file_decides_the_spelling(tmp_path, folder, listed):
    _recordings(tmp_path, f"{folder}/1.wav", "cat/1.wav")
    (tmp_path / "labels.txt").write_bytes(format_labels([listed, "cat"]))
    index = find_clips(tmp_path)
    assert index.labels == (listed, "cat")
    assert index.clips[0].labels == (listed,)
    assert find_clips(tmp_path, [folder, "cat"]).clips[0].labels == (folder,)


def test_data_of_two_spellings_join_under_the_first(tmp_path):
    one, two = _recordings(tmp_path / "one", f"{NFC}/1.wav"), _recordings(tmp_path / "two", f"{NFC}/1.wav")
    (one / "labels.txt").write_bytes(format_labels([NFD]))
    both = combine([find_clips(one), find_clips(two)])
    assert both.labels == (NFD,)
    assert {clip.labels for clip in both.clips} == {(NFD,)}


def test_a_path_with_backslashes_of_windows_is_found(tmp_path):
    _recordings(tmp_path, "dog/1.wav", "cat/1.wav")
    (tmp_path / "clips.csv").write_text("path,labels\ndog\\1.wav,dog\ncat\\1.wav,cat\n")
    assert [clip.path for clip in find_clips(tmp_path).clips] == ["dog/1.wav", "cat/1.wav"]


def test_a_file_given_twice_under_two_spellings_is_a_fault(tmp_path):
    _recordings(tmp_path, f"{NFD}.wav", "cat.wav")
    (tmp_path / "clips.csv").write_text(f"path,labels\n{NFD}.wav,a\n{NFC}.wav,a\ncat.wav,b\n./cat.wav,b\n")
    with pytest.raises(ValueError, match="2 faults") as refused:
        find_clips(tmp_path)
    assert f"line 3: '{NFD}.wav' is already on line 2" in str(refused.value)
    assert "line 5: './cat.wav' is already on line 4" in str(refused.value)


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (Clip("a.wav", (" x",), "g"), "the label ' x' is empty or has outer blanks"),
        (Clip("a.wav", (), "g"), "no label"),
        (Clip("a.wav", ("x",), ""), "no group"),
        (Clip("a.wav", ("x",), "g "), "the group 'g ' has outer blanks"),
        (Clip("a.wav", ("x",), "g", licence=" CC0"), "the licence ' CC0' has outer blanks"),
        (Clip("\udce9.wav", ("x",), "g"), "not UTF-8 text"),
    ],
)
def test_what_would_not_read_back_is_not_written(tmp_path, clip, said):
    with pytest.raises(ValueError, match=said):
        write_index(tmp_path / "clips.csv", ClipIndex(tmp_path, ("x",), (clip,)))
    assert not (tmp_path / "clips.csv").exists()


def test_groups_that_look_the_same_are_warned_of(tmp_path):
    _recordings(tmp_path, "1.wav", "2.wav", "3.wav")
    (tmp_path / "clips.csv").write_text("path,labels,group\n1.wav,a,Anna\n2.wav,b,anna\n3.wav,b,an-na\n")
    assert find_clips(tmp_path).notes == ("the groups 'Anna' and 'anna' look the same but count as different",)
