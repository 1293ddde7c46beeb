"""The files of a build on ARM64: Debian's Python and the aarch64 wheels under QEMU, as tests/arm64 makes them.

Where emulation is not installed these tests are skipped, but fail where the environment variable CI is set. What is
emulated is slow: here some windows of the test split are scored on two of the cores, one with the dot product
instructions and one without; benchmarks/arm64.py takes the whole split and every core.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKE = ROOT / "tests" / "arm64" / "make_arm64.py"
REQUIREMENTS = MAKE.with_name("requirements-ai_edge_litert.txt")
NUM_WINDOWS = 6  # of the test split, evenly over the labels
CORES = ("cortex-a53", "cortex-a76")
# SDOT (vector and by element), the four-way product of bytes that ARMv8.2 added: bits that are fixed, and their values.
DOT_PRODUCTS = ((0xBFE0FC00, 0x0E809400), (0xBFC0F400, 0x0F80E000))


@pytest.fixture(scope="session")
def machines():
    """The command of each machine's Python, by runtime and core."""
    made = subprocess.run([sys.executable, MAKE], capture_output=True, text=True, check=False)
    if made.returncode == 0:
        return {(machine["runtime"], machine["core"]): machine["command"] for machine in json.loads(made.stdout)}
    reason = f"ARM64 cannot be emulated here: {made.stderr.strip()[-500:]}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    return pytest.skip(reason)


def run(command, *arguments):
    return subprocess.run([*map(str, command), *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)


def test_without_emulation_it_says_what_to_install():
    made = subprocess.run([sys.executable, MAKE], capture_output=True, text=True, env={"PATH": "/nowhere"})

    assert made.returncode == 1
    assert "qemu-user-static" in made.stderr


def test_the_emulated_runtime_has_the_versions_of_the_desk():
    pinned = {line for line in REQUIREMENTS.read_text().splitlines() if "==" in line}

    assert any(line.startswith("ai-edge-litert==") for line in pinned)
    assert pinned <= set((ROOT / "constraints.txt").read_text().splitlines())


@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tflite_runtime"])
def test_the_device_part_runs_on_arm64_and_says_that_it_is_emulated(machines, runtime):
    code = (
        "import json; from edge_runtime.machine.describe import describe_machine; print(json.dumps(describe_machine()))"
    )
    done = run(machines[runtime, "cortex-a72"], "-c", code)

    assert done.returncode == 0, done.stderr
    machine = json.loads(done.stdout)
    assert (machine["architecture"], machine["board"]) == ("aarch64", "QEMU cortex-a72 (Raspberry Pi 4)")
    assert machine["runtime"].startswith(runtime.replace("_", "-"))


def test_each_core_takes_its_own_kernels(machines, built, tmp_path):
    """Only the Cortex-A76 multiplies bytes by SDOT; the older core would end in an illegal instruction."""
    np.save(tmp_path / "window.npy", built.test_windows[0])
    code = (
        "import numpy, sys; from edge_runtime.model.classifier import Classifier; "
        "print(Classifier(sys.argv[1]).scores(numpy.load(sys.argv[2])))"
    )
    counts = []
    for core in CORES:
        qemu, *options = machines["ai_edge_litert", core]
        log = tmp_path / f"{core}.log"
        model = built.path / "waveform_cnn-int8.tflite"
        done = run([qemu, "-d", "in_asm", "-D", log, *options], "-c", code, model, tmp_path / "window.npy")
        assert done.returncode == 0, done.stderr
        instructions = [int(word, 16) for word in re.findall(r"^0x[0-9a-f]+:\s+([0-9a-f]{8})\s", log.read_text(), re.M)]
        assert len(instructions) > 100_000
        counts.append(sum(word & mask == value for word in instructions for mask, value in DOT_PRODUCTS))

    assert counts[0] == 0
    assert counts[1] > 0


def test_every_file_of_a_build_scores_on_arm64_as_on_x86(machines, built, tmp_path):
    out = tmp_path / "arm64.json"
    command = [sys.executable, ROOT / "benchmarks" / "arm64.py", built.path, "--core", *CORES, "--json", out]
    done = subprocess.run(
        [*command, "--num-windows", str(NUM_WINDOWS)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )

    print(done.stdout)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    comparisons = json.loads(out.read_text())["same_runtime"]
    assert len(comparisons) == 2 * len(CORES)
    for comparison in comparisons:
        assert comparison["machine"]["architecture"] == "aarch64"
        assert {file["file"] for file in comparison["files"]} == {path.name for path in built.files}
        for file in comparison["files"]:
            assert file["passed"], (comparison["machine"]["board"], file)
            assert file["num_windows"] == NUM_WINDOWS


@pytest.mark.parametrize("name", ["waveform_cnn-int8", "mel_cnn-spectrogram-int8"])
def test_parity_passes_on_arm64(machines, built, name, tmp_path):
    """Front end, scores, both kinds of kernels and the phone's path, as a user runs it on a board."""
    model = name.partition("-")[0]
    with np.load(built.path / "golden" / f"{model}.npz") as golden:
        np.savez(tmp_path / "golden.npz", **{key: golden[key][:2] for key in golden.files if key != "again"})
    arguments = ["parity", built.path / f"{name}.tflite", "--golden", tmp_path / "golden.npz", "--json"]
    done = run(machines["ai_edge_litert", "cortex-a72"], "-m", "earproof", *arguments)

    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["files"][0]["results"]
    assert [result["level"] for result in results] == ([1, 3, 5, 4] if model == "mel_cnn" else [3, 5, 4])
