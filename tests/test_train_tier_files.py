"""ELAN documents and Praat's TextGrids go through the same checks as tables."""

import sys
import wave

import pytest

from edge_runtime.segments.segment import Segment
from train.annotations.annotated_folder import find_annotations
from train.annotations.annotated_index import annotated_index
from train.annotations.tier_files import read_tiers

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "calls"
        xmin = 0
        xmax = 4
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.1234567
            text = ""
        intervals [2]:
            xmin = 0.1234567
            xmax = 1.5
            text = "a ""loud"" caf\u00e9"
        intervals [3]:
            xmin = 1.5
            xmax = 4
            text = "dog"
""".replace("\n", " \n")  # as Praat ends its lines
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
4
<exists>
1
"IntervalTier"
"calls"
0
4
3
0
0.1234567
""
0.1234567
1.5
"a ""loud"" caf\u00e9"
1.5
4
"dog"
"""
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///a.wav" MIME_TYPE="audio/x-wav" RELATIVE_MEDIA_URL="./a.wav"/>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="120"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1500"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="calls">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="{end}">
        <ANNOTATION_VALUE>{label}</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def _eaf(label="dog", end="ts2"):
    return EAF.replace("{label}", label).replace("{end}", end)


def _written(tmp_path, name, content, encoding="utf-8"):
    (tmp_path / name).write_bytes(content.encode(encoding))
    return tmp_path / name


@pytest.mark.parametrize("content", [LONG, SHORT, LONG.replace("\n", "\r\n")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_grid_of_both_forms_is_read_and_empty_intervals_are_none(tmp_path, content, encoding):
    placed, faults = read_tiers(_written(tmp_path, "a.TextGrid", content, encoding))
    assert faults == []
    assert placed == [
        ("a", "tier 'calls', interval 2", Segment(onset=0.1234567, offset=1.5, label='a "loud" caf\u00e9')),
        ("a", "tier 'calls', interval 3", Segment(onset=1.5, offset=4, label="dog")),
    ]


def test_an_elan_document_is_read_in_seconds(tmp_path):
    placed, faults = read_tiers(_written(tmp_path, "a.eaf", _eaf()))
    assert faults == []
    assert placed == [("a", "tier 'calls', annotation 1", Segment(onset=0.12, offset=1.5, label="dog"))]


def test_rows_of_tiers_have_the_faults_of_all_rows(tmp_path):
    path = _written(tmp_path, "a.eaf", _eaf("dug"))
    _, (fault,) = read_tiers(path, ["dog"])
    assert fault == "tier 'calls', annotation 1, '0.120 1.500 dug': unknown label 'dug'; did you mean dog?"
    _, (fault,) = read_tiers(_written(tmp_path, "a.eaf", _eaf(end="ts3")))
    assert fault == "tier 'calls', annotation 1, '0.120  dog': the offset is missing"
    _, (fault,) = read_tiers(_written(tmp_path, "a.eaf", _eaf("")))
    assert fault.endswith("no label")


@pytest.mark.parametrize(
    "content", [SHORT[: SHORT.index('1.5\n4\n"dog"')], LONG[: LONG.index("        intervals [3]")]]
)
def test_a_text_grid_that_is_cut_off_is_not_read_as_if_it_were_whole(tmp_path, content):
    placed, faults = read_tiers(_written(tmp_path, "a.TextGrid", content))
    assert len(placed) == 1
    assert faults == ["tier 'calls': no interval from 1.5 to 4 s; is the file cut off? Praat's tiers have no gaps"]


def test_points_are_refused_for_they_have_no_length(tmp_path):
    points = LONG.replace("size = 1 \n", "size = 2 \n") + (
        '    item [2]:\n        class = "TextTier" \n        name = "clicks" \n        xmin = 0 \n        xmax = 4 \n'
        '        points: size = 1 \n        points [1]:\n            number = 2.5 \n            mark = "click" \n'
    )
    placed, faults = read_tiers(_written(tmp_path, "a.TextGrid", points))
    assert len(placed) == 2
    assert faults == ["tier 'clicks' holds 1 point without a length; expected intervals: make some, or remove the tier"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.TextGrid", "hello\n", r"no file of Praat that praatio reads.*begins with b'hello"),
        ("a.TextGrid", LONG.replace("1.5", "1,5"), "no file of Praat that praatio reads"),
        ("a.TextGrid", LONG.replace("0.1234567", "1.2e-05"), "no file of Praat that praatio reads"),
        ("a.TextGrid", SHORT.replace("1.5", "1,5"), "no file of Praat that praatio reads.*'1,5'"),
        ("a.TextGrid", LONG.replace("xmin = 0 \n", "xmin = 0.1 \n"), r"begins at 0\.1 s; expected 0"),
        ("a.TextGrid", LONG.replace("xmin = 0 \n", "xmin = -0.1 \n"), r"begins at -0\.1 s; expected 0"),
        ("a.eaf", "hello\n", "no file of ELAN that pympi-ling reads"),
        ("a.eaf", _eaf().replace("MIME_TYPE", 'TIME_ORIGIN="500" MIME_TYPE'), "begin at 500 ms of the document"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path, name, content, expected):
    with pytest.raises(ValueError, match=expected):
        read_tiers(_written(tmp_path, name, content))


@pytest.mark.parametrize(("name", "module"), [("a.TextGrid", "praatio.textgrid"), ("a.eaf", "pympi")])
def test_a_library_that_is_not_installed_is_named_with_what_installs_it(tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=r"is not installed: \./setup\.sh"):
        read_tiers(_written(tmp_path, name, LONG))


def _recording(path):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 8000 * 4)


def test_files_beside_the_recordings_make_a_folder_of_annotations(tmp_path):
    for name in "ab":
        _recording(tmp_path / f"{name}.wav")
    _written(tmp_path, "a.TextGrid", LONG)
    _written(tmp_path, "b.TextGrid", LONG.replace("1.5", "2"))
    _written(tmp_path, "a.txt", "what is said in a")
    assert find_annotations(tmp_path) == tmp_path
    found = annotated_index(tmp_path)
    assert {name: [one.onset for one in events] for name, events in found.events.items()} == {
        "a.wav": [0.1234567, 1.5],
        "b.wav": [0.1234567, 2.0],
    }
    with pytest.raises(ValueError, match="counts in seconds"):
        annotated_index(tmp_path, unit="milliseconds")
    _written(tmp_path, "b.TextGrid", LONG[: LONG.index("        intervals [3]")])
    with pytest.raises(ValueError, match=r"b\.TextGrid, tier 'calls': no interval from 1\.5 to 4 s"):
        annotated_index(tmp_path)
    _written(tmp_path, "b.eaf", _eaf())
    with pytest.raises(ValueError, match=r"annotations of 2 kinds, such as a\.TextGrid and b\.eaf"):
        find_annotations(tmp_path)
