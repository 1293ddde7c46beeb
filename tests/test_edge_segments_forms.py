"""Segments are written in each form and read back equal; what a form cannot hold is refused, never changed."""

import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_runtime.segments.forms import FORMS
from edge_runtime.segments.read_segments import read_segments
from edge_runtime.segments.segment import Segment
from edge_runtime.segments.write_segments import segments_text, write_segments

NASTY = r""";|,"'\ =#+-&/:*?<>%$()[]{}@!~^`.""" + "\t\n\u200f\u00e9\u0301\U0001f415\u96e8\u05d0aB1"
texts = st.text(st.sampled_from(NASTY) | st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
labels = texts.map(lambda text: "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Zl", "Zp")).strip())
plain_labels = labels.filter(bool)
times = st.integers(0, 10**11).map(lambda microseconds: microseconds / 1e6)
scores = st.none() | st.integers(0, 10**6).map(lambda millionths: millionths / 1e6)
DOG = Segment(onset=0.5, offset=1.25, label="dog")


@st.composite
def segment_lists(draw, label=plain_labels, least=0):
    found = []
    for _ in range(draw(st.integers(least, 4))):
        onset, offset = sorted((draw(times), draw(times)))
        assume(onset < offset)
        found.append(Segment(onset=onset, offset=offset, label=draw(label), score=draw(scores)))
    return tuple(sorted(found, key=lambda one: (one.onset, one.offset, one.label)))


names = texts.filter(
    lambda name: name.strip() and name.splitlines() == [name] and "\t" not in name and "\0" not in name
)


def _read_back(tmp_path_factory, recordings, form, name="scene.txt"):
    path = tmp_path_factory.mktemp("segments") / name
    write_segments(path, recordings, form)
    return read_segments(path, form)


@pytest.mark.parametrize("form", ["csv", "dcase", "json"])
@settings(max_examples=60, deadline=None)
@given(recordings=st.dictionaries(names, segment_lists(), min_size=1, max_size=3))
def test_tables_and_json_read_back_equal_whatever_the_labels_and_names(tmp_path_factory, form, recordings):
    assert _read_back(tmp_path_factory, recordings, form) == recordings


@settings(max_examples=60, deadline=None)
@given(recordings=st.dictionaries(names, segment_lists(least=1), min_size=1, max_size=3))
def test_a_selection_table_reads_back_equal_where_every_recording_has_segments(tmp_path_factory, recordings):
    assert _read_back(tmp_path_factory, recordings, "raven") == recordings


@settings(max_examples=60, deadline=None)
@given(segments=segment_lists(least=1))
def test_a_label_track_reads_back_equal_but_for_the_scores(tmp_path_factory, segments):
    read = _read_back(tmp_path_factory, {"whatever.wav": segments}, "audacity")
    assert read == {"scene": tuple(Segment(onset=s.onset, offset=s.offset, label=s.label) for s in segments)}


@settings(max_examples=60, deadline=None)
@given(
    recordings=st.dictionaries(
        names.filter(lambda name: name.split() == [name]),
        segment_lists(plain_labels.filter(lambda label: len(label.split()) == 1 and label != "<NA>"), least=1),
        min_size=1,
        max_size=3,
    )
)
def test_rttm_reads_back_equal_where_labels_and_names_have_no_blanks(tmp_path_factory, recordings):
    assert _read_back(tmp_path_factory, recordings, "rttm") == recordings


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("label", ["a\tb", "a\nb", " a", "a\u2028b"])
def test_a_label_with_a_control_character_or_outer_blanks_is_refused_by_every_form(form, label):
    with pytest.raises(ValueError, match=r"a\.wav, 0 to 1 s: label 1 is"):
        segments_text({"a.wav": [Segment(onset=0, offset=1, label=label)]}, form)


@pytest.mark.parametrize(("name", "label"), [("my dog.wav", "dog"), ("a.wav", "door knock"), ("a.wav", "<NA>")])
def test_rttm_refuses_what_blanks_would_cut(name, label):
    with pytest.raises(ValueError, match="RTTM"):
        segments_text({name: [Segment(onset=0, offset=1, label=label)]}, "rttm")


def test_a_label_track_of_two_recordings_and_a_segment_of_nothing_are_refused():
    with pytest.raises(ValueError, match="not of 2 recordings"):
        segments_text({"a.wav": [DOG], "b.wav": [DOG]}, "audacity")
    with pytest.raises(ValueError, match="shorter than a microsecond"):
        segments_text({"a.wav": [Segment(onset=1.0, offset=1.0000001, label="dog")]}, "csv")


