import stat

import pytest

from edge_runtime.machine.state import (
    Throttling,
    parse_clock,
    parse_throttled,
    read_machine_state,
    state_line,
    state_warnings,
)

# As a Raspberry Pi 4 gives them: warm, held back by a weak power supply.
FILES = {
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq": "1800000\n",
    "sys/class/thermal/thermal_zone0/temp": "78374\n",
    "proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
}
VCGENCMD = """#!/bin/sh
case "$*" in
  get_throttled) echo throttled=0x50005 ;;
  "measure_clock arm") echo "frequency(48)=600117184" ;;
  *) exit 1 ;;
esac
"""
REFUSING = "#!/bin/sh\necho 'VCHI initialization failed' >&2\nexit 255\n"


def fake_pi(root, vcgencmd=VCGENCMD):
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    tool = root / "usr/bin/vcgencmd"
    tool.parent.mkdir(parents=True)
    tool.write_text(vcgencmd)
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return root


def test_a_raspberry_pi_tells_clock_temperature_and_what_holds_it_back(tmp_path):
    state = read_machine_state(fake_pi(tmp_path))

    assert state["governor"] == "ondemand"
    assert state["clock_mhz"] == pytest.approx(600.117184)  # what the firmware measured, not the 1800 asked for
    assert state["max_clock_mhz"] == 1800.0
    assert state["temperature_celsius"] == pytest.approx(78.374)
    assert state["load_average"] == 0.52
    assert state["throttled"] == {
        "now": ("under-voltage", "throttled"),
        "since_boot": ("under-voltage", "throttled"),
    }
    assert state["not_told"] == {}
    assert "held back now: under-voltage, throttled" in state_line(state)


def test_a_machine_without_these_files_says_which_it_lacks(tmp_path):
    state = read_machine_state(tmp_path)

    assert set(state["not_told"]) == set(state) - {"not_told"}
    assert state["not_told"]["governor"] == "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor is not there"
    assert state["not_told"]["load_average"] == "/proc/loadavg is not there"
    assert "only a Raspberry Pi has" in state["not_told"]["throttled"]
    assert "not known here: governor, clock_mhz" in state_line(state)


def test_without_the_firmware_the_kernels_clock_counts(tmp_path):
    state = read_machine_state(fake_pi(tmp_path, REFUSING))

    assert state["clock_mhz"] == 1800.0
    assert state["throttled"] is None
    assert state["not_told"] == {"throttled": "vcgencmd get_throttled said 'VCHI initialization failed'"}


def test_a_vcgencmd_that_cannot_be_started_is_named(tmp_path):
    state = read_machine_state(fake_pi(tmp_path, "#!/does/not/exist\n"))

    assert state["not_told"]["throttled"].startswith("vcgencmd does not run: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("throttled=0x0\n", Throttling((), ())),
        ("throttled=0x1\n", Throttling(("under-voltage",), ())),
        ("throttled=0x2\n", Throttling(("clock capped",), ())),
        ("throttled=0x4\n", Throttling(("throttled",), ())),
        ("throttled=0x8\n", Throttling(("soft temperature limit",), ())),
        ("throttled=0x50000\n", Throttling((), ("under-voltage", "throttled"))),
        (
            "throttled=0xe0008\n",
            Throttling(("soft temperature limit",), ("clock capped", "throttled", "soft temperature limit")),
        ),
        ("", None),
        ("throttled=", None),
        ('error=1 error_msg="Command not registered"', None),
    ],
)
def test_the_bits_of_get_throttled(text, expected):
    assert parse_throttled(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("frequency(48)=1500398464\n", 1500.398464), ("frequency(0)=0\n", 0.0), ("", None), ("frequency(48)=\n", None)],
)
def test_the_line_of_measure_clock(text, expected):
    assert parse_clock(text) == expected


def test_a_machine_that_held_itself_back_or_was_busy_is_warned_of(tmp_path):
    pi = read_machine_state(fake_pi(tmp_path))
    warnings = "\n".join(state_warnings(pi | {"load_average": 3.1}, pi, 4))

    assert "the governor is ondemand" in warnings
    assert "held itself back (throttled, under-voltage)" in warnings
    assert "something else ran before the first run (load 3.10 on 4 cores)" in warnings


def test_a_machine_at_rest_is_not_warned_of():
    calm = {"governor": "performance", "load_average": 0.1, "throttled": {"now": [], "since_boot": ["throttled"]}}

    assert state_warnings(calm, calm, 4) == []
    assert state_warnings({"governor": None, "load_average": None, "throttled": None}, calm, 1) == []
