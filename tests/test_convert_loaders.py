"""What a report says of loaders is what the linter says of the files."""

from loader_matrix import make_cases

from convert.report.loaders import describe_loaders, line_of, loader_notes

CASES = make_cases()


def described(tmp_path, *names):
    """The files of the matrix, as a report describes them."""
    for name in names:
        (tmp_path / f"{name}.tflite").write_bytes(CASES[name].content)
    return [{"file": name, **describe_loaders(tmp_path / f"{name}.tflite")} for name in names]


def test_files_are_grouped_by_the_loaders_that_refuse_them(tmp_path):
    lines = loader_notes(described(tmp_path, "softmax", "spectrogram", "int8_weights", "sigmoid"))
    assert lines == [
        "Every loader takes: sigmoid, softmax.",
        "Not for TensorFlow Lite Micro, which refuses it: int8_weights.",
        "Not for the Task library, MediaPipe or MediaPipe in the browser, which refuse it: spectrogram.",
        "Why, and what mends it: `earproof lint FILE`.",
    ]


def test_a_file_is_refused_on_a_phone_where_its_classifiers_refuse_it(tmp_path):
    files = described(tmp_path, "softmax", "spectrogram", "int8_io", "int8_weights")
    refused = {file["file"]: file["refused_by"] for file in files}
    both = ["the Task library", "MediaPipe"]
    assert refused == {"softmax": [], "spectrogram": both, "int8_io": both, "int8_weights": []}


def test_a_report_of_an_older_version_has_no_notes_on_loaders():
    assert loader_notes([{"file": "old.tflite", "refused_by": ["MediaPipe"]}]) == []


def test_one_line_says_who_refuses_a_file(tmp_path):
    described(tmp_path, "softmax", "rank_3")
    assert line_of(tmp_path / "softmax.tflite") == "every loader takes it"
    assert line_of(tmp_path / "rank_3.tflite") == "refused by MediaPipe, MediaPipe in the browser"
