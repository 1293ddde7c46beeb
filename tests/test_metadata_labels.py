import pytest

from metadata.errors import ModelWarning
from metadata.labels import check_labels, format_labels, listed, parse_labels, read_labels, write_labels


def test_labels_come_back_in_the_order_of_the_file():
    assert parse_labels(b"silence\nsong\nspeech\n") == ("silence", "song", "speech")


def test_the_last_line_end_may_be_missing():
    assert parse_labels(b"silence\nsong") == ("silence", "song")


def test_labels_may_hold_spaces_and_any_script():
    labels = ("door knock", "Vögel", "雨")
    assert parse_labels(format_labels(labels)) == labels


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no labels"),
        (b"\n", "label 1 is empty"),
        (b"silence\n\nspeech\n", "label 2 is empty"),
        (b"silence\n\n", "label 2 is empty"),
        (b"silence\r\nspeech\r\n", "CR line ends"),
        (b"silence\rspeech", "CR line ends"),
        (b"\xef\xbb\xbfsilence\n", "byte order mark"),
        (b"silence\nsilence\n", "silence more than once"),
        (b" silence\n", "no leading or trailing space"),
        (b"sil\tence\n", "no control character"),
        (b"\xff\xfe\n", "not UTF-8"),
    ],
)
def test_a_label_file_that_a_loader_would_misread_is_refused(content, said):
    with pytest.raises(ValueError, match=said):
        parse_labels(content)


def test_a_single_string_is_not_taken_for_a_list_of_letters():
    with pytest.raises(ValueError, match="single string"):
        check_labels("speech")


def test_a_count_that_does_not_match_names_both_numbers(tmp_path):
    write_labels(tmp_path / "labels.txt", ["silence", "song"])
    assert read_labels(tmp_path / "labels.txt", 2) == ("silence", "song")
    with pytest.raises(ValueError, match="has 2 labels but the model puts out 3 scores; was it exported"):
        read_labels(tmp_path / "labels.txt", 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"dog\r\ncat\r\n", "CR LF line ends"),
        (b"\xef\xbb\xbfdog\ncat\n", "byte order mark"),
        ("dog\ncat\n".encode("utf-16"), "UTF-16"),
        ("dog\ncat\n".encode("utf-16-be"), "UTF-16"),
        (b"dog\ncat\n\n\n", "blank line"),
        (b"dog \n\tcat\n", "read as spaces"),
        (b"0 dog\n1 cat\n", "'0 dog' is read as 'dog'"),
        (b"1: dog\r\n2: cat\r\n", "'1: dog' is read as 'dog'"),
    ],
)
def test_a_label_file_that_a_user_gives_is_read_as_it_was_meant_with_a_note(tmp_path, content, said):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.warns(ModelWarning, match=said):
        assert read_labels(tmp_path / "labels.txt") == ("dog", "cat")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no labels"),
        (b"dog\n\ncat\n", "line 2 is blank.*take the line out"),
        (b"dog\ncat\ndog\n", "dog more than once"),
        ("Vögel\nHund\n".encode("latin-1"), "not UTF-8 text; .* save it as UTF-8"),
        ("dog\ncat\n".encode("utf-16")[:-1], "not UTF-8 text"),
        (b"dog\0\ncat\n", "not UTF-8 text"),
        (b"0 dog\n1 dog\n", "dog more than once"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_refused_with_what_to_do(tmp_path, content, said):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_labels(tmp_path / "labels.txt")


def test_a_blank_line_inside_is_a_slip_where_the_model_has_a_score_less(tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"dog\n\ncat\n")
    with pytest.warns(ModelWarning, match="1 blank line"):
        assert read_labels(tmp_path / "labels.txt", 2) == ("dog", "cat")
    with pytest.raises(ValueError, match="line 2 is blank"):
        read_labels(tmp_path / "labels.txt", 3)


@pytest.mark.parametrize(
    "labels", [("0 dog", "2 cat"), ("1 dog", "cat"), ("2 doors", "3 doors"), ("0", "1"), ("0 dog",)]
)
def test_numbers_that_are_no_places_belong_to_the_label(tmp_path, labels):
    write_labels(tmp_path / "labels.txt", labels)
    assert read_labels(tmp_path / "labels.txt") == labels


def test_numbers_are_kept_where_they_are_asked_for(tmp_path):
    write_labels(tmp_path / "labels.txt", ["0 dog", "1 cat"])
    assert read_labels(tmp_path / "labels.txt", keep_numbers=True) == ("0 dog", "1 cat")


def test_labels_are_quoted_in_a_line_where_one_holds_a_comma():
    assert listed(("song", "Vögel")) == ["song", "Vögel"]
    assert listed(("rain, heavy", 'a "b"')) == ['"rain, heavy"', '"a \\"b\\""']
