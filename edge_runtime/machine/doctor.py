"""Whether this machine can run earproof's models: what is here, what is known to crash, and what to do about it.

Standard library alone, and written for the Python 3.6 of old images, because it must run where nothing else does: this
very file is the `doctor.py` of a bundle, and `earproof doctor` once earproof is installed. That is also why it
is one long file. Whatever may crash is tried in a process of its own.
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
import re
import signal
import struct
import subprocess
import sys
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

Version = Tuple[int, ...]
OK, NOTE, WARNING, FAIL = "ok", "note", "warning", "FAIL"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)
LITERT, TFLITE_RUNTIME = "ai-edge-litert", "tflite-runtime"  # in the order in which edge_runtime takes them
LITERT_GLIBC, OLD_LITERT_GLIBC, TFLITE_RUNTIME_GLIBC = (2, 27), (2, 17), (2, 34)  # of their wheels' names
SAFE_LITERT = "2.1.6"
KNOWN_CRASHES = {  # (package, version, architecture): when
    (LITERT, version, "aarch64"): "where /proc/cpuinfo names no ARM core, as under QEMU's user emulation"
    for version in ("2.2.0", "2.3.0")
}
_64_BIT = ("x86_64", "aarch64", "amd64", "arm64")
_FLAGS = {  # that decide how fast, or whether, the kernels run
    "x86": ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx_vnni", "avx512_vnni"),
    "arm": ("neon", "asimd", "asimdhp", "asimddp", "i8mm", "sve"),
}
_TRIAL_SECONDS = 300  # an emulated processor needs half a minute
# A dense layer, a mean and a softmax on four samples: tiny_classifier(4, 2) of tests/tiny_tflite.py, zlib, base64.
_TINY_MODEL = (
    "eNpdVH1IU1EUv/twzrls1YhVgzSiFomm9kdR23tFiYlFyIxAwqY+9dXcbG/rQ6KkCJPEKKKioLQPKAn6JyLM9iZURBCEaBAEFZTOsn8sIgVd57"
    "579t5zD368e8/9nd85575znocQ4i+vKiO6x0nyiZu44O0gdthbiRnWBGyEdAMGAfuNhLQAeAshJtgbAA7F26Z4UR8b7OzotwmwECAJkaNiqLmu"
    "UWgKxIJRxc8MeJlKpXJxbaG8hnBEkIh6fnU2laLvLEAg1iiGMSbLj8Wzwjob+UsArWKoLhILRcVWoe6oEJHEcEjhXAfHk4AkrJ8AegFVAA/6Gu"
    "dYLFpPSVFJWdEGMu9ZhedUq33xBu/j7h6v/nw7nvO05nV9iW1vhvj7Ox/xFnMFP9DUyZ0a6JWDvQO8PDHDT98c46trHvCXZp5yxf03EjO/Lw3G"
    "8zx89sS9RNvutxzVu4x6ZtS/g/t8QDJ8ZvBV5wFvxcfHW89fXOSVxs+9GKv1D37v6fU2/3L5KH8Y+R2AoNzhO13eGX8xdZf7PLrP11fQJc+u2s"
    "ydmFjDj0lT3NzaJ3LNdEHiR89tObTzoXfPuyuJSduXuKl9ZeJL7Ll80X9Bdk0VyN6has55JIu/dutsvDxZxJdV9ssF02Xc8K5x7lwX7/tXE5dL"
    "//6UbbWH5NH2r771WwyJlaUf4jSf+pR2fwZdXTvATnskKoZO5DcEA5IkNolCROE4FUae2pX0e+ehnfbXQSA1AloMTK81IIYI9stqsI1g7/IYrx"
    "JiuVnYHDfeJcvDomhblHUHR2PnYp60n1+Dn4v5WWlsujYpvmbFP80zYR/TGnMycs/V5Q7PirQOjBMZAH0qY0B/I9aQjRrLMzSwBmu6BoNaQzbW"
    "wLSyiDanJrVWmzrfNszVjhwDxib41t8DQV4+HEyC4RkgCtgEsAO+4VzRfvMDCjGeG/rQinOln3GjLh6fwQmGm8VoBscMd2THcyfmxXjF9WJAUn"
    "mFyMvC+83TeMcEsbklrWvE2t3Ad2j9aExrt4XDQaGxOHBclNS7SWbkyThanspdphjHifsmIRCNKRXP541gnibMc4GOyyrSaer+yXb8DkbsA4fe"
    "T61Qq8+s8Gn/LFT9Hdo3NbpQrz4YbjgsFUstgTaB6O79U2p+zYyn1cL07Uosgvppvv6/redT+17ARjqneFfU/h5iLWN5LaNxc3BWk7D2sLXnj8"
    "5uV2ZCi7uU2Zf+BwBtN9M="
)
_TRIAL = """
import base64, sys, zlib
def reached(stage): sys.stdout.write(stage + "\\n"); sys.stdout.flush()
import numpy
reached("numpy")
try: from ai_edge_litert.interpreter import Interpreter
except ModuleNotFoundError as error:
    if error.name not in ("ai_edge_litert", "ai_edge_litert.interpreter"): raise
    from tflite_runtime.interpreter import Interpreter