def test_each_form_is_what_its_readers_expect():
    recordings = {"a.wav": [DOG]}
    assert segments_text(recordings, "csv") == "filename,onset,offset,event_label\na.wav,0.5,1.25,dog\n"
    assert segments_text(recordings, "dcase") == "filename\tonset\toffset\tevent_label\na.wav\t0.5\t1.25\tdog\n"
    assert segments_text(recordings, "audacity") == "0.500000\t1.250000\tdog\n"
    assert segments_text(recordings, "rttm") == "SPEAKER a.wav 1 0.5 0.75 <NA> <NA> dog <NA> <NA>\n"
    assert segments_text(recordings, "raven").splitlines()[1] == "1\tWaveform 1\t1\t0.5\t1.25\ta.wav\t0.5\tdog\t"


@pytest.mark.parametrize(
    ("name", "content", "recording"),
    [
        ("t.csv", "event_label,source,offset,onset,filename\ndog,x,1.25,0.5,a.wav\n", "a.wav"),
        ("t.csv", "label;start_seconds;end_seconds\ndog;0.5;1.25\n", "t"),
        ("t.tsv", "a.wav\t0.5\t1.25\tdog\n", "a.wav"),
        ("t.txt", "a.wav\t0.5\t1.25\tdog\n", "a.wav"),
        ("t.txt", "0.500000\t1.250000\tdog\n\\\t1000.0\t2000.0\n", "t"),
        ("r1.Table.1.selections.txt", "Selection\tBegin Time (s)\tEnd Time (s)\tSpecies\n1\t0.5\t1.25\tdog\n", "r1"),
        (
            "t.txt",  # the second file of a sequence, which begins at 100 s
            "Begin File\tFile Offset (s)\tBegin Time (s)\tEnd Time (s)\tAnnotation\na.wav\t0.5\t100.5\t101.25\tdog\n",
            "a.wav",
        ),
        (
            "t.txt",  # one selection in two views
            "Selection\tView\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
            "1\tWaveform 1\t0.5\t1.25\tdog\n1\tSpectrogram 1\t0.5\t1.25\tdog\n",
            "t",
        ),
        ("t.rttm", ";; a comment\nSPEAKER a 1 0.5 0.75 <NA> <NA> dog <NA> <NA>\n", "a"),
    ],
)
def test_what_other_tools_write_is_read(tmp_path, name, content, recording):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_segments(tmp_path / name) == {recording: (DOG,)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("filename,onset,offset,event_label\na.wav,2,1,dog\n", r"line 2, 'a\.wav,2,1,dog': from 2 to 1; expected"),
        ("filename,onset,offset,event_label\na.wav,soon,1,dog\n", r"line 2, .*the onset is 'soon'"),
        ("filename;onset;offset;event_label\na.wav;0,5;1;dog\n", r"line 2, .*decimal comma; write 0\.5"),
        (
            "filename,onset,offset,event_label\na.wav,0,5,1,25,dog\n",
            r"line 2: 6 cells .*write 1\.5 for a decimal comma",
        ),
        ("filename,onset,offset,event_label\na.wav,0,5,2,dog\n", r"line 2: 5 cells .*write 1\.5 for a decimal comma"),
        ("filename,onset,offset,event_label\na.wav,0,1,\n", r"line 2, .*no label"),
        ("filename,onset,offset,event_label\na.wav,0,nan,dog\n", r"line 2, .*expected a finite number"),
        ("filename,onset,offset,event_label\na.wav,0,1,dug\n", r"line 2, .*unknown label 'dug'; did you mean dog"),
        (
            "filename,begin,event_label\na.wav,0,dog\n",
            r"line 1, 'filename,begin,event_label', names no column for offset",
        ),
    ],
)
def test_a_faulty_table_is_refused_with_the_line(tmp_path, content, expected):
    (tmp_path / "t.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=expected):
        read_segments(tmp_path / "t.csv", labels=["dog", "cat"])


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.txt", "0,5\t1,25\tdog\n", r"line 1, '0,5\\t1,25\\tdog': the onset '0,5' has a decimal comma"),
        ("t.txt", "once upon a time\n", r"line 1 is 'once upon a time'; expected csv, dcase"),
        ("t.rttm", "a 0 1 dog\n", r"line 1, 'a 0 1 dog': expected SPEAKER"),
        ("t.json", '{"recordings":\n {"a": [}}', r"line 2, ' \{\"a\": \[\}\}': Expecting value"),
        ("t.json", '{"recordings": {"a": [{"onset": 1}]}}', r"segment 1 of 'a', \{\"onset\": 1\}: expected onset"),
    ],
)
def test_a_file_in_the_wrong_form_is_refused_with_the_line(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=expected):
        read_segments(tmp_path / name)


def test_all_faults_of_a_file_are_listed_at_once(tmp_path):
    lines = ["filename,onset,offset,event_label", *(f"a.wav,{n},{n},dog" for n in range(12)), "a.wav,0,1,dog"]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ValueError, match=r"has 12 faults:\n  line 2(.*\n)*.*line 11.*\n  and 2 more"):
        read_segments(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["", "a\n", "a\tb", "a\u2028b"])
def test_a_recording_whose_name_breaks_the_line_is_refused(name):
    with pytest.raises(ValueError, match="no name that a table of segments can hold"):
        segments_text({name: [DOG]}, "raven")
