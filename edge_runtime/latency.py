"""How long a model takes on this machine: single runs after warm-up, every sample kept."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.classifier import Classifier
from edge_runtime.machine import describe_machine

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
    model_bytes : int
        Size of the file.
    invoke : LatencySummary
        `invoke()` alone.
    end_to_end : LatencySummary
        Samples in to labels out: input check, front end where it is outside the model, copying, invoke, decision.
    cold_start_ms : float
        Opening an interpreter on the file's bytes and the first labels, inside a process that has
        the runtime loaded already; measured once.
    real_time_factor : float
        Mean end-to-end latency over the length of a window: below 1 is faster than the sound, one
        window after the other.
    window_seconds : float
    num_windows : int
        Different windows that took turns.
    num_runs, warmup_runs, num_threads : int
    peak_memory_mib : float or None
        Highest resident memory of this process so far; None where the system does not tell.
    machine : dict
        As `describe_machine` gives it.
    """

    model: str
    recipe: str
    model_bytes: int
    invoke: LatencySummary
    end_to_end: LatencySummary
    cold_start_ms: float
    real_time_factor: float
    window_seconds: float
    num_windows: int
    num_runs: int
    warmup_runs: int
    num_threads: int
    peak_memory_mib: float | None
    machine: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return asdict(self)


def measure_latency(
    classifier: Classifier, clips: npt.ArrayLike, num_runs: int = NUM_RUNS, warmup_runs: int = WARMUP_RUNS
) -> LatencyReport:
    """Measure a classifier on real windows.

    Parameters
    ----------
    classifier : Classifier
    clips : array_like of float, shape (n_windows, window_length)
        Windows of audio, which take turns; zeros would be faster on some kernels than sound is.
    num_runs, warmup_runs : int
        Measured runs, and runs before them that are thrown away.

    Raises
    ------
    ValueError
        No runs, or windows of another shape.

    Notes
    -----
    Each run is timed alone with `time.perf_counter_ns`, invoke and end to end in the same run.
    """
    windows = np.asarray(clips)
    length = classifier.spec.window_length
    if windows.ndim != 2 or windows.shape[0] < 1 or windows.shape[1] != length:
        raise ValueError(f"clips have shape {windows.shape}; expected (n_windows, {length}), at least one window")
    if num_runs < 1 or warmup_runs < 0:
        raise ValueError(f"num_runs is {num_runs}, warmup_runs {warmup_runs}; expected at least 1 and 0")
    cold_start_ms = _cold_start_ms(classifier, windows[0])
    for run in range(warmup_runs):
        _timed_run(classifier, windows[run % len(windows)])
    timed = [_timed_run(classifier, windows[run % len(windows)]) for run in range(num_runs)]
    invoke, end_to_end = (summarize([pair[part] / _NANOSECONDS_PER_MS for pair in timed]) for part in (0, 1))
    return LatencyReport(
        model=classifier.spec.name,
        recipe=classifier.spec.recipe,
        model_bytes=len(classifier.model),
        invoke=invoke,
        end_to_end=end_to_end,
        cold_start_ms=cold_start_ms,
        real_time_factor=end_to_end.mean_ms / 1000 / classifier.spec.window_seconds,
        window_seconds=classifier.spec.window_seconds,
        num_windows=len(windows),
        num_runs=num_runs,
        warmup_runs=warmup_runs,
        num_threads=classifier.num_threads,
        peak_memory_mib=_peak_memory_mib(),
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


def _timed_run(classifier: Classifier, window: npt.NDArray[Any]) -> tuple[int, int]:
    """Return the nanoseconds of invoke and of the whole way from samples to labels."""
    begin = time.perf_counter_ns()
    classifier.load_window(window)
    before = time.perf_counter_ns()
    classifier.invoke()
    after = time.perf_counter_ns()
    classifier.decide(classifier.read_scores())
    end = time.perf_counter_ns()
    return after - before, end - begin


def _cold_start_ms(classifier: Classifier, window: npt.NDArray[Any]) -> float:
    """Return the time from the file's bytes to the first labels."""
    begin = time.perf_counter_ns()
    fresh = Classifier(classifier.model, classifier.num_threads)
    fresh.decide(fresh.scores(window))
    return (time.perf_counter_ns() - begin) / _NANOSECONDS_PER_MS


def _peak_memory_mib() -> float | None:
    """Return the peak resident memory of this process."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024  # bytes there, KiB on Linux
