"""What machine this is: a latency without it means nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.machine.state import read_machine_state, read_text
from edge_runtime.model.interpreter import runtime_name
from metadata.plural import counted

_CPU_KEYS = ("model name", "Hardware", "Processor")  # x86, old ARM kernels, older ones
_BOARD = "proc/device-tree/model"
UNKNOWN = "unknown"


def describe_machine(root: str | Path = "/") -> dict[str, Any]:
    """Return what decides how fast a model runs here, for JSON.

    Parameters
    ----------
    root : str or Path
        Where proc and sys lie.

    Returns
    -------
    dict
        `cpu`, `architecture`, `cores` (those this process may use), `memory_mib`, `system`, `python`,
        `numpy`, `runtime`; and where the machine tells them: `board` (such as "Raspberry Pi 4 Model B Rev 1.4"),
        `revision` (the board's code, such as "c03114"), `governor` and `temperature_celsius`.

    Raises
    ------
    RuntimeError
        No TFLite runtime is installed.
    """
    root = Path(root)
    found: dict[str, Any] = {
        "cpu": _cpu_name(root),
        "architecture": platform.machine(),
        "cores": _usable_cores(),
        "memory_mib": _memory_mib(root),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "runtime": runtime_name(),
    }
    state = read_machine_state(root)
    optional = {
        "board": read_text(root / _BOARD),
        "revision": _cpuinfo(root).get("Revision"),
        "governor": state["governor"],
        "temperature_celsius": state["temperature_celsius"],
    }
    return found | {name: value for name, value in optional.items() if value not in ("", None)}


def machine_line(machine: dict[str, Any]) -> str:
    """Return the machine in one line for people."""
    name = machine.get("board") or machine["cpu"]
    parts = [f"{name} ({machine['architecture']}, {counted(machine['cores'], 'core')})", machine["runtime"]]
    if "governor" in machine:
        parts.append(f"governor {machine['governor']}")
    if "temperature_celsius" in machine:
        parts.append(f"{machine['temperature_celsius']:.0f} degrees C")
    return ", ".join(parts)


def _cpu_name(root: Path) -> str:
    """Return the processor's name as the kernel or the platform gives it."""
    names = _cpuinfo(root)
    return next((names[key] for key in _CPU_KEYS if names.get(key)), platform.processor() or UNKNOWN)


def _cpuinfo(root: Path) -> dict[str, str]:
    """Return the entries of /proc/cpuinfo, of several cores the first one's."""
    lines = [line.partition(":") for line in read_text(root / "proc/cpuinfo").splitlines()]
    return {key.strip(): value.strip() for key, _, value in reversed(lines)}


def _usable_cores() -> int:
    """Return the cores this process may run on, which containers and taskset make fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_mib(root: Path) -> int | None:
    """Return the machine's memory in MiB, None where it does not tell."""
    for line in read_text(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None
