"""Time of each operator, as the runtime's own profiler counts it.

LiteRT's Python offers no profiler, but the C library in its package does: `libLiteRt.so` of ai-edge-litert 2.1 to 2.3,
the versions this was tried with. A process of its own calls it, because a C function with other arguments
in another version would take this one down.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.model.interpreter import runtime_name
from metadata.plural import counted

_TRIED_VERSIONS = ((2, 1), (2, 2), (2, 3))
_TIMEOUT_SECONDS = 120.0
_PROGRAM = (
    "import sys; sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "from edge_runtime.bench.litert_profiler import main; main(sys.argv[1:])"
)


@dataclass(frozen=True, kw_only=True)
class OperatorTime:
    """One operator in the order in which they run, mean over the runs; XNNPACK's are counted in whole microseconds."""

    place: int
    name: str
    mean_us: float
    share: float  # of the time of all operators


@dataclass(frozen=True, kw_only=True)
class OperatorProfile:
    """Times of a model's operators on one thread, or why there are none.

    Attributes
    ----------
    operators : tuple of OperatorTime
        Empty where the runtime offers no profile.
    num_runs : int
        Runs averaged over.
    reason : str
        Why there are no times, empty where there are some.
    """

    operators: tuple[OperatorTime, ...] = ()
    num_runs: int = 0
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


def profile_operators(
    model: str | Path, features: npt.ArrayLike, output_shape: Sequence[int], num_runs: int = 50
) -> OperatorProfile:
    """Return the time of each operator of a model that takes and gives float32.

    Parameters
    ----------
    model : str or Path
        A `.tflite` file.
    features : array_like of float32
        What the model takes, in its input's shape: a window, or the spectrogram of one.
    output_shape : sequence of int
    num_runs : int
        Profiled runs, after 5 that are not.
    """
    reason = _why_not()
    if reason:
        return OperatorProfile(reason=reason)
    values = np.asarray(features)
    if values.dtype != np.float32:
        return OperatorProfile(reason=f"not offered for a model that takes {values.dtype}: only float32 is handed over")
    with tempfile.TemporaryDirectory() as folder:
        features_file = Path(folder) / "features.npy"
        np.save(features_file, values)
        shape = ",".join(str(length) for length in output_shape)
        arguments = [str(Path(model).absolute()), str(features_file), shape, str(num_runs)]
        return _ask(arguments)


def parse_version(name: str) -> tuple[int, ...]:
    """Return the numbers of a runtime's version, such as (2, 1, 6) of "ai-edge-litert 2.1.6"."""
    words = name.split()[-1].split(".")
    return tuple(int(word) for word in words if word.isdigit())


def fold_events(runs: Sequence[Sequence[tuple[str, float]]]) -> tuple[OperatorTime, ...]:
    """Return the mean time of each operator.

    Parameters
    ----------
    runs : sequence of sequences of (name, microseconds)
        Of each run, the same operators in the same order.

    Raises
    ------
    ValueError
        No operators, or others from run to run.
    """
    names = [name for name, _ in runs[0]] if runs else []
    if not names or any([name for name, _ in run] != names for run in runs):
        counts = sorted({len(run) for run in runs})
        raise ValueError(f"the runs have {counts} operators; expected the same ones in each run, at least one")
    means = np.array([[microseconds for _, microseconds in run] for run in runs]).mean(axis=0)
    total = math.fsum(means)
    return tuple(
        OperatorTime(place=place, name=name, mean_us=mean, share=mean / total if total else 0.0)
        for place, (name, mean) in enumerate(zip(names, means.tolist(), strict=True))
    )


def format_profile(profile: OperatorProfile, num_rows: int = 10) -> str:
    """Return the operators that take most, one a line."""
    if not profile.operators:
        return f"time of each operator: {profile.reason}"
    slowest = sorted(profile.operators, key=lambda operator: -operator.mean_us)[:num_rows]
    lines = [f"{operator.mean_us:10.1f} us  {operator.share:6.1%}  {operator.name}" for operator in slowest]
    head = (
        f"time of each operator by the runtime's profiler, one thread, mean of {counted(profile.num_runs, 'run')}; "
        f"the {len(slowest)} slowest of {len(profile.operators)}:"
    )
    return "\n".join([head, *lines])


def _why_not() -> str:
    """Say why this runtime offers no profile; empty where it does."""
    name = runtime_name()
    package, version = name.split()[0], parse_version(name)
    if package != "ai-edge-litert":
        return f"not offered by {name}"
    if version[:2] not in _TRIED_VERSIONS:
        return f"not offered by {name}, or never tried with it: ai-edge-litert 2.1 to 2.3 have a profiler"
    return ""


def _ask(arguments: list[str]) -> OperatorProfile:
    """Profile in a process of its own."""
    command = [sys.executable, "-c", _PROGRAM, str(Path(__file__).parents[1]), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return OperatorProfile(reason=f"{runtime_name()}'s profiler took more than {_TIMEOUT_SECONDS:g} s")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        return OperatorProfile(reason=f"{runtime_name()}'s profiler ended with {done.returncode} and said: {said[0]}")
    try:
        runs = [[(str(name), float(elapsed)) for name, elapsed in run] for run in json.loads(done.stdout)]
        operators = fold_events(runs)
    except (ValueError, TypeError) as error:
        return OperatorProfile(reason=f"{runtime_name()}'s profiler cannot be made sense of: {error}")
    return OperatorProfile(operators=operators, num_runs=len(runs))
