"""Run the files of a build on emulated ARM64 processors and compare their scores with x86-64's.

    python benchmarks/arm64.py runs/short

Every file scores every window of the build's test split on the processors of tests/arm64/boards.py, with ai-edge-litert
and with tflite-runtime; each is compared with the same runtime on x86-64, and with the runtime of this environment.
Prints a table; --json keeps every figure, --report puts them into the build's report.json, .md and .html. Exit code 1
where a float score differs by more than 1e-5 or less than 99.5 % of the integer decisions are equal. Needs
qemu-user-static and the recordings of the build. Speed under emulation means nothing and is not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from convert.html_report.subjects import write_run_page
from convert.report.build_report import REPORT_FILE_NAME, write_report
from convert.report.golden import write_golden
from convert.report.machines import machine_notes
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME
from edge_runtime.parity.other_machines import MachineScores, describe_comparison, read_machine_scores
from metadata.atomic_file import write_atomically
from train.fitting.finished_run import open_run
from train.fitting.training_run import MODEL_FILE_NAME

REPOSITORY = Path(__file__).resolve().parents[1]
MAKE_MACHINES = REPOSITORY / "tests" / "arm64" / "make_arm64.py"
DONE, CHECK_FAILED, BAD_INPUT = 0, 1, 2
NATIVE = "x86-64"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, metavar="BUILD", help="a folder that earproof build filled")
    parser.add_argument("--num-windows", type=int, metavar="N", help="of the test split (default: all)")
    parser.add_argument("--core", nargs="+", metavar="CORE", help="only these, such as cortex-a76 (default: all)")
    parser.add_argument("--runtime", nargs="+", metavar="RUNTIME", help="ai_edge_litert, tflite_runtime or both")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep windows and scores here, and go on from those")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write every figure")
    parser.add_argument("--report", action="store_true", help="put the table into the build's report")
    args = parser.parse_args(arguments)
    try:
        check_outputs(args)
        machines = list_machines(args.core, args.runtime)
        with tempfile.TemporaryDirectory() as folder:
            comparisons = compare(args.build, machines, args.work or Path(folder), args.num_windows)
        if args.json:
            write_atomically(args.json, (json.dumps(comparisons, indent=2) + "\n").encode())
        if args.report:
            report = json.loads((args.build / REPORT_FILE_NAME).read_bytes())
            write_report(report | {"other_machines": comparisons}, args.build)
            write_run_page(args.build)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"arm64.py: {error}", file=sys.stderr)
        return BAD_INPUT
    print("\n".join(machine_notes(comparisons)).strip())
    passed = all(file["passed"] for one in comparisons["same_runtime"] for file in one["files"])
    return DONE if passed else CHECK_FAILED


def check_outputs(args: argparse.Namespace) -> None:
    """Refuse what could not be written, before hours of work."""
    if args.json and not args.json.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder of {args.json} does not exist")
    if args.report and not (args.build / REPORT_FILE_NAME).is_file():
        raise FileNotFoundError(f"{args.build} holds no {REPORT_FILE_NAME}; expected a finished build's folder")


def list_machines(cores: Sequence[str] | None, runtimes: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the machines of make_arm64.py, made where they are missing; x86-64 is always among them.

    Raises
    ------
    RuntimeError
        They cannot be made here.
    ValueError
        A core or runtime that is not among them.
    """
    made = subprocess.run([sys.executable, MAKE_MACHINES], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        raise RuntimeError("the emulated machines could not be made; see above")
    machines = json.loads(made.stdout)
    for what, wanted in (("core", cores), ("runtime", runtimes)):
        there = sorted({machine[what] for machine in machines} - {NATIVE})
        if unknown := sorted(set(wanted or []) - set(there)):
            raise ValueError(f"there is no {what} {', '.join(unknown)}; expected some of {', '.join(there)}")
    return [
        machine
        for machine in machines
        if (not cores or machine["core"] in (*cores, NATIVE)) and (not runtimes or machine["runtime"] in runtimes)
    ]


def compare(
    build: Path, machines: list[dict[str, Any]], work: Path, num_windows: int | None
) -> dict[str, list[dict[str, Any]]]:
    """Score the build on every machine; compare each ARM core with x86-64, and each machine with this environment."""
    if not (work / "build").is_dir():
        stage(build, work / "build", num_windows)
    here = {"runtime": "here", "core": "here", "command": [sys.executable]}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        desk, *scores = pool.map(lambda machine: score(machine, work), [here, *machines])
    pairs = list(zip(machines, scores, strict=True))
    native = {machine["runtime"]: found for machine, found in pairs if machine["core"] == NATIVE}
    emulated = [(native[machine["runtime"]], found) for machine, found in pairs if machine["core"] != NATIVE]
    return {
        "same_runtime": [describe_comparison(reference, found) for reference, found in emulated],
        "desk": [describe_comparison(desk, found) for _, found in pairs],
    }


def stage(build: Path, folder: Path, num_windows: int | None) -> None:
    """Lay out the build's files with golden vectors of the whole test split, or of some of its windows."""
    runs = sorted(path.parent for path in build.glob(f"*/{MODEL_FILE_NAME}"))
    files = sorted(build.glob("*.tflite"))
    if not runs or not files:
        raise ValueError(
            f"{build} holds {len(files)} .tflite files and {len(runs)} trainings; expected a build's folder"
        )
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / GOLDEN_FOLDER_NAME).mkdir(parents=True)
    for path in files:
        shutil.copy2(path, partial)
    for run in map(open_run, runs):
        write_golden(run, partial / GOLDEN_FOLDER_NAME / f"{run.spec.name}.npz", num_windows=num_windows)
    partial.rename(folder)


def score(machine: dict[str, Any], work: Path) -> MachineScores:
    """Score the staged build on one machine, unless that was done."""
    out = work / f"{machine['runtime']}-{machine['core']}.npz"
    if out.exists():
        return read_machine_scores(out)
    command = [*machine["command"], "-m", "earproof", "parity", str(work / "build"), "--save-scores", str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{machine['runtime']} on {machine['core']} ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
    print(f"scored with {machine['runtime']} on {machine['core']}", file=sys.stderr)
    return read_machine_scores(out)


if __name__ == "__main__":
    sys.exit(main())
