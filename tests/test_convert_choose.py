"""The Pareto front and the recommendation, on files whose numbers are given."""

from __future__ import annotations

import pytest

from convert.choose import Candidate, choose, choose_files


def candidate(recipe: str, accuracy: float, size_bytes: int, p50_ms: float, passed: bool = True) -> Candidate:
    return Candidate(
        file=f"net-{recipe}.tflite",
        recipe=recipe,
        accuracy=accuracy,
        accuracy_loss=0.96 - accuracy,
        decision_agreement=accuracy,
        size_bytes=size_bytes,
        p50_ms=p50_ms,
        passed=passed,
    )


FLOAT32 = candidate("float32", 0.96, 1000, 1.0)
FLOAT16 = candidate("float16", 0.96, 500, 1.0)
INT8 = candidate("int8", 0.955, 250, 0.5)


def test_a_file_that_another_beats_in_nothing_worse_is_not_on_the_front():
    choice = choose("net", "waveform", [FLOAT32, FLOAT16, INT8])
    assert choice.front == ("net-float16.tflite", "net-int8.tflite")


def test_two_equal_files_are_both_on_the_front():
    twin = candidate("auto", 0.955, 250, 0.5)
    assert choose("net", "waveform", [INT8, twin]).front == ("net-int8.tflite", "net-auto.tflite")


def test_the_third_digit_of_a_latency_beats_nobody():
    slower = candidate("auto", 0.955, 250, 0.501)
    assert choose("net", "waveform", [INT8, slower]).front == ("net-int8.tflite", "net-auto.tflite")


def test_a_file_that_fails_its_parity_is_neither_on_the_front_nor_recommended():
    failed = candidate("int8", 0.99, 1, 0.1, passed=False)
    choice = choose("net", "waveform", [FLOAT32, failed])
    assert choice.front == ("net-float32.tflite",)
    assert choice.recommended == "net-float32.tflite"


def test_the_fastest_is_recommended_with_what_it_saves_and_loses():
    choice = choose("net", "waveform", [FLOAT32, FLOAT16, INT8])
    assert choice.recommended == "net-int8.tflite"
    for part in ("0.50 ms", "float32 takes 1.00 ms", "loses 0.5 points"):
        assert part in choice.reason


def test_among_equally_fast_files_the_smallest_is_recommended():
    small = candidate("dynamic_int8", 0.95, 200, 0.52)
    assert choose("net", "waveform", [FLOAT32, INT8, small]).recommended == "net-dynamic_int8.tflite"


def test_a_file_with_integer_input_is_on_the_front_but_never_recommended():
    choice = choose("net", "waveform", [FLOAT32, candidate("int8_io", 0.96, 100, 0.1)])
    assert choice.front == ("net-int8_io.tflite",)
    assert choice.recommended == "net-float32.tflite"
    alone = choose("net", "waveform", [candidate("int8_io", 0.96, 100, 0.1)])
    assert alone.recommended == ""


def test_where_nothing_passes_nothing_is_recommended():
    choice = choose("net", "waveform", [candidate("int8", 0.5, 1, 1.0, passed=False)])
    assert (choice.front, choice.recommended) == ((), "")
    assert "no file" in choice.reason


def test_no_files_are_refused():
    with pytest.raises(ValueError, match="expected at least one"):
        choose("net", "waveform", [])


def test_each_model_and_input_form_has_its_own_choice():
    def file(form: str) -> dict:
        return {
            "file": f"net-{form}.tflite",
            "model": "net",
            "input": form,
            "recipe": "float16",
            "size_bytes": 1000,
            "passed": True,
            "test": {"window": {"accuracy": 0.9}},
            "parity": [{"level": 3, "measures": {"decision_agreement": 0.99, "accuracy_loss": 0.01}}],
            "latency": {"end_to_end": {"p50_ms": 1.0}},
        }

    choices = choose_files([file("waveform"), file("spectrogram")])
    assert [choice.input for choice in choices] == ["waveform", "spectrogram"]
    assert {choice.candidates[0].decision_agreement for choice in choices} == {0.99}
    assert {choice.candidates[0].accuracy_loss for choice in choices} == {0.01}
