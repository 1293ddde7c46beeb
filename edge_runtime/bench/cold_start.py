"""Process start to first label, in fresh processes, and the memory that one takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.bench.latency import LatencySummary, summarize

COLD_RUNS = 10
_PHASES = ("import_ms", "open_ms", "first_inference_ms")
# The first statement takes the time; the folder or wheel that holds this package replaces the current folder.
_PROGRAM = (
    "import time; begin = time.perf_counter_ns(); import sys; "
    "sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "from edge_runtime.bench.cold_process import run_first_label; run_first_label(begin, sys.argv[1:])"
)


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """What fresh processes took.

    Attributes
    ----------
    first_label : LatencySummary
        From starting the process to having read its label.
    import_ms, open_ms, first_inference_ms : LatencySummary
        Parts of it: NumPy, the runtime and our own modules; from the file to an open model; samples to labels. The rest
        is the start of Python itself.
    num_runs : int
    memory : dict
        Of the first process, in MiB: `imported_mib` before the model was opened, `first_label_mib` after, `peak_mib`;
        and the interpreter's arena, see `edge_runtime.bench.arena`: `arena_bytes`, and `arena_without_delegate_bytes`
        for the same file without XNNPACK. None where the system does not tell.
    """

    first_label: LatencySummary
    import_ms: LatencySummary
    open_ms: LatencySummary
    first_inference_ms: LatencySummary
    num_runs: int
    memory: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


def measure_cold_start(
    model: str | Path,
    samples: npt.ArrayLike,
    sample_rate: int,
    num_threads: int = 1,
    num_runs: int = COLD_RUNS,
) -> ColdStart:
    """Start processes one after the other that classify a window and end.

    Parameters
    ----------
    model : str or Path
        A `.tflite` file. It and all libraries are in the system's file cache from the second process on, as they are
        when an app is opened again; the first process is measured too.
    samples : array_like of float, shape (n_samples,)
        One window.
    sample_rate : int
        Hz of the samples.
    num_threads, num_runs : int
        At least 1 each.

    Raises
    ------
    ValueError
        `num_runs` below 1.
    RuntimeError
        A process failed; with what it said.
    """
    if num_runs < 1:
        raise ValueError(f"num_runs is {num_runs}; expected at least 1 fresh process")
    with tempfile.TemporaryDirectory() as folder:
        samples_file = Path(folder) / "samples"
        samples_file.write_bytes(np.asarray(samples, np.float32).tobytes())
        arguments = [str(Path(model).absolute()), str(samples_file), str(sample_rate), str(num_threads)]
        runs = [_run_once(arguments) for _ in range(num_runs)]
    phases = {name: summarize([document["phases"][name] for _, document in runs]) for name in _PHASES}
    return ColdStart(
        first_label=summarize([milliseconds for milliseconds, _ in runs]),
        num_runs=num_runs,
        memory=runs[0][1]["memory"],
        **phases,
    )


def _run_once(arguments: list[str]) -> tuple[float, dict[str, Any]]:
    """Start one process; return the milliseconds to its label, and what it says about itself."""
    home = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", _PROGRAM, home, *arguments]
    with tempfile.TemporaryFile() as errors:
        begin = time.perf_counter_ns()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process:
            label = process.stdout.readline() if process.stdout else b""
            milliseconds = (time.perf_counter_ns() - begin) / 1e6
            rest, _ = process.communicate()
        if process.returncode or not label:
            errors.seek(0)
            raise RuntimeError(
                f"a fresh process ended with {process.returncode}: {errors.read().decode(errors='replace')[-1000:]}"
            )
    document: dict[str, Any] = json.loads(rest)
    return milliseconds, document
