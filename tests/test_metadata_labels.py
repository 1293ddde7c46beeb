import pytest

from metadata.labels import check_labels, format_labels, parse_labels, read_labels, write_labels


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
