"""Clips made by code, and one real build of `data_short` that all end-to-end tests share, in whichever process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A backbone of this machine would change what a build makes; tests that need one put it elsewhere.
_NO_BACKBONES = tempfile.TemporaryDirectory(prefix="earproof-no-backbones-")
os.environ["EARPROOF_BACKBONES"] = _NO_BACKBONES.name
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell that starts the tests in the background leaves it so
    signal.signal(signal.SIGINT, signal.default_int_handler)
if (
    hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
):  # under nohup, for processes of tests
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE_RATE = 16_000  # Hz
QUICKER = ("--epochs", "12", "--num-runs", "30")


@dataclass(frozen=True)
class Built:
    """A finished `earproof build data_short`."""

    path: Path
    files: list[Path]
    report: dict
    test_windows: np.ndarray  # float32 (n, 32000)
    stderr: str


@pytest.fixture(scope="session")
def data_short() -> Path:
    return REPOSITORY / "data_short"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, data_short: Path) -> Built:
    """Build both models with their own settings but for the number of epochs: after 12 both tell 19 of 20 windows."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base  # one build for all processes of a run
    out, made = root / "build" / "short", root / "build" / "made.json"
    made.parent.mkdir(exist_ok=True)
    with (root / "build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_file():
            cache = root / "build" / "cache"
            command = [sys.executable, "-m", "earproof", "build", str(data_short), "--out", str(out)]
            command += ["--cache", str(cache), *QUICKER, "--json"]
            done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
            assert done.returncode in (0, 1), done.stderr[-4000:]
            made.write_text(json.dumps({"report": json.loads(done.stdout), "stderr": done.stderr}))
    from edge_runtime.parity.golden_vectors import read_golden

    windows = read_golden(out / "golden" / "waveform_cnn.npz").windows
    return Built(out, sorted(out.glob("*.tflite")), **json.loads(made.read_text()), test_windows=windows)


class Clients(dict[str, str]):
    """The Python of each client environment by name, of `browser` its modules; one that could not be made is told."""

    def __init__(self, made: subprocess.CompletedProcess[str]) -> None:
        super().__init__(line.split("\t") for line in made.stdout.splitlines())
        self._reason = made.stderr.strip()[-500:]

    def __missing__(self, name: str) -> str:
        reason = f"the client environment {name} could not be made: {self._reason}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        return pytest.skip(reason)


@pytest.fixture(scope="session")
def clients() -> Clients:
    """The environments of the loaders that apps use."""
    script = REPOSITORY / "tests" / "clients" / "make_clients.py"
    return Clients(subprocess.run([sys.executable, script], capture_output=True, text=True, check=False))


def tone(frequency: float, seconds: float, amplitude: float = 0.3, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """A sine, float32."""
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * sample_rate)) / sample_rate)).astype(
        np.float32
    )


@pytest.fixture
def make_folder(tmp_path: Path):
    """Return a function that writes a folder tree of clips: low and high tones, each clip a little different."""
    import soundfile

    def make(clips_per_label: int = 4, seconds: float = 2.5, labels: tuple[str, ...] = ("low", "high")) -> Path:
        root = tmp_path / "clips"
        for place, label in enumerate(labels):
            (root / label).mkdir(parents=True)
            for number in range(clips_per_label):
                samples = tone(200 * 6**place + 17 * number, seconds + 0.1 * number)
                soundfile.write(root / label / f"{number}.wav", samples, SAMPLE_RATE)
        return root

    return make


@pytest.fixture(scope="session")
def noise_windows() -> np.ndarray:
    """Windows for `hand_made.hand_made_classifier`, float32 (20, 256)."""
    from hand_made import WINDOW_LENGTH

    return np.random.default_rng(3).uniform(-0.5, 0.5, (20, WINDOW_LENGTH)).astype(np.float32)


@pytest.fixture(scope="session")
def noise_calibration(noise_windows: np.ndarray):
    """`noise_windows` as calibration windows of two labels."""
    from convert import choose_calibration

    return choose_calibration(noise_windows, np.arange(len(noise_windows)) % 2)
