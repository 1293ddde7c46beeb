"""Two results of `earproof bench` against each other: the ratio of their medians, with an interval, and what differs.

Runs that follow each other are alike: a busy moment of the machine or a clock that falls hits many in a row. Drawing
single runs would take them for independent and give intervals that are too narrow. So blocks of consecutive runs are
drawn (the moving-block bootstrap), long enough that what reaches from one run to the next stays inside a block.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.scoring.intervals import Z_95, Interval
from edge_runtime.tables import align

NUM_RESAMPLES = 10_000
MIN_SAMPLES = 8  # fewer say nothing about how they spread
_RESAMPLES_PER_BLOCK = 500  # keeps the memory small
_TAIL_PERCENTILES = (2.5, 97.5)
_MACHINE_KEYS = (
    "board",
    "revision",
    "cpu",
    "architecture",
    "cores",
    "system",
    "runtime",
    "numpy",
    "python",
    "governor",
)
_FILE_KEYS = ("file", "model", "recipe", "model_sha256", "num_threads", "num_runs", "audio_sha256", "sample_rate")
_STAGES = ("invoke", "end_to_end", "cold_start")


@dataclass(frozen=True, kw_only=True)
class MedianRatio:
    """One stage of one file in two results.

    Attributes
    ----------
    stage : {"invoke", "end_to_end", "cold_start"}
    file_a, file_b : str
    num_threads_a, num_threads_b : int
    median_a_ms, median_b_ms : float
    ratio : float
        Median of b over median of a: below 1, b is faster.
    interval : Interval or None
        95 %, of the ratio; None for fewer than `MIN_SAMPLES` samples on a side.
    block_lengths : tuple of int
        Consecutive runs that were drawn together, of a and of b.
    """

    stage: str
    file_a: str
    file_b: str
    num_threads_a: int
    num_threads_b: int
    median_a_ms: float
    median_b_ms: float
    ratio: float
    interval: Interval | None
    block_lengths: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The ratios, what else than the latency differs (machine, file, audio, settings), and each side's warnings."""

    ratios: tuple[MedianRatio, ...]
    differences: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON."""
        return asdict(self)


def compare_results(a: dict[str, Any], b: dict[str, Any], seed: int = 0) -> Comparison:
    """Compare each file of one result with the same file, on as many threads, in another.

    Parameters
    ----------
    a, b : dict
        Documents of `earproof bench`. Where each holds a single entry, these are compared, whatever they are.
    seed : int
        Of the resampling.

    Raises
    ------
    ValueError
        No file is in both.
    """
    pairs = _pair(a["files"], b["files"])
    differences = [
        *_differences(a["machine"], b["machine"], _MACHINE_KEYS, "machine"),
        *(line for one, other in pairs for line in _differences(one, other, _FILE_KEYS, _name(one)[0])),
        *_unpaired(a["files"], b["files"], pairs),
    ]
    ratios = [ratio for one, other in pairs for stage in _STAGES if (ratio := _ratio(one, other, stage, seed))]
    warnings = [f"{side}: {text}" for side, result in (("A", a), ("B", b)) for text in result.get("warnings", [])]
    # A file is there once a number of threads, what differs about it but once.
    unique = tuple(dict.fromkeys(differences))
    return Comparison(ratios=tuple(ratios), differences=unique, warnings=tuple(warnings))


def median_ratio_interval(
    a: npt.ArrayLike, b: npt.ArrayLike, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> tuple[Interval, tuple[int, int]]:
    """Return the 95 % percentile interval of median(b) / median(a), and the block lengths of a and b.

    Parameters
    ----------
    a, b : array_like, shapes (n,) and (m,)
        Samples in the order they were measured, positive, at least `MIN_SAMPLES` each.
    seed, num_resamples : int

    Raises
    ------
    ValueError
        Too few samples, or some that are not positive.

    Notes
    -----
    Moving-block bootstrap (Kunsch 1989; Liu and Singh 1992), a and b drawn independently of each other. It sees how
    much the runs of a process spread, not how much one process differs from the next: that takes several results.
    """
    sides = np.asarray(a, np.float64), np.asarray(b, np.float64)
    for side in sides:
        if side.ndim != 1 or side.size < MIN_SAMPLES or not (np.isfinite(side).all() and side.min() > 0.0):
            raise ValueError(f"there are {side.size} samples; expected at least {MIN_SAMPLES}, positive numbers")
    lengths = block_length(sides[0]), block_length(sides[1])
    generator = np.random.default_rng(seed)
    medians = [
        _resampled_medians(side, length, generator, num_resamples) for side, length in zip(sides, lengths, strict=True)
    ]
    lower, upper = np.percentile(medians[1] / medians[0], _TAIL_PERCENTILES)
    return Interval(float(lower), float(upper)), lengths


def block_length(samples: npt.NDArray[np.float64]) -> int:
    """Return how many consecutive samples to draw together, 1 to a quarter of them.

    The cube root of their number, as is usual, or more where samples so far apart are still correlated: twice the first
    lag at which the autocorrelation of their ranks is one that independent samples could have (the rule of Politis and
    White 2004). Ranks, because a single stall of the machine would outweigh everything else.
    """
    ranks = np.argsort(np.argsort(samples, kind="stable"), kind="stable").astype(np.float64)
    centred = ranks - ranks.mean()
    power = float(centred @ centred)
    limit = Z_95 / math.sqrt(samples.size)
    longest = max(1, samples.size // 4)
    reach = next((lag for lag in range(1, longest) if float(centred[lag:] @ centred[:-lag]) / power <= limit), longest)
    return min(longest, max(2 * reach, int(np.rint(np.cbrt(samples.size)))))


def format_comparison(comparison: Comparison) -> str:
    """Return the comparison as text: first what differs, then a row a file and stage."""
    lines = [f"differs: {difference}" for difference in comparison.differences]
    lines += [f"warning of {warning}" for warning in comparison.warnings]
    rows = [("file", "threads", "stage", "A ms", "B ms", "B / A", "95 % interval", "verdict")]
    for ratio in comparison.ratios:
        same_threads = ratio.num_threads_a == ratio.num_threads_b
        same_file = ratio.file_a == ratio.file_b
        rows.append(
            (
                ratio.file_a if same_file else f"{ratio.file_a} / {ratio.file_b}",
                str(ratio.num_threads_a) if same_threads else f"{ratio.num_threads_a} / {ratio.num_threads_b}",
                ratio.stage,
                f"{ratio.median_a_ms:.3f}",
                f"{ratio.median_b_ms:.3f}",
                f"{ratio.ratio:.3f}",
                "-" if ratio.interval is None else f"{ratio.interval.lower:.3f} to {ratio.interval.upper:.3f}",
                _verdict(ratio),
            )
        )
    lines += align(rows)
    lines.append(
        "medians of single runs; the interval is of a moving-block bootstrap, as neighbouring runs are alike; "
        "it covers the runs of these two results, not how one result differs from the next on the same machine"
    )
    return "\n".join(lines)


def _verdict(ratio: MedianRatio) -> str:
    """Return what the interval says."""
    if ratio.interval is None:
        return f"fewer than {MIN_SAMPLES} samples"
    if ratio.interval.upper < 1.0:
        return "B was faster"
    return "B was slower" if ratio.interval.lower > 1.0 else "no difference shown"


def _pair(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the entries that belong together: the same file name and number of threads."""
    if len(a) == len(b) == 1:
        return [(a[0], b[0])]
    others = {_name(entry): entry for entry in b}
    pairs = [(entry, others[_name(entry)]) for entry in a if _name(entry) in others]
    if not pairs:
        names = (", ".join(f"{file} on {threads}" for file, threads in map(_name, side)) for side in (a, b))
        raise ValueError(
            "the two results have no file with the same number of threads in common: A holds {}; B holds {}".format(
                *names
            )
        )
    return pairs


