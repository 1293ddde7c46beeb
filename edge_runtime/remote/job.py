"""One verb on another machine: bundle there, environment, doctor, run, JSON back.

The steps leave nothing outside the folder that `RemoteHost` removes: a Python of --python is not installed into, but
given the bundle's wheel on its path, and pip keeps no cache.
"""

from __future__ import annotations

import json
import shlex
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from edge_runtime.bundle.manifest import Bundle
from edge_runtime.remote.ssh_host import Finished, RemoteError, RemoteHost

RESULT_NAME = "result.json"
INPUTS_FOLDER_NAME = "inputs"
_WHEELS_FOLDER_NAME = "wheels"
_STEP_SECONDS = 120  # a small step on a slow machine
_ENVIRONMENT_MIB = 250  # NumPy, LiteRT and pip's working space
_UNPACKED_PER_PACKED = 3  # at most, and the archive itself is never stored
_MIB = 1 << 20
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RemoteJob:
    """What is to be done on each machine.

    Attributes
    ----------
    verb : str
    arguments : tuple of str
        For the verb, said in the bundle's folder.
    bundle : Bundle
    archive : bytes
        That unpacks to the bundle's folder.
    inputs : dict of str to Path
        Files for `inputs/` in the bundle's folder, by the name they get there.
    python : str or None
        Of an environment over there that holds NumPy and an interpreter; by default one is made.
    wheels : tuple of Path
        To install from in place of the network.
    timeout_seconds : float
        Of the run and of making the environment.
    """

    verb: str
    arguments: tuple[str, ...]
    bundle: Bundle
    archive: bytes
    inputs: dict[str, Path] = field(default_factory=dict)
    python: str | None = None
    wheels: tuple[Path, ...] = ()
    timeout_seconds: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class RemoteResult:
    """What a verb did over there, what it printed, its JSON document, and what the doctor had said."""

    exit_code: int
    stdout: str
    document: dict[str, Any]
    doctor: dict[str, Any]
    seconds: float


def run_job(host: RemoteHost, job: RemoteJob, tell: Tell) -> RemoteResult:
    """Do a job on a machine whose context is open.

    Raises
    ------
    RemoteError
        With a sentence for the user: no Python there, no space, a machine that cannot run models, a run that fails.
    """
    begin = time.monotonic()
    python = job.python or "python3"
    _check_tools(host, python)
    _check_space(host, job)
    tell(f"sending {len(job.archive) / 1e6:.1f} MB to {host.folder}")
    _send_archive(host, job)
    doctor = _ask_doctor(host, job, python, installed=job.python is not None)
    if job.wheels:
        _send_files(host, {path.name: path for path in _fitting_wheels(job, doctor)}, _WHEELS_FOLDER_NAME, job)
    if job.inputs:
        _send_files(host, job.inputs, INPUTS_FOLDER_NAME, job)
    if job.python is None:
        tell("making an environment")
        python = _make_environment(host, job)
        doctor = _ask_doctor(host, job, python, installed=True)
    tell(f"earproof {job.verb}")
    finished = host.run(_verb_command(job, python), timeout_seconds=job.timeout_seconds, tell=tell)
    document = _fetch_result(host, job, finished)
    return RemoteResult(
        exit_code=finished.exit_code,
        stdout=finished.stdout.decode(errors="replace"),
        document=document,
        doctor=doctor,
        seconds=time.monotonic() - begin,
    )


def _check_tools(host: RemoteHost, python: str) -> None:
    """Refuse a machine without Python or tar."""
    for tool, fix in (
        (python, "install it (Debian: apt-get install python3 python3-venv), or name one with --python"),
        ("tar", "install it"),
    ):
        if host.run(f"command -v {shlex.quote(tool)} >/dev/null", timeout_seconds=_STEP_SECONDS).exit_code:
            raise RemoteError(f"there is no {tool}; {fix}")


def _check_space(host: RemoteHost, job: RemoteJob) -> None:
    """Refuse a machine whose disk would fill up."""
    sent = sum(path.stat().st_size for path in (*job.inputs.values(), *job.wheels))
    needed = (_UNPACKED_PER_PACKED * len(job.archive) + sent) // _MIB + 1
    needed += 0 if job.python else _ENVIRONMENT_MIB
    found = host.run("df -Pk .", timeout_seconds=_STEP_SECONDS)
    columns = found.stdout.decode(errors="replace").splitlines()[-1:]
    cells = columns[0].split() if columns else []
    if len(cells) < 4 or not cells[3].isdigit():
        return  # a df of another kind; tar will say when the disk is full
    free = int(cells[3]) // 1024
    if free < needed:
        raise RemoteError(
            f"{host.folder} has {free} MiB free, and this takes {needed}; make room, or name another place with "
            "--remote-folder"
        )


