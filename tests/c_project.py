"""The C files of a tiny model with some front end, compiled for the host."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.microcontroller.c_array import make_project
from metadata import MelFrontEnd, ModelSpec, StftFrontEnd, pack_model
from metadata.gate.model_check import check_model
from metadata.spec import frame_count

MAIN = Path(__file__).parent / "microcontroller" / "main.c"
COMPILE = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")


def require_compiler() -> str:
    """Return the C compiler; without one the test is skipped, and fails in CI."""
    compiler = shutil.which("gcc")
    if compiler is None:
        message = "gcc is not here: apt-get install gcc libc6-dev"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return str(compiler)


def shape_of(front_end: StftFrontEnd | MelFrontEnd, window_length: int) -> tuple[int, int]:
    """Return rows and columns of a model's input."""
    bands = front_end.n_mels if isinstance(front_end, MelFrontEnd) else 1 + front_end.n_fft // 2
    return bands, frame_count(front_end, window_length)


def spectrogram_model(front_end: StftFrontEnd | MelFrontEnd, window_length: int, **changes: object) -> bytes:
    """Return a packed model that takes the spectrogram of a front end."""
    spec = tiny_spec(front_end=front_end, window_length=window_length, **changes)
    return pack_model(tiny_classifier(input_shape=(1, *shape_of(front_end, window_length), 1)), spec)


class CProgram:
    """`main.c` with the C files of a model named m."""

    def __init__(self, folder: Path, model: bytes, spec: ModelSpec, flags: tuple[str, ...] = ("-O1",)) -> None:
        self.spec = spec
        self.shape = shape_of(spec.front_end, spec.window_length)
        self.folder = folder
        for name, text in make_project(check_model(model), spec, "m").files.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.build(flags)

    def build(self, flags: tuple[str, ...]) -> None:
        sources = [MAIN, *sorted(self.folder.glob("*.c"))]
        command = [
            require_compiler(),
            *COMPILE,
            *flags,
            f"-I{self.folder}",
            "-o",
            self.folder / "main",
            *sources,
            "-lm",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def run(self, samples: np.ndarray, *arguments: object, expected: int = 0) -> bytes:
        command = [self.folder / "main", *map(str, arguments)]
        done = subprocess.run(command, input=samples.astype("<i2").tobytes(), capture_output=True)
        assert done.returncode == expected, done.stderr.decode()
        return done.stdout

    def inputs(self, samples: np.ndarray, *arguments: object) -> np.ndarray:
        return np.frombuffer(self.run(samples, *arguments), np.float32).reshape(-1, *self.shape)
