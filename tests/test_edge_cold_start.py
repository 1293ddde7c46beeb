import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.bench.cold_process import resident_mib
from edge_runtime.bench.cold_start import measure_cold_start
from metadata.packing.packed_model import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
# What the first label does without, and what it would cost: each of these is several milliseconds on a Raspberry Pi.
NOT_NEEDED = ("argparse", "asyncio", "concurrent.futures", "email", "flatbuffers", "importlib.metadata", "subprocess")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def window(length=32_000):
    return np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)


def test_fresh_processes_give_every_time_and_their_parts_fit_into_the_whole(model):
    cold = measure_cold_start(model, window(), 16_000, num_runs=2)

    assert cold.num_runs == 2
    parts = (cold.import_ms, cold.open_ms, cold.first_inference_ms)
    for run, whole in enumerate(cold.first_label.samples_ms):
        assert 0.0 < sum(part.samples_ms[run] for part in parts) < whole


def test_memory_and_arena_are_those_of_a_fresh_process(model):
    ballast = np.ones(50_000_000, np.uint8)  # in this process alone
    memory = measure_cold_start(model, window(), 16_000, num_runs=1).memory

    if sys.platform != "linux":
        pytest.skip("only Linux tells a process its memory through /proc")
    assert 0.0 < memory["imported_mib"] <= memory["first_label_mib"] <= memory["peak_mib"]
    assert memory["peak_mib"] < resident_mib("VmRSS")
    assert 32_000 * 4 <= memory["arena_bytes"] <= memory["arena_without_delegate_bytes"]
    assert ballast.all()


def test_samples_at_another_rate_are_taken(model):
    assert measure_cold_start(model, window(96_000), 48_000, num_runs=1).num_runs == 1


def test_a_process_that_fails_tells_why(tmp_path):
    with pytest.raises(RuntimeError, match=r"none\.tflite does not exist"):
        measure_cold_start(tmp_path / "none.tflite", window(), 16_000, num_runs=1)


def test_no_processes_are_refused(model):
    with pytest.raises(ValueError, match="num_runs is 0"):
        measure_cold_start(model, window(), 16_000, num_runs=0)


def test_a_wheel_that_was_never_unpacked_starts_fresh_processes_too(model, tmp_path):
    """So `earproof bench --host` runs on a machine into whose environment nothing is installed."""
    wheel = tmp_path / "earproof.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for package in ("metadata", "edge_runtime"):
            for path in sorted((REPOSITORY / package).rglob("*.py")):
                archive.write(path, path.relative_to(REPOSITORY))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import json, numpy as np, edge_runtime.bench.cold_start as cold\n"
        "found = cold.measure_cold_start(sys.argv[2], np.zeros(32_000, np.float32), 16_000, num_runs=1)\n"
        "print(json.dumps([cold.__file__, found.num_runs]))"
    )
    command = [sys.executable, "-c", program, str(wheel), str(model)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [str(wheel / "edge_runtime" / "bench" / "cold_start.py"), 1]


def test_the_first_label_imports_nothing_that_it_does_without(model):
    program = (
        "import sys, numpy as np\n"
        "before = set(sys.modules)\n"
        "from edge_runtime import Classifier\n"
        "Classifier(sys.argv[1]).classify(np.zeros(32_000, np.float32), 16_000)\n"
        f"print(sorted(set({NOT_NEEDED!r}) & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(model)], capture_output=True, text=True, cwd=REPOSITORY)

    assert done.stdout.strip() == "[]", done.stderr
