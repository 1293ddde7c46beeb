"""The Kotlin compiler of npm: fetched once into .cache/kotlin, run without its slow start script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "kotlin"
CACHE = HERE.parents[1] / ".cache" / "kotlin"
_JAVA = ("java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # the quickest for a run this short


def compiler_folder() -> Path:
    """Return the compiler's folder; skip where it cannot be had, but fail where the environment variable CI is set."""
    folder = CACHE / "node_modules" / "kotlin-compiler"
    wanted = json.loads((HERE / "package.json").read_bytes())["dependencies"]["kotlin-compiler"]
    reason = next((f"{tool} is missing; ./setup.sh test installs it" for tool in ("java", "npm") if not _has(tool)), "")
    if not reason and _version(folder) != wanted:
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", CACHE)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        made = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, check=False)
        reason = f"npm install failed: {made.stderr.strip()[-500:]}" if made.returncode else ""
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    return pytest.skip(reason) if reason else folder


def compile_kotlin(sources: Sequence[Path], classes: Path) -> str:
    """Compile sources, Java's among them only looked up, and return what the compiler said; a warning is an error."""
    folder = compiler_folder()
    command = [*_JAVA, "-cp", f"{folder}/lib/*", "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"]
    command += ["-kotlin-home", str(folder), "-no-reflect", "-Werror", "-jvm-target", "17", "-d", str(classes)]
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_kotlin(classes: Path, main: str, *arguments: str) -> None:
    """Run a compiled `main`."""
    path = os.pathsep.join((str(classes), str(compiler_folder() / "lib" / "kotlin-stdlib.jar")))
    done = subprocess.run([*_JAVA, "-cp", path, main, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _has(tool: str) -> bool:
    return shutil.which(tool) is not None


def _version(folder: Path) -> str:
    """The version that lies there, empty where none does."""
    described = folder / "package.json"
    return str(json.loads(described.read_bytes())["version"]) if described.is_file() else ""