reached("import")
interpreter = Interpreter(model_content=zlib.decompress(base64.b64decode(sys.argv[1])), num_threads=1)
interpreter.allocate_tensors()
reached("open")
entry, exit = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
interpreter.set_tensor(entry["index"], numpy.ones((1, 4), numpy.float32))
interpreter.invoke()
total = float(interpreter.get_tensor(exit["index"]).sum())
if not abs(total - 1.0) < 1e-3: sys.exit("a softmax gave scores that add up to %r; expected 1" % total)
reached("invoke")
"""
_NOT_STARTED = "not started"
_STAGES = {
    "": "importing NumPy",
    "numpy": "importing the interpreter",
    "import": "opening a model",
    "open": "running it",
}


class Trial(NamedTuple):
    """What a process did that imported NumPy and the interpreter, opened a model and ran it."""

    stage: str  # the last one it passed: "" none, numpy, import, open, invoke all; or "not started"
    exit_code: int  # negative: the signal that ended it
    error: str  # its last words


class Machine(NamedTuple):
    """What was found on this machine."""

    system: str  # linux, darwin, win32
    architecture: str  # of the kernel, as uname names it: x86_64, aarch64, armv7l, armv6l
    bits: int  # of this Python
    python: Version
    implementation: str  # CPython
    libc: str  # glibc, musl, or empty
    libc_version: Version
    cpu: str
    flags: FrozenSet[str]
    versions: Dict[str, str]  # of installed packages
    venv: bool  # whether python -m venv will work
    trial: Optional[Trial]  # None where NumPy or every interpreter is missing


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    status: str  # ok, note, warning, FAIL
    found: str
    fix: str = ""


def look() -> Machine:
    """Return what this machine is and has; tries the interpreter in another process."""
    libc, libc_version = _libc()
    cpu, flags = _cpu(_read("/proc/cpuinfo"))
    versions = _installed(("numpy", LITERT, TFLITE_RUNTIME, "flatbuffers", "earproof"))
    can_try = "numpy" in versions and (LITERT in versions or TFLITE_RUNTIME in versions)
    return Machine(
        system=sys.platform,
        architecture=platform.machine(),
        bits=8 * struct.calcsize("P"),
        python=tuple(sys.version_info[:3]),
        implementation=platform.python_implementation(),
        libc=libc,
        libc_version=libc_version,
        cpu=cpu,
        flags=flags,
        versions=versions,
        venv=_is_there("venv") and _is_there("ensurepip"),
        trial=try_interpreter() if can_try else None,
    )


def examine(machine: Machine, installed: bool) -> List[Check]:
    """Return every check of a machine.

    Parameters
    ----------
    machine : Machine
    installed : bool
        Whether earproof is installed already, so that a missing package is a fault and no longer to come.
    """
    checks = [_python(machine), _architecture(machine), _processor(machine), _c_library(machine)]
    checks += [_numpy(machine, installed), _interpreter(machine, installed)]
    if not installed:
        checks.append(_environment(machine))
    return checks


def can_run(checks: List[Check]) -> bool:
    """Whether no check failed."""
    return all(check.status != FAIL for check in checks)


def format_checks(checks: List[Check]) -> str:
    """Return the checks as lines for people."""
    lines = []
    for check in checks:
        lines.append(f"{check.status:<7}  {check.name:<12}  {check.found}")
        if check.fix:
            lines.append(f"{'':<7}  {'':<12}  fix: {check.fix}")
    verdict = "can run earproof's models" if can_run(checks) else "cannot run earproof's models as it is"
    return "\n".join([*lines, f"This machine {verdict}."])


def try_interpreter() -> Trial:
    """Open and run a tiny model in another process, which may crash."""
    # Without this folder on its path: as a script in a bundle that would be the folder of this file.
    command = [sys.executable, "-c", _TRIAL, _TINY_MODEL]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    except OSError as error:  # emulated without binfmt, or out of memory
        return Trial(_NOT_STARTED, 126, str(error))
    try:
        out, err = process.communicate(timeout=_TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        return Trial((out.split() or [""])[-1], 124, f"no end after {_TRIAL_SECONDS} s")
    words = [line.strip() for line in err.splitlines() if line.strip() and not line.startswith("INFO")]
    return Trial((out.split() or [""])[-1], process.returncode, words[-1] if words else "")


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof doctor`."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(verb: str, args: argparse.Namespace, installed: bool = True) -> int:
    """Print the checks; return 1 where this machine cannot run a model."""
    machine = look()
    checks = examine(machine, installed)
    if args.json:
        facts = machine._replace(trial=None, flags=frozenset())._asdict()
        facts.update(flags=sorted(machine.flags), trial=machine.trial._asdict() if machine.trial else None)
        document = {"can_run": can_run(checks), "checks": [dict(check._asdict()) for check in checks], "machine": facts}
        print(json.dumps(document, indent=2))
    else:
        print(format_checks(checks))
    return 0 if can_run(checks) else 1


def main() -> int:
    """Run as a script, before anything is installed."""
    parser = argparse.ArgumentParser(description="Say whether this machine can run earproof's models, and why not.")
    add_arguments("doctor", parser)
    parser.add_argument("--installed", action="store_true", help="all should be there: a missing package is a fault")
    args = parser.parse_args()
    return run("doctor", args, args.installed)


def _python(machine: Machine) -> Check:
    """Whether there are wheels for this Python."""
    found = f"{machine.implementation} {_dotted(machine.python)}"
    if machine.implementation != "CPython":
        return Check("Python", FAIL, found + ": there are no wheels for it", "use CPython 3.10 to 3.13")
    if machine.python[:2] < OLDEST_PYTHON:
        why = ": older than 3.10, the oldest that earproof runs on"
        return Check("Python", FAIL, found + why, "take a system with a newer one (Debian 12, Ubuntu 22.04), or conda")
    if machine.python[:2] > NEWEST_PYTHON:
        why = ": newer than 3.13, the newest that earproof is tested on"
        return Check("Python", FAIL, found + why, "use python3.13 or older: python3.13 -m venv env")
    return Check("Python", OK, found)


def _architecture(machine: Machine) -> Check:
    """Whether there are wheels for this processor."""
    kind, bits = machine.architecture.lower(), machine.bits
    found = f"{machine.architecture}, {bits}-bit Python"
    if kind in _64_BIT and bits == 64:
        return Check("architecture", OK, found)
    works = machine.trial is not None and machine.trial.stage == "invoke"
    if kind in ("aarch64", "arm64"):
        why = "the kernel is 64-bit, but the system on it is 32-bit (armhf, such as Raspberry Pi OS 32-bit)"
    elif kind in ("x86_64", "amd64"):
        why = "the kernel is 64-bit, but this Python is 32-bit"
    elif kind.startswith("armv6"):
        why = "a 32-bit ARMv6 (Raspberry Pi 1, Zero): no interpreter has wheels for it, and it has no NEON"
    elif kind.startswith("arm"):
        why = "a 32-bit ARM system (armhf): ai-edge-litert has no wheels for it, only tflite-runtime 2.14 has"
    elif bits == 32:
        why = "a 32-bit system: no interpreter has wheels for it"
    else:
        why = "no interpreter has wheels for this processor; x86-64 and 64-bit ARM have them"
    if works:
        return Check("architecture", NOTE, f"{found}: {why}; the interpreter that is installed runs all the same")
    fix = "use a device with a 64-bit ARM or x86-64 processor"
    if kind in ("aarch64", "arm64") or kind.startswith("armv7") or kind.startswith("armv8"):
        fix = (
            "install the 64-bit system (Raspberry Pi OS 64-bit; Pi 3 and newer). To stay with 32 bits on Debian 12: "
            "apt-get install python3-numpy python3-venv; python3 -m venv --system-site-packages env; "
            "env/bin/pip install tflite-runtime flatbuffers; env/bin/pip install --no-deps ./earproof-*.whl"
        )
    elif kind in ("x86_64", "amd64"):
        fix = "install a 64-bit Python"
    return Check("architecture", FAIL, f"{found}: {why}", fix)


def _processor(machine: Machine) -> Check:
    """What the processor brings for the kernels."""
    is_arm = machine.architecture.lower().startswith(("arm", "aarch64"))
    there = [flag for flag in _FLAGS["arm" if is_arm else "x86"] if flag in machine.flags]
    found = f"{machine.cpu or 'unnamed'}: {' '.join(there) or 'no flags that count'}"
    if not machine.flags:
        return Check("processor", NOTE, f"{machine.cpu or 'it'} tells no flags")
    if _is_emulated(machine):
        return Check("processor", NOTE, f"emulated on {machine.cpu or 'x86'}: its times mean nothing")
    if is_arm and not {"neon", "asimd"} & machine.flags:
        return Check("processor", FAIL, found + "; the kernels need NEON", "use an ARMv7 with NEON or a 64-bit ARM")
    if is_arm and "asimddp" not in machine.flags:
        return Check("processor", NOTE, found + "; without asimddp (dot product) 8-bit files gain less")
    return Check("processor", OK, found)


def _is_emulated(machine: Machine) -> bool:
    """Whether an ARM system runs on an x86 processor."""
    return machine.architecture.lower().startswith(("arm", "aarch64")) and "sse2" in machine.flags


def _c_library(machine: Machine) -> Check:
    """Whether the C library is one that the wheels are built for."""
    found = f"{machine.libc or 'unknown'} {_dotted(machine.libc_version)}".strip()
    if machine.system != "linux":
        return Check("C library", OK, f"not needed on {machine.system}")
    if machine.libc == "musl":
        why = ": the wheels are for glibc (manylinux); no interpreter has one for musl (Alpine)"
        return Check("C library", FAIL, found + why, "use Debian, Ubuntu or Raspberry Pi OS, or a Debian container")
    if not machine.libc_version:
        return Check("C library", WARNING, f"is not known; wheels need glibc {_dotted(LITERT_GLIBC)}")
    if machine.libc_version < OLD_LITERT_GLIBC:
        why = ": older than 2.17, which every wheel needs"
        return Check("C library", FAIL, found + why, "use a newer system: Debian 11, Ubuntu 20.04 or later")
    if machine.libc_version < LITERT_GLIBC:
        why = ": ai-edge-litert 2 needs 2.27"
        return Check("C library", WARNING, found + why, 'pip install "ai-edge-litert==1.4.0" (Python 3.10 to 3.12)')
    return Check("C library", OK, found)


def _numpy(machine: Machine, installed: bool) -> Check:
    """Whether NumPy is there and imports."""
    version = machine.versions.get("numpy")
    if version is None:
        return _missing("NumPy", installed, "pip install numpy")
    if LITERT not in machine.versions and TFLITE_RUNTIME in machine.versions and _parsed(version) >= (2,):
        why = f"{version}: tflite-runtime is built for NumPy 1 and does not load with 2"
        return Check("NumPy", FAIL, why, 'pip install "numpy<2"')
    if machine.trial is not None and machine.trial.stage == "":
        return Check("NumPy", FAIL, f"{version} {_end(machine.trial)}", 'pip install --force-reinstall "numpy<2.3"')
    return Check("NumPy", OK, version)


def _interpreter(machine: Machine, installed: bool) -> Check:
    """Whether a TFLite interpreter is there and runs a model."""
    package = LITERT if LITERT in machine.versions else TFLITE_RUNTIME
    version = machine.versions.get(package)
    safe = f'pip install "ai-edge-litert=={SAFE_LITERT}"'
    if version is None:
        return _missing("interpreter", installed, safe if _is_emulated(machine) else "pip install " + LITERT)
    found, trial = f"{package} {version}", machine.trial
    if trial is None or trial.stage == "":
        return Check("interpreter", WARNING, found + " was not tried: there is no NumPy that imports", "see NumPy")
    known = KNOWN_CRASHES.get((package, version, machine.architecture))
    if trial.stage == _NOT_STARTED and known and "asimd" not in machine.flags:
        return Check("interpreter", FAIL, f"{found} is known to crash {known}", safe)
    if trial.stage == _NOT_STARTED:
        return Check("interpreter", WARNING, f"{found} was not tried: no process could be started: {trial.error}")
    if trial.stage == "invoke" and trial.exit_code == 0:
        return Check("interpreter", OK, found + " opened a model and ran it")
    fix = safe
    if package == TFLITE_RUNTIME:
        fix = f'pip install "numpy<2", with Python 3.11 at most; or {safe}'
    elif version == SAFE_LITERT:
        fix = 'pip install "ai-edge-litert==1.4.0" (Python 3.10 to 3.12)'
    return Check(
        "interpreter", FAIL, f"{found} {_end(trial)}" + (f"; it is known to crash {known}" if known else ""), fix
    )


def _environment(machine: Machine) -> Check:
    """Whether an environment can be made to install into."""
    if machine.venv:
        return Check("venv", OK, "python3 -m venv works")
    fix = "apt-get install python3-venv"
    return Check("venv", WARNING, "this Python lacks venv or ensurepip, which Debian packs apart", fix)


def _missing(name: str, installed: bool, fix: str) -> Check:
    """What to say about a package that is not there."""
    if installed:
        return Check(name, FAIL, "not installed", fix)
    return Check(name, NOTE, f"not installed yet; it comes with the wheel (by hand: {fix})")


def _end(trial: Trial) -> str:
    """Say how a trial ended."""
    if trial.exit_code < 0:
        names = {number.value: number.name for number in signal.Signals}
        how = f"crashed with {names.get(-trial.exit_code, -trial.exit_code)}"
    else:
        how = "failed"
    return f"{how} when {_STAGES[trial.stage]}" + (f": {trial.error}" if trial.error else "")


def _libc() -> Tuple[str, Version]:
    """Return name and version of the C library."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        if name == "glibc":
            return "glibc", _parsed(version)
    except (AttributeError, ValueError, OSError):
        pass  # not a glibc: musl knows no such name, Windows no confstr
    folder = "/lib"
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return ("musl", ()) if any(name.startswith("ld-musl-") for name in names) else ("", ())


def _cpu(cpuinfo: str) -> Tuple[str, FrozenSet[str]]:
    """Return name and flags of the processor out of /proc/cpuinfo."""
    pairs = [line.partition(":") for line in cpuinfo.splitlines()]
    values = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
    name = next((values[key] for key in ("model name", "Model", "Hardware", "Processor") if values.get(key)), "")
    return name, frozenset((values.get("flags") or values.get("Features") or "").split())


def _installed(names: Tuple[str, ...]) -> Dict[str, str]:
    """Return the versions of those packages that are installed."""
    if sys.version_info < (3, 8):  # importlib.metadata is younger; such a Python is refused anyway
        return {}
    metadata = importlib.import_module("importlib.metadata")
    versions = {}
    for name in names:
        try:
            versions[name] = str(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return versions


def _is_there(module: str) -> bool:
    """Whether a module of the standard library is, which distributions leave out at times."""
    return importlib.util.find_spec(module) is not None


def _read(path: str) -> str:
    """Return a small text file, empty where it is not there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _parsed(version: str) -> Version:
    """Return the numbers a version begins with."""
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0])[:3])


def _dotted(version: Version) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
