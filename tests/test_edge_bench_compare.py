import numpy as np
import pytest

from edge_runtime.bench.compare import block_length, compare_results, format_comparison, median_ratio_interval

MACHINE = {"cpu": "A53", "architecture": "aarch64", "cores": 4, "runtime": "ai-edge-litert 2.1.6", "python": "3.11.2"}


def samples(median=1.0, count=200, seed=0, spread=0.05):
    return (median * np.exp(np.random.default_rng(seed).normal(0.0, spread, count))).tolist()


def sluggish(median=1.0, count=200, seed=0, memory=0.9):
    """Samples that resemble those before them, as on a machine whose clock drifts."""
    noise = np.random.default_rng(seed).normal(0.0, 0.02, count)
    drift = np.zeros(count)
    for place in range(1, count):
        drift[place] = memory * drift[place - 1] + noise[place]
    return median * np.exp(drift)


def entry(file="m.tflite", threads=1, invoke=1.0, cold=None, seed=0, **changes):
    made = {
        "file": f"/some/where/{file}",
        "model": "m",
        "recipe": "float32",
        "model_sha256": "a" * 64,
        "num_threads": threads,
        "num_runs": 200,
        "audio_sha256": "b" * 64,
        "sample_rate": 16_000,
        "invoke": {"samples_ms": samples(invoke, seed=seed)},
        "end_to_end": {"samples_ms": samples(2 * invoke, seed=seed + 1)},
        "cold_start": None if cold is None else {"first_label": {"samples_ms": cold}},
    }
    return made | changes


def result(*entries, **machine):
    return {"machine": MACHINE | machine, "files": list(entries), "warnings": []}


def test_a_file_that_takes_half_as_long_has_a_ratio_of_a_half_with_an_interval_around_it():
    invoke, end_to_end = compare_results(result(entry(seed=1)), result(entry(invoke=0.5, seed=7))).ratios

    assert invoke.ratio == pytest.approx(0.5, rel=0.03)
    assert invoke.interval.lower < invoke.ratio < invoke.interval.upper < 0.55
    assert (invoke.stage, end_to_end.stage) == ("invoke", "end_to_end")


def test_the_same_seed_gives_the_same_interval_and_the_same_result_a_ratio_of_1():
    a = result(entry())
    first, again = (compare_results(a, a, seed=3).ratios[0] for _ in range(2))

    assert first == again
    assert first.ratio == 1.0
    assert first.interval.lower <= 1.0 <= first.interval.upper


def test_intervals_of_independent_runs_hold_the_true_ratio_about_as_often_as_they_claim():
    trials = [
        median_ratio_interval(samples(seed=seed), samples(seed=1000 + seed), num_resamples=400)[0]
        for seed in range(100)
    ]

    assert 88 <= sum(interval.lower <= 1.0 <= interval.upper for interval in trials) <= 100


def test_runs_that_resemble_their_neighbours_are_drawn_in_longer_blocks_and_give_wider_intervals():
    drifting, shuffled = sluggish(), np.random.default_rng(0).permutation(sluggish())
    wide, lengths = median_ratio_interval(drifting, drifting[::-1])
    narrow, short = median_ratio_interval(shuffled, shuffled[::-1])

    assert lengths[0] >= 2 * short[0]
    assert wide.upper - wide.lower > 1.3 * (narrow.upper - narrow.lower)


def test_blocks_are_never_longer_than_a_quarter_of_the_runs():
    assert block_length(np.arange(100.0)) == 25
    assert block_length(np.arange(8.0)) == 2


def test_what_differs_is_said_before_any_ratio():
    a, b = result(entry()), result(entry(model_sha256="c" * 64, sample_rate=48_000), cpu="A72", governor="performance")
    text = format_comparison(compare_results(a, b))

    assert text.splitlines()[:4] == [
        "differs: machine: cpu: A53 / A72",
        "differs: machine: governor: (not reported) / performance",
        "differs: m.tflite: model_sha256: aaaaaaaaaaaa / cccccccccccc",
        "differs: m.tflite: sample_rate: 16000 / 48000",
    ]


def test_equal_settings_differ_in_nothing():
    assert compare_results(result(entry()), result(entry(seed=5))).differences == ()


def test_what_spoke_against_one_result_speaks_against_the_comparison():
    busy = result(entry()) | {"warnings": ["the governor is ondemand"]}

    assert "warning of B: the governor is ondemand" in format_comparison(compare_results(result(entry()), busy))


def test_files_are_paired_by_name_and_threads_and_what_is_left_over_is_named():
    a = result(entry("x.tflite"), entry("x.tflite", threads=2), entry("y.tflite"))
    b = result(entry("x.tflite", threads=2, invoke=3.0), entry("z.tflite"))
    comparison = compare_results(a, b)

    assert {(ratio.file_a, ratio.num_threads_a) for ratio in comparison.ratios} == {("x.tflite", 2)}
    assert comparison.differences == (
        "only in A: x.tflite on 1 thread(s)",
        "only in A: y.tflite on 1 thread(s)",
        "only in B: z.tflite on 1 thread(s)",
    )


def test_two_single_files_are_compared_whatever_they_are():
    comparison = compare_results(result(entry("x.tflite")), result(entry("y.tflite", threads=4)))

    assert "x.tflite: file: x.tflite / y.tflite" in comparison.differences
    assert "x.tflite: num_threads: 1 / 4" in comparison.differences
    assert "x.tflite / y.tflite" in format_comparison(comparison)


def test_results_without_a_common_file_are_refused():
    with pytest.raises(ValueError, match=r"A holds x.tflite on 1, y.tflite on 1; B holds z.tflite on 1"):
        compare_results(result(entry("x.tflite"), entry("y.tflite")), result(entry("z.tflite")))


def test_a_few_cold_starts_give_a_ratio_and_no_interval():
    comparison = compare_results(result(entry(cold=[100.0] * 3)), result(entry(cold=[150.0] * 3)))
    cold = comparison.ratios[-1]

    assert (cold.stage, cold.ratio, cold.interval) == ("cold_start", 1.5, None)
    assert "fewer than 8 samples" in format_comparison(comparison)


def test_the_verdict_follows_the_interval():
    faster, slower, same = (
        format_comparison(compare_results(result(entry()), result(entry(invoke=invoke, seed=9)))).splitlines()[1]
        for invoke in (0.8, 1.2, 1.0)
    )

    assert faster.endswith("B was faster")
    assert slower.endswith("B was slower")
    assert same.endswith("no difference shown")


@pytest.mark.parametrize("wrong", [[1.0] * 7, [1.0] * 8 + [0.0], [1.0] * 8 + [np.nan]])
def test_samples_that_say_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="expected at least 8, positive"):
        median_ratio_interval(samples(), wrong)
