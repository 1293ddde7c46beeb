"""What changes while a machine measures: clock, governor, temperature, and whether a Raspberry Pi holds itself back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from metadata.plural import counted

_CPUFREQ = "sys/devices/system/cpu/cpu0/cpufreq"
_GOVERNOR, _CLOCK = f"{_CPUFREQ}/scaling_governor", f"{_CPUFREQ}/scaling_cur_freq"
_MAX_CLOCK = f"{_CPUFREQ}/scaling_max_freq"
_TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
_LOAD = "proc/loadavg"
_BUSY_SHARE = 0.5  # of the cores, at which others take part in what is measured
_VCGENCMD = ("usr/bin/vcgencmd", "opt/vc/bin/vcgencmd")
_COMMANDS = ("get_throttled", "measure_clock arm")
_VCGENCMD_SECONDS = 5.0
# Bits of `vcgencmd get_throttled`; the same bit 16 places higher: it has happened since the machine was started.
_THROTTLE_BITS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
_SINCE_BOOT = 16


class Throttling(NamedTuple):
    """What a Raspberry Pi's firmware says: now, and at any time since it was started."""

    now: tuple[str, ...]
    since_boot: tuple[str, ...]


def read_machine_state(root: str | Path = "/") -> dict[str, Any]:
    """Return how the machine is at this moment, for JSON.

    Parameters
    ----------
    root : str or Path
        Where proc, sys and usr lie.

    Returns
    -------
    dict
        `governor`, `clock_mhz` and `max_clock_mhz` (of the first core), `temperature_celsius`, `load_average` (of one
        minute) and `throttled`, each None where the machine does not say; `not_told` says why, by name. `throttled`
        holds `now` and `since_boot`, of under-voltage, clock capped, throttled and soft temperature limit.

    Notes
    -----
    On a Raspberry Pi the clock is what the firmware measured: the kernel's figure is the one it asked for.
    """
    root = Path(root)
    answers = {command: _ask_firmware(root, command) for command in _COMMANDS}
    throttling = parse_throttled(answers["get_throttled"][0])
    load = read_text(root / _LOAD).split()
    state: dict[str, Any] = {
        "governor": read_text(root / _GOVERNOR) or None,
        "clock_mhz": parse_clock(answers["measure_clock arm"][0]) or _scaled(root / _CLOCK),
        "max_clock_mhz": _scaled(root / _MAX_CLOCK),
        "temperature_celsius": _scaled(root / _TEMPERATURE),
        "load_average": float(load[0]) if load else None,
        "throttled": None if throttling is None else throttling._asdict(),
    }
    places = (_GOVERNOR, _CLOCK, _MAX_CLOCK, _TEMPERATURE, _LOAD)
    reasons = {name: f"/{place} is not there" for name, place in zip(state, places, strict=False)}
    reasons["throttled"] = answers["get_throttled"][1]
    return state | {"not_told": {name: reasons[name] for name, value in state.items() if value is None}}


def parse_throttled(text: str) -> Throttling | None:
    """Return what the line of `vcgencmd get_throttled` means, such as "throttled=0x50005"; None for another line."""
    name, _, value = text.strip().partition("=")
    try:
        flags = int(value, 16)
    except ValueError:
        return None
    if name != "throttled" or flags < 0:
        return None
    return Throttling(
        now=tuple(meaning for bit, meaning in _THROTTLE_BITS.items() if flags >> bit & 1),
        since_boot=tuple(meaning for bit, meaning in _THROTTLE_BITS.items() if flags >> bit + _SINCE_BOOT & 1),
    )


def parse_clock(text: str) -> float | None:
    """Return the MHz that the line of `vcgencmd measure_clock arm` means, such as "frequency(48)=1500398464"."""
    name, _, hertz = text.strip().partition("=")
    return int(hertz) / 1e6 if name.startswith("frequency(") and hertz.isdigit() else None


def state_line(state: dict[str, Any]) -> str:
    """Return the state in one line for people: what the machine says, and what it does not."""
    known = []
    if state["governor"]:
        known.append(f"governor {state['governor']}")
    if state["clock_mhz"]:
        known.append(f"{state['clock_mhz']:.0f} MHz")
    if state["temperature_celsius"] is not None:
        known.append(f"{state['temperature_celsius']:.1f} degrees C")
    if state["load_average"] is not None:
        known.append(f"load {state['load_average']:.2f}")
    if state["throttled"] is not None:
        known.append(_throttled_text(state["throttled"]))
    missing = f"; not known here: {', '.join(state['not_told'])}" if state["not_told"] else ""
    return ", ".join(known) + missing


def state_warnings(before: dict[str, Any], after: dict[str, Any], num_cores: int) -> list[str]:
    """Return what makes figures that were measured between two states, on so many cores, unfit to be quoted."""
    warnings = []
    if (before["load_average"] or 0.0) > num_cores * _BUSY_SHARE:
        warnings.append(
            f"something else ran before the first run (load {before['load_average']:.2f} on "
            f"{counted(num_cores, 'core')}); "
            "slow runs may be its, not the model's"
        )
    if before["governor"] not in (None, "performance"):
        warnings.append(
            f"the governor is {before['governor']}: the clock follows the load, and short runs meet a slow one; "
            "for figures to quote: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        )
    held_back = sorted({what for state in (before, after) for what in (state["throttled"] or {}).get("now", ())})
    if held_back:
        warnings.append(
            f"the machine held itself back ({', '.join(held_back)}); give it a stronger power supply or cooling"
        )
    return warnings


def read_text(path: Path) -> str:
    """Return a small text file, empty where it is not there or may not be read."""
    try:
        return path.read_text("utf-8", errors="replace").strip().rstrip("\0")
    except OSError:
        return ""


def _scaled(path: Path) -> float | None:
    """Return a file's number over 1000: kHz as MHz, thousandths of a degree as degrees."""
    text = read_text(path)
    return int(text) / 1000 if text.lstrip("-").isdigit() else None


def _ask_firmware(root: Path, command: str) -> tuple[str, str]:
    """Return what the firmware of a Raspberry Pi says, and why that may be of no use."""
    tool = next((root / place for place in _VCGENCMD if os.access(root / place, os.X_OK)), None)
    if tool is None:
        return "", "vcgencmd is not there, which only a Raspberry Pi has"
    try:
        done = subprocess.run(
            [tool, *command.split()], capture_output=True, text=True, timeout=_VCGENCMD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"vcgencmd does not run: {error}"
    # A user outside the group video is refused.
    return done.stdout, f"vcgencmd {command} said {(done.stdout or done.stderr).strip()!r}"


def _throttled_text(throttled: dict[str, Any]) -> str:
    """Return the throttle flags in words."""
    if throttled["now"]:
        return f"held back now: {', '.join(throttled['now'])}"
    if throttled["since_boot"]:
        return f"not held back now, but since boot: {', '.join(throttled['since_boot'])}"
    return "not held back"
