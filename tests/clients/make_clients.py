"""Make the environments in which the real loaders open our files.

    python make_clients.py [--dir DIR]

`tflite_support` holds the TensorFlow Lite Task library and tflite-runtime, `mediapipe` MediaPipe, `tflite_micro` the
interpreter of TensorFlow Lite Micro; none can share an environment with another or with TensorFlow. Each is made once
and again when its requirements file changes. All take Python 3.11, the newest that tflite-support has. `browser` holds
the loaders of a browser as `browser/package.json` names them, and needs node, npm and Chromium. Prints name and Python
of each environment, of `browser` its folder of modules; `--only NAME` makes one of them.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEFAULT_DIR = HERE.parents[1] / ".cache" / "clients"
PYTHON_VERSION = (3, 11)
# What each client loads from the system: shared library -> Debian package.
SYSTEM_LIBRARIES = {
    "tflite_support": {"libusb-1.0.so.0": "libusb-1.0-0", "libportaudio.so.2": "libportaudio2"},
    "mediapipe": {
        "libGL.so.1": "libgl1",
        "libEGL.so.1": "libegl1",
        "libGLESv2.so.2": "libgles2",
        "libglib-2.0.so.0": "libglib2.0-0",
        "libportaudio.so.2": "libportaudio2",
    },
    "tflite_micro": {},
}
BROWSER = "browser"
BROWSER_PROGRAMS = {"node": "nodejs", "npm": "npm", "chromium": "chromium"}  # program -> Debian package
_STAMP = "requirements.sha256"  # in the environment, written when it is complete


def main() -> int:
    """Make what is missing and print where it is."""
    parser = argparse.ArgumentParser(description="Make the environments of the client tests.")
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIR, metavar="DIR", help="default: .cache/clients")
    parser.add_argument("--only", choices=(*SYSTEM_LIBRARIES, BROWSER), help="default: all of them")
    args = parser.parse_args()
    folder, failed = args.dir.resolve(), 0
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")  # held until the process ends: two test processes ask at once
    fcntl.flock(lock, fcntl.LOCK_EX)
    for name in (args.only,) if args.only else (*SYSTEM_LIBRARIES, BROWSER):
        try:
            made = make_browser(folder) if name == BROWSER else make_client(name, folder)
            print(f"{name}\t{made}", flush=True)
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            print(f"make_clients.py: {name}: {error}", file=sys.stderr)
            failed = 1
    return failed


def make_client(name: str, folder: Path) -> Path:
    """Make one environment where it is missing or out of date; return its Python."""
    requirements = HERE / f"requirements-{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    environment = folder / name
    python = environment / "bin" / "python"
    install_system_libraries(SYSTEM_LIBRARIES[name])
    if not (_read(environment / _STAMP) == digest and python.exists()):
        print(f"making {environment} ...", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        _run(find_python(), "-m", "venv", str(environment))
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements))
        (environment / _STAMP).write_text(digest, encoding="ascii")
    return python


def make_browser(folder: Path) -> Path:
    """Install the modules of a browser's loaders where they are missing or out of date; return their folder."""
    missing = [package for program, package in BROWSER_PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        install_packages(missing)
    named = HERE / BROWSER / "package.json"
    digest = hashlib.sha256(named.read_bytes()).hexdigest()
    environment = folder / BROWSER
    if _read(environment / _STAMP) != digest:
        print(f"making {environment} ...", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        environment.mkdir(parents=True)
        shutil.copy(named, environment)
        options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(environment))
        _run("npm", "install", *options)
        (environment / _STAMP).write_text(digest, encoding="ascii")
    return environment / "node_modules"


def find_python() -> str:
    """Return a Python of the version that all clients have wheels for."""
    version = ".".join(map(str, PYTHON_VERSION))
    if sys.version_info[:2] == PYTHON_VERSION:
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None:
        raise RuntimeError(
            f"this is Python {sys.version.split()[0]} and there is no python{version} on the path; "
            f"tflite-support 0.4.4 has no wheels for newer ones. Install Python {version}"
        )
    return found


def install_system_libraries(libraries: dict[str, str]) -> None:
    """Install the Debian packages of the shared libraries that are missing, where we may."""
    packages = [package for library, package in libraries.items() if not _is_there(library)]
    if packages:
        install_packages(packages)


def install_packages(packages: list[str]) -> None:
    """Install Debian packages, where we may."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"system packages are missing; install them with: sudo {' '.join(command)}")
    try:
        _run(*command)
    except subprocess.CalledProcessError:  # package lists that were never fetched, or are too old
        _run("apt-get", "update")
        _run(*command)


def _is_there(library: str) -> bool:
    """Whether the dynamic linker finds a shared library; asked in another process, which it cannot harm."""
    code = f"import ctypes; ctypes.CDLL({library!r})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def _run(*command: str) -> None:
    """Run a command with its output on stderr."""
    subprocess.run(command, check=True, stdout=sys.stderr)


def _read(path: Path) -> str:
    """The text of a file, empty where there is none."""
    return path.read_text(encoding="ascii") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
