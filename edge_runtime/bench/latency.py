"""How long a model takes on this machine: single runs after warm-up, every sample kept."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.resampling import resample
from edge_runtime.bench.multiplications import multiply_accumulates
from edge_runtime.machine.describe import describe_machine
from edge_runtime.model.classifier import Classifier

NUM_RUNS, WARMUP_RUNS = 200, 20
_PERCENTILES = (50, 90, 95, 99)
_NANOSECONDS_PER_MS = 1e6


@dataclass(frozen=True, kw_only=True)
class LatencySummary:
    """Latencies of single runs in milliseconds; percentiles interpolate linearly between samples."""

    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    mean_ms: float
    std_ms: float
    samples_ms: tuple[float, ...]  # in the order they were measured


@dataclass(frozen=True, kw_only=True)
class LatencyReport:
    """What one model file costs here.

    Attributes
    ----------
    model, recipe : str
        From the spec.
    model_bytes, model_sha256 : int, str
        Of the file.
    invoke : LatencySummary
        `invoke()` alone.
    end_to_end : LatencySummary
        Samples in to labels out: resampling where the samples come at another rate, input check, front end where it is
        outside the model, copying, invoke, decision.
    open_ms, first_inference_ms : float
        From the file's bytes to a model that is ready, and its first labels; once each, inside a process that has the
        runtime loaded already. See `edge_runtime.bench.cold_start` for the start of a process.
    real_time_factor : float
        Mean end-to-end latency over the length of a window: below 1 is faster than the sound, one
        window after the other.
    window_seconds : float
    sample_rate : int
        Hz at which the samples come in.
    num_windows : int
        Different windows that took turns.
    num_runs, warmup_runs, num_threads : int
    multiply_accumulates : int
        Of one window, as `multiply_accumulates` counts them.
    machine : dict
        As `describe_machine` gives it.
    """

    model: str
    recipe: str
    model_bytes: int
    model_sha256: str
    invoke: LatencySummary
    end_to_end: LatencySummary
    open_ms: float
    first_inference_ms: float
    real_time_factor: float
    window_seconds: float
    sample_rate: int
    num_windows: int
    num_runs: int
    warmup_runs: int
    num_threads: int
    multiply_accumulates: int
    machine: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


def input_length(window_length: int, model_rate: int, sample_rate: int) -> int:
    """Return how many samples at another rate make a window: the fewest that leave none of it empty."""
    return -(-window_length * sample_rate // model_rate)


def measure_latency(
    classifier: Classifier,
    clips: npt.ArrayLike,
    num_runs: int = NUM_RUNS,
    warmup_runs: int = WARMUP_RUNS,
    sample_rate: int | None = None,
) -> LatencyReport:
    """Measure a classifier on real windows.

    Parameters
    ----------
    classifier : Classifier
    clips : array_like of float, shape (n_windows, n_samples)
        Windows of audio, which take turns; zeros would be faster on some kernels than sound is. `n_samples` is
        `input_length` for this sample rate, so the window length at the model's own.
    num_runs, warmup_runs : int
        Measured runs, and runs before them that are thrown away.
    sample_rate : int, optional
        Hz of the clips; at another rate than the model's, which is the default, resampling counts as end to end.

    Raises
    ------
    ValueError
        No runs, or windows of another shape.

    Notes
    -----
    Each run is timed alone with `time.perf_counter_ns`, invoke and end to end in the same run.
    """
    spec = classifier.spec
    rate = sample_rate or spec.sample_rate
    windows = np.asarray(clips)
    length = input_length(spec.window_length, spec.sample_rate, rate)
    if windows.ndim != 2 or windows.shape[0] < 1 or windows.shape[1] != length:
        raise ValueError(f"clips have shape {windows.shape}; expected (n_windows, {length}), at least one window")
    if num_runs < 1 or warmup_runs < 0:
        raise ValueError(f"num_runs is {num_runs}, warmup_runs {warmup_runs}; expected at least 1 and 0")
    open_ms, first_inference_ms = _first_times_ms(classifier, windows[0], rate)
    for run in range(warmup_runs):
        _timed_run(classifier, windows[run % len(windows)], rate)
    timed = [_timed_run(classifier, windows[run % len(windows)], rate) for run in range(num_runs)]
    invoke, end_to_end = (summarize([pair[part] / _NANOSECONDS_PER_MS for pair in timed]) for part in (0, 1))
    return LatencyReport(
        model=spec.name,
        recipe=spec.recipe,
        model_bytes=len(classifier.model),
        model_sha256=hashlib.sha256(classifier.model).hexdigest(),
        invoke=invoke,
        end_to_end=end_to_end,
        open_ms=open_ms,
        first_inference_ms=first_inference_ms,
        real_time_factor=end_to_end.mean_ms / 1000 / spec.window_seconds,
        window_seconds=spec.window_seconds,
        sample_rate=rate,
        num_windows=len(windows),
        num_runs=num_runs,
        warmup_runs=warmup_runs,
        num_threads=classifier.num_threads,
        multiply_accumulates=multiply_accumulates(classifier.model),
        machine=describe_machine(),
    )


def summarize(samples_ms: npt.ArrayLike) -> LatencySummary:
    """Return percentiles, mean and standard deviation of latencies in ms, shape (n,).

    Raises
    ------
    ValueError
        No samples, or one that is negative, NaN or infinite.
    """
    samples = np.asarray(samples_ms, np.float64)
    if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all() or samples.min() < 0.0:
        raise ValueError(f"latencies are {samples.tolist()}; expected at least one, finite and not negative")
    p50, p90, p95, p99 = np.percentile(samples, _PERCENTILES, method="linear").tolist()
    return LatencySummary(
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=float(samples.max()),
        mean_ms=float(samples.mean()),
        std_ms=float(samples.std()),
        samples_ms=tuple(samples.tolist()),
    )


def _timed_run(classifier: Classifier, samples: npt.NDArray[Any], sample_rate: int) -> tuple[int, int]:
    """Return the nanoseconds of invoke and of the whole way from samples to labels."""
    begin = time.perf_counter_ns()
    classifier.load_window(_at_model_rate(classifier, samples, sample_rate))
    before = time.perf_counter_ns()
    classifier.invoke()
    after = time.perf_counter_ns()
    classifier.decide(classifier.read_scores())
    end = time.perf_counter_ns()
    return after - before, end - begin


def _at_model_rate(classifier: Classifier, samples: npt.NDArray[Any], sample_rate: int) -> npt.NDArray[Any]:
    """Return one window for the model."""
    if sample_rate == classifier.spec.sample_rate:
        return samples
    return resample(samples, sample_rate, classifier.spec.sample_rate)[: classifier.spec.window_length]


def _first_times_ms(classifier: Classifier, samples: npt.NDArray[Any], sample_rate: int) -> tuple[float, float]:
    """Return the times from the file's bytes to an open model, and from there to the first labels."""
    begin = time.perf_counter_ns()
    fresh = Classifier(classifier.model, classifier.num_threads, spec=classifier.foreign_spec)
    opened = time.perf_counter_ns()
    _timed_run(fresh, samples, sample_rate)
    end = time.perf_counter_ns()
    return (opened - begin) / _NANOSECONDS_PER_MS, (end - opened) / _NANOSECONDS_PER_MS
