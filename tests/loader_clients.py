"""The loaders that apps use, run on many files at once: each in its own environment, one process for all files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CLIENTS = Path(__file__).parent / "clients"
ENVIRONMENTS = {
    "task_library": "tflite_support",
    "mediapipe": "mediapipe",
    "tflite_runtime": "tflite_support",
    "litert": "",  # this one
    "tflite_micro": "tflite_micro",
}
BROWSER_LOADERS = ("litertjs", "mediapipe_web")


class Job(NamedTuple):
    """A file, and the windows to score with it, shape (n, values of one input), at a rate in Hz."""

    model: Path
    windows: np.ndarray
    sample_rate: int = 16_000


def open_files(loader: str, jobs: Sequence[Job], clients: Mapping[str, str], folder: Path) -> list[dict[str, Any]]:
    """Return what a loader says of each file: `labels` and `scores`, or `error` and `log`.

    `clients` gives the Python of each environment by name, as `make_clients.py` prints them.
    """
    name = ENVIRONMENTS[loader]
    listed = [{**_written(job, folder, ".npy"), "sample_rate": job.sample_rate} for job in jobs]
    command = [clients[name] if name else sys.executable, CLIENTS / "open_files.py", loader]
    return _run(command, listed, folder)


def open_in_browser(jobs: Sequence[Job], clients: Mapping[str, str], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the same for each loader of the browser."""
    listed = [
        {**_written(job, folder, ".bin"), "sample_rate": job.sample_rate, "count": len(job.windows)} for job in jobs
    ]
    script = [
        shutil.which("node"),
        CLIENTS / "browser" / "open_files.mjs",
        clients["browser"],
        shutil.which("chromium"),
    ]
    results = _run(script, listed, folder)
    for result in results["litertjs"]:
        # It goes on with whatever lies in its memory when a kernel cannot be prepared, and only writes so to the log.
        if "error" not in result and "ERROR:" in result["log"]:
            result["error"] = result["log"][result["log"].index("ERROR:") :]
    return results


def _written(job: Job, folder: Path, suffix: str) -> dict[str, str]:
    """The paths of a job; equal windows are written once."""
    windows = np.ascontiguousarray(job.windows, np.float32)
    path = folder / f"windows_{abs(hash(windows.tobytes())):x}{suffix}"
    if not path.exists():
        if suffix == ".npy":
            np.save(path, windows)
        else:
            path.write_bytes(windows.tobytes())
    return {"model": str(job.model.resolve()), "windows": str(path)}


def _run(command: Sequence[Any], jobs: Sequence[dict[str, Any]], folder: Path) -> Any:
    """Run a client on jobs and return its results."""
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = subprocess.run(
        [*command, folder / "jobs.json", folder / "out.json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[1]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))
