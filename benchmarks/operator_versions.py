"""The newest version of each built-in operator that each loader takes, asked of the loaders themselves.

    python benchmarks/operator_versions.py

prints the rows of `metadata.lint.operator_versions`.
A tiny classifier is given one more operator code, which nothing uses: an interpreter looks it up all the same when it
opens the file. TensorFlow Lite Micro looks up only what runs and knows no versions, so there a node uses it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hand_made import altered  # noqa: E402
from loader_clients import BROWSER_LOADERS, Job, open_files, open_in_browser  # noqa: E402
from loader_matrix import add_operator, described  # noqa: E402
from tiny_tflite import tiny_classifier  # noqa: E402

from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS  # noqa: E402

LOADERS = ("task_library", "mediapipe", "litert", "litertjs", "mediapipe_web", "tflite_runtime", "tflite_micro")
WINDOW = 1_600
UNKNOWN = "Didn't find op for builtin opcode"
MOST = 24  # versions
FIRST = {"BROADCAST_TO": 2}  # the version that an operator begins with, where it is not 1


def main() -> int:
    """Ask, and print the table."""
    made = subprocess.run(
        [sys.executable, ROOT / "tests" / "clients" / "make_clients.py"], capture_output=True, text=True
    )
    clients = dict(line.split("\t") for line in made.stdout.splitlines())
    names = [
        name for name in BUILTIN_OPERATORS if not name.startswith("PLACEHOLDER") and name not in ("CUSTOM", "DELEGATE")
    ]
    newest = {loader: dict.fromkeys(names, 0) for loader in LOADERS}
    with tempfile.TemporaryDirectory() as folder:
        for loader in ("task_library", "mediapipe", "litert", "tflite_runtime"):
            ask(
                newest[loader],
                lambda jobs, loader=loader: open_files(loader, jobs, clients, Path(folder)),
                Path(folder),
            )
        for loader in BROWSER_LOADERS:
            ask(
                newest[loader],
                lambda jobs, loader=loader: open_in_browser(jobs, clients, Path(folder))[loader],
                Path(folder),
            )
        jobs = [job(Path(folder), name, 1, runs=True) for name in names]
        for name, result in zip(names, open_files("tflite_micro", jobs, clients, Path(folder)), strict=True):
            newest["tflite_micro"][name] = int(UNKNOWN not in result.get("log", ""))
    print("#", " ".join(LOADERS))
    for name in names:
        print(name, *(newest[loader][name] for loader in LOADERS))
    return 0


def ask(newest: dict[str, int], opened, folder: Path) -> None:
    """Fill in the newest version of each operator, all of them one version at a time."""
    left: Sequence[str] = list(newest)
    for version in range(1, MOST):
        results = opened([job(folder, name, version) for name in left])
        left = [name for name, result in zip(left, results, strict=True) if "error" not in result]
        newest |= dict.fromkeys(left, version)
        print(f"version {version}: {len(left)}", file=sys.stderr, flush=True)
        if not left:
            return


def job(folder: Path, name: str, version: int, runs: bool = False) -> Job:
    """A file with an operator code."""
    version = max(version, FIRST.get(name, 1))
    path = folder / f"{name}-{version}.tflite"
    model = altered(tiny_classifier(WINDOW), lambda content: add_operator(content, name, version, runs=runs))
    path.write_bytes(described(model=model))
    return Job(path, np.zeros((1, WINDOW), np.float32))


if __name__ == "__main__":
    sys.exit(main())
