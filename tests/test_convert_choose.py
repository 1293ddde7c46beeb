"""The Pareto front and the recommendation, on files whose numbers are given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convert.report.choose import Candidate, choose, choose_files
from edge_runtime.scoring.intervals import median_interval


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


def timed(recipe: str, size_bytes: int, samples_ms: list[float], accuracy: float = 0.96) -> Candidate:
    known = candidate(recipe, accuracy, size_bytes, float(np.median(samples_ms)))
    return replace(known, p50_interval_ms=tuple(median_interval(samples_ms)), num_runs=len(samples_ms))


def test_of_latencies_that_five_runs_cannot_tell_apart_the_smaller_file_is_recommended():
    quick = timed("float32", 1000, [0.9, 1.0, 1.0, 1.1, 4.0])
    small = timed("int8", 250, [1.0, 1.1, 1.2, 1.3, 5.0])
    choice = choose("net", "waveform", [quick, small])

    assert choice.recommended == "net-int8.tflite"
    assert "it is as fast as the fastest, as far as 5 runs tell, and none of these is smaller: 1.20 ms" in choice.reason


def test_latencies_that_never_met_are_different():
    quick = timed("float32", 1000, [0.9, 1.0, 1.0, 1.0, 1.1])
    small = timed("int8", 250, [1.2, 1.2, 1.3, 1.3, 5.0])

    assert choose("net", "waveform", [quick, small]).recommended == "net-float32.tflite"


def test_files_that_are_as_fast_and_as_small_are_told_apart_by_accuracy():
    worse, better = timed("int8", 250, [1.0] * 5, 0.95), timed("auto", 250, [1.01] * 5, 0.96)

    assert choose("net", "waveform", [worse, better]).recommended == "net-auto.tflite"


def test_what_is_as_fast_as_the_recommended_file_is_named():
    choice = choose("net", "waveform", [timed("int8", 250, [1.0] * 5), timed("float32", 1000, [1.01] * 5)])

    assert "none is faster: 1.00 ms a window here and 0 kB; as fast as it, but not smaller: float32 (1.01 ms)" in (
        choice.reason
    )
