"""Tables as spreadsheets write them: read whole, or refused with the line; nothing is cut."""

import pytest

from metadata.csv_rows import read_rows
from train.recordings.clip_index import find_clips, read_index
from train.recordings.tables.clip_table import read_table

TABLE = "path,labels,group\na.wav,dog,s1\nb.wav,cat,s2\n"


def _rows(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    names, rows = read_rows(tmp_path / "t.csv")
    return names, [(row.line, *row.values.values()) for row in rows]


PLAIN = (("path", "labels", "group"), [(2, "a.wav", "dog", "s1"), (3, "b.wav", "cat", "s2")])


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace(",", "\t").encode("utf-16"),
        TABLE.replace(",", " , "),
        TABLE.replace("dog", ' "dog"'),
        TABLE.replace("\n", ",,\n"),
    ],
)
def test_a_table_reads_the_same_however_a_spreadsheet_saved_it(tmp_path, content):
    assert _rows(tmp_path, content) == PLAIN


def test_the_separator_line_of_excel_is_understood(tmp_path):
    names, rows = _rows(tmp_path, "sep=;\r\n" + TABLE.replace(",", ";"))
    assert names == PLAIN[0]
    assert rows == [(line + 1, *cells) for line, *cells in PLAIN[1]]


def test_labels_joined_by_semicolons_survive_a_table_of_semicolons(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "clips.csv").write_text('path;labels\na.wav;"dog;cat"\nb.wav;cat\n')
    assert [clip.labels for clip in find_clips(tmp_path).clips] == [("dog", "cat"), ("cat",)]


def test_rows_without_any_text_are_no_rows(tmp_path):
    assert _rows(tmp_path, f"\n{TABLE}\n,,\n  ,\n")[1] == [(line + 1, *cells) for line, *cells in PLAIN[1]]


def test_an_unquoted_comma_is_a_fault_with_its_line_and_cuts_nothing(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "clips.csv").write_text("path,labels\na.wav,dog, big\n")
    with pytest.raises(ValueError, match=r"line 2: 3 cells for 2 columns \(a\.wav, dog, big\)") as refused:
        read_index(tmp_path / "clips.csv")
    assert 'quotes: "like, this"' in str(refused.value)


@pytest.mark.parametrize(
    ("row", "is_cut"),
    [("a.wav,0,5,1,25,dog", True), ("a.wav,0, 5, 2,dog", True), ("a, b.wav,0.5,2,dog", False), ("b,a1,0,5,dog", False)],
)
def test_numbers_that_a_decimal_comma_cut_are_told_from_names_with_a_comma(tmp_path, row, is_cut):
    (tmp_path / "t.csv").write_text(f"filename,onset,offset,label\n{row}\n")
    with pytest.raises(ValueError, match=r"line 2: [56] cells for 4 columns") as refused:
        read_rows(tmp_path / "t.csv")
    assert ("write 1.5 for a decimal comma as in 1,5, which makes two columns" in str(refused.value)) == is_cut


def test_a_table_of_semicolons_cuts_no_decimal_comma(tmp_path):
    (tmp_path / "t.csv").write_text("filename;onset;label\na.wav;1;2;3;4\n")
    with pytest.raises(ValueError, match="line 2: 5 cells for 3 columns") as refused:
        read_rows(tmp_path / "t.csv")
    assert "decimal comma" not in str(refused.value)


def test_text_right_of_the_last_named_column_is_a_fault_and_a_nameless_first_one_is_not(tmp_path):
    with pytest.raises(ValueError, match="line 2: 4 cells for 2 columns"):
        _rows(tmp_path, "path,labels,,\na.wav,dog, big,\n")
    assert _rows(tmp_path, ",path,labels\n0,a.wav,dog\n") == (("path", "labels"), [(2, "a.wav", "dog")])


def test_every_row_that_is_too_long_is_named(tmp_path):
    with pytest.raises(ValueError, match="12 faults") as refused:
        _rows(tmp_path, "path,labels\n" + "a.wav,dog,x\n" * 12)
    assert str(refused.value).endswith("and 2 more")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('path,labels\na.wav,"dog\nb.wav,cat\n', "line 3: unexpected end of data; is a quote not closed"),
        ('path,labels\na.wav,"dog\nb.wav,"cat"\n', "line 3: ',' expected after '\"'"),
        ("path,labels,labels\na.wav,dog,cat\n", "has the column labels twice"),
        (TABLE.encode("utf-16-le"), "holds zero bytes"),
        ("path,labels\na.wav,Vögel\n".encode("cp1252"), "is not a CSV table.*save as CSV UTF-8"),
    ],
)
def test_a_table_that_would_be_misread_is_refused(tmp_path, content, said):
    with pytest.raises(ValueError, match=said):
        _rows(tmp_path, content)


def test_quotes_commas_and_line_ends_within_quotes_are_kept(tmp_path):
    _, rows = _rows(tmp_path, 'path,labels\n"a, b.wav","the ""big"" dog"\n"c\r\nd.wav",x\n')
    assert [row[1:] for row in rows] == [("a, b.wav", 'the "big" dog'), ("c\r\nd.wav", "x")]


def test_columns_are_found_in_any_case_and_those_that_are_not_used_are_told(tmp_path):
    for name in ("1", "2"):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
    (tmp_path / "t.csv").write_text("Path,Label,Group,Subset,mood\n1.wav,dog,anna,train,good\n2.wav,cat,bob,test,bad\n")
    clips, notes = read_table(tmp_path / "t.csv")
    assert [(clip.path, clip.labels, clip.group, clip.split) for clip in clips] == [
        ("1.wav", ("dog",), "anna", "train"),
        ("2.wav", ("cat",), "bob", "test"),
    ]
    assert notes == [
        f"{tmp_path / 't.csv'}: took the columns Path as path, Label as labels, Group as group, Subset as split",
        f"{tmp_path / 't.csv'}: the columns mood are not used",
    ]
