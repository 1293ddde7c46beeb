"""The table of scores on other machines."""

from convert.report.machines import machine_notes

HERE = {"cpu": "a desk", "architecture": "x86_64", "runtime": "ai-edge-litert 2.3.0"}
BOARD = {"cpu": "unknown", "board": "a board", "architecture": "aarch64", "runtime": "ai-edge-litert 2.3.0"}
OLD_BOARD, OLD_HERE = BOARD | {"runtime": "tflite-runtime 2.14.0"}, HERE | {"runtime": "tflite-runtime 2.14.0"}


def comparison(machine, reference, error, agreement=1.0, passed=True, detail=""):
    measures = {} if detail else {"max_abs_error": error, "decision_agreement": agreement}
    file = {"file": "m-int8.tflite", "name": "x", "passed": passed, "detail": detail, "num_windows": 200}
    return {"machine": machine, "reference": reference, "files": [file | {"measures": measures}]}


def cells(lines):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]


def test_nothing_compared_says_nothing():
    assert machine_notes(None) == []


def test_a_row_is_a_file_and_runtime_and_the_last_column_is_the_worst_against_the_desk():
    found = {
        "same_runtime": [comparison(BOARD, HERE, 1e-7), comparison(OLD_BOARD, OLD_HERE, 2e-4, 0.995)],
        "desk": [
            comparison(BOARD, HERE, 1e-7),
            comparison(OLD_HERE, HERE, 5e-3),
            comparison(OLD_BOARD, HERE, 1e-3, 0.99),
        ],
    }

    assert cells(machine_notes(found)) == [
        ["file", "runtime", "a board", "all, against ai-edge-litert 2.3.0"],
        ["m-int8.tflite", "ai-edge-litert 2.3.0", "1.0e-07, 200/200", "1.0e-07, 200/200"],
        ["m-int8.tflite", "tflite-runtime 2.14.0", "2.0e-04, 199/200", "1.0e-03, 198/200"],
    ]


def test_a_file_that_fails_is_marked_and_named():
    bad = comparison(BOARD, HERE, 0.9, 0.3, passed=False)
    lines = machine_notes({"same_runtime": [bad], "desk": [bad]})

    assert cells(lines)[1][2] == "FAIL: 9.0e-01, 60/200"
    assert lines[-1] == "FAIL level 5: m-int8.tflite: x"


def test_scores_that_are_nan_are_said_to_be():
    bad = comparison(BOARD, HERE, 0, passed=False, detail="3 of 6 values are NaN")
    assert cells(machine_notes({"same_runtime": [bad], "desk": [bad]}))[1][2] == "FAIL: 3 of 6 values are NaN"