def _name(entry: dict[str, Any]) -> tuple[str, int]:
    """Return what an entry is known by: the file's name without its folder, and the threads."""
    return str(entry["file"]).replace("\\", "/").rpartition("/")[2], int(entry["num_threads"])


def _differences(a: dict[str, Any], b: dict[str, Any], keys: tuple[str, ...], where: str) -> list[str]:
    """Return a line for each of the keys whose values differ."""
    if where != "machine":
        a, b = a | {"file": _name(a)[0]}, b | {"file": _name(b)[0]}
    return [
        f"{where}: {key}: {_value_text(a, key)} / {_value_text(b, key)}" for key in keys if a.get(key) != b.get(key)
    ]


def _value_text(values: dict[str, Any], key: str) -> str:
    """Return a value, and that that none was reported."""
    value = values.get(key)
    if value is None:
        return "(not reported)"
    return str(value)[:12] if key.endswith("sha256") else ", ".join(value) if isinstance(value, list) else str(value)


def _unpaired(a: list[dict[str, Any]], b: list[dict[str, Any]], pairs: list[Any]) -> list[str]:
    """Return a line for each entry that the other result lacks."""
    taken = {id(entry) for pair in pairs for entry in pair}
    sides = (("A", a), ("B", b))
    return [
        f"only in {side}: {name} on {threads} thread(s)"
        for side, entries in sides
        for name, threads in (_name(entry) for entry in entries if id(entry) not in taken)
    ]


def _ratio(a: dict[str, Any], b: dict[str, Any], stage: str, seed: int) -> MedianRatio | None:
    """Compare one stage of two entries; None where one of them was not measured at it."""
    samples = [_samples(entry, stage) for entry in (a, b)]
    if not all(samples):
        return None
    interval, lengths = None, (0, 0)
    if min(map(len, samples)) >= MIN_SAMPLES:
        interval, lengths = median_ratio_interval(samples[0], samples[1], seed)
    medians = [float(np.median(side)) for side in samples]
    return MedianRatio(
        stage=stage,
        file_a=_name(a)[0],
        file_b=_name(b)[0],
        num_threads_a=int(a["num_threads"]),
        num_threads_b=int(b["num_threads"]),
        median_a_ms=medians[0],
        median_b_ms=medians[1],
        ratio=medians[1] / medians[0],
        interval=interval,
        block_lengths=lengths,
    )


def _samples(entry: dict[str, Any], stage: str) -> list[float]:
    """Return the samples of a stage, none where it was not measured."""
    summary = entry.get(stage) or {}
    samples: list[float] = (summary.get("first_label") or {} if stage == "cold_start" else summary).get(
        "samples_ms", []
    )
    return samples


def _resampled_medians(
    samples: npt.NDArray[np.float64], length: int, generator: np.random.Generator, num_resamples: int
) -> npt.NDArray[np.float64]:
    """Return the median of each resample made of blocks of consecutive samples, shape (num_resamples,)."""
    num_blocks = -(-samples.size // length)
    medians = []
    for first in range(0, num_resamples, _RESAMPLES_PER_BLOCK):
        count = min(_RESAMPLES_PER_BLOCK, num_resamples - first)
        starts = generator.integers(0, samples.size - length + 1, (count, num_blocks, 1))
        places = (starts + np.arange(length)).reshape(count, -1)[:, : samples.size]
        medians.append(np.median(samples[places], axis=1))
    return np.concatenate(medians)
