"""What machine this is: a latency without it means nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.interpreter import runtime_name

_CPU_KEYS = ("model name", "Hardware", "Processor")  # x86, old ARM kernels, older ones
_GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
_TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
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
        `numpy`, `runtime`; and where the machine tells them: `board` (such as "Raspberry Pi 4 Model B"),
        `governor` and `temperature_celsius`.

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
    board, governor = _read(root / _BOARD).rstrip("\0"), _read(root / _GOVERNOR)
    temperature = _read(root / _TEMPERATURE)
    optional = {
        "board": board,
        "governor": governor,
        "temperature_celsius": int(temperature) / 1000 if temperature.lstrip("-").isdigit() else "",
    }
    return found | {name: value for name, value in optional.items() if value != ""}


def machine_line(machine: dict[str, Any]) -> str:
    """Return the machine in one line for people."""
    name = machine.get("board") or machine["cpu"]
    parts = [f"{name} ({machine['architecture']}, {machine['cores']} cores)", machine["runtime"]]
    if "governor" in machine:
        parts.append(f"governor {machine['governor']}")
    if "temperature_celsius" in machine:
        parts.append(f"{machine['temperature_celsius']:.0f} degrees C")
    return ", ".join(parts)


def _cpu_name(root: Path) -> str:
    """Return the processor's name as the kernel or the platform gives it."""
    lines = [line.partition(":") for line in _read(root / "proc/cpuinfo").splitlines()]
    names = {key.strip(): value.strip() for key, _, value in reversed(lines)}
    return next((names[key] for key in _CPU_KEYS if names.get(key)), platform.processor() or UNKNOWN)


def _usable_cores() -> int:
    """Return the cores this process may run on, which containers and taskset make fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_mib(root: Path) -> int | None:
    """Return the machine's memory in MiB, None where it does not tell."""
    for line in _read(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return None


def _read(path: Path) -> str:
    """Return a small text file, empty where it is not there or may not be read."""
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
