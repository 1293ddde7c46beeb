import pytest

from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.interpreter import runtime_name

PI_CPUINFO = (
    "processor\t: 0\nBogoMIPS\t: 108.00\n\nprocessor\t: 1\nBogoMIPS\t: 108.00\n\n"
    "Hardware\t: BCM2835\nRevision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
)


def fake_root(tmp_path, **files):
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_0_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_this_machine_names_its_processor_and_runtime():
    machine = describe_machine()

    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["runtime"] == runtime_name()
    assert machine["runtime"] in machine_line(machine)


def test_a_raspberry_pi_gives_its_model_governor_and_temperature(tmp_path):
    root = fake_root(
        tmp_path,
        proc__cpuinfo=PI_CPUINFO,
        proc__meminfo="MemTotal:        3884096 kB\nMemFree:  1 kB\n",
        proc__device_0_tree__model="Raspberry Pi 4 Model B Rev 1.4\0",
        sys__devices__system__cpu__cpu0__cpufreq__scaling_governor="ondemand\n",
        sys__class__thermal__thermal_zone0__temp="48312\n",
    )
    machine = describe_machine(root)

    assert machine["board"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert machine["cpu"] == "BCM2835"
    assert machine["revision"] == "c03114"
    assert machine["governor"] == "ondemand"
    assert machine["temperature_celsius"] == pytest.approx(48.312)
    assert machine["memory_mib"] == 3793
    assert "Raspberry Pi 4 Model B Rev 1.4" in machine_line(machine)
    assert "48 degrees C" in machine_line(machine)


def test_the_first_processor_names_a_desktop(tmp_path):
    root = fake_root(tmp_path, proc__cpuinfo="model name : First\nflags : a\n\nmodel name : Second\n")

    assert describe_machine(root)["cpu"] == "First"


def test_a_machine_that_tells_nothing_is_described_without_it(tmp_path):
    machine = describe_machine(tmp_path)

    assert machine["cpu"]
    assert machine["memory_mib"] is None
    assert not {"board", "revision", "governor", "temperature_celsius"} & set(machine)