def _send_archive(host: RemoteHost, job: RemoteJob) -> None:
    """Send the bundle."""
    with tempfile.TemporaryFile() as packed:
        packed.write(job.archive)
        packed.seek(0)
        _unpack(host, packed, ".", job)


def _unpack(host: RemoteHost, archive: IO[bytes], folder: str, job: RemoteJob) -> None:
    """Send an archive and unpack it in a folder of ours."""
    where = shlex.quote(folder)
    options = "-xzf" if folder == "." else "-xf"
    command = f"mkdir -p {where} && cd {where} && tar {options} -"
    done = host.run(command, stdin=archive, timeout_seconds=job.timeout_seconds)
    if done.exit_code:
        full = "; its disk is full: name another place with --remote-folder" if "No space" in done.stderr else ""
        raise RemoteError(f"tar did not unpack what was sent: {_last(done)}{full}")


def _send_files(host: RemoteHost, files: dict[str, Path], folder: str, job: RemoteJob) -> None:
    """Send files into a folder beside those of the bundle."""
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, path in files.items():
                archive.add(path.resolve(), arcname=name, recursive=False)
        packed.seek(0)
        _unpack(host, packed, f"{job.bundle.folder}/{folder}", job)


def _ask_doctor(host: RemoteHost, job: RemoteJob, python: str, installed: bool) -> dict[str, Any]:
    """Return what the doctor says about a Python over there; raise where it cannot run models."""
    command = f"{shlex.quote(python)} doctor.py --json" + (" --installed" if installed else "")
    done = host.run(_in_bundle(job, command), timeout_seconds=_STEP_SECONDS * 5)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
        failed = [check for check in report["checks"] if check["status"] == "FAIL"]
    except (ValueError, KeyError, TypeError) as error:
        raise RemoteError(f"doctor.py did not run there: {_last(done)}") from error
    if failed:
        told = "; ".join(
            f"{one['name']}: {one['found']}" + (f" (fix: {one['fix']})" if one["fix"] else "") for one in failed
        )
        raise RemoteError(f"it cannot run models as it is. {told}")
    return report


def _fitting_wheels(job: RemoteJob, doctor: dict[str, Any]) -> list[Path]:
    """Return the wheels that this machine could use, by the architecture in their names."""
    architecture = doctor["machine"]["architecture"]
    return [path for path in job.wheels if path.stem.endswith((f"_{architecture}", "-any"))]


def _make_environment(host: RemoteHost, job: RemoteJob) -> str:
    """Make an environment in the bundle's folder with the bundle's wheel in it; return its Python."""
    made = host.run(_in_bundle(job, "python3 -m venv env"), timeout_seconds=job.timeout_seconds)
    if made.exit_code:
        words = made.stdout.decode(errors="replace")
        lacks = "ensurepip" in words + made.stderr
        fix = "install it (Debian: apt-get install python3-venv), or name a Python with --python"
        raise RemoteError(
            f"python3 -m venv does not work there; {fix}" if lacks else f"no environment: {_last(made)}; {fix}"
        )
    source = f"--no-index --find-links {_WHEELS_FOLDER_NAME} " if job.wheels else ""
    command = (
        f"env/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check {source}./earproof-*.whl"
    )
    done = host.run(_in_bundle(job, command), timeout_seconds=job.timeout_seconds)
    if done.exit_code:
        raise RemoteError(
            f"pip could not install there: {_last(done)}; a machine without network takes --wheels DIR, a folder of "
            "wheels for it, or --python PATH, an environment that is there"
        )
    return "env/bin/python"


def _verb_command(job: RemoteJob, python: str) -> str:
    """Return the command line of the verb."""
    words = [python, "-m", "earproof", job.verb, *job.arguments, "--out", RESULT_NAME]
    command = shlex.join(words)
    if job.python is not None:
        # A wheel of pure Python runs from where it lies: nothing is installed into somebody's environment.
        command = f"PYTHONPATH=$(echo ./earproof-*.whl) {command}"
    return _in_bundle(job, command)


def _fetch_result(host: RemoteHost, job: RemoteJob, finished: Finished) -> dict[str, Any]:
    """Return the JSON document that the verb wrote."""
    brought = host.run(_in_bundle(job, f"cat {RESULT_NAME}"), timeout_seconds=_STEP_SECONDS)
    try:
        document: dict[str, Any] = json.loads(brought.stdout)
    except ValueError as error:
        raise RemoteError(
            f"earproof {job.verb} ended with {finished.exit_code} and left no result: {_last(finished)}"
        ) from error
    return document


def _in_bundle(job: RemoteJob, command: str) -> str:
    """Return a command that runs in the bundle's folder."""
    return f"cd {shlex.quote(str(job.bundle.folder))} && {command}"


def _last(done: Finished) -> str:
    """Return the last words of a command."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    lines = lines or [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit code {done.exit_code}"
