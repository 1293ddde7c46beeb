"""More recordings than a process may have files open: the whole job, under the limit that macOS begins with."""

import json
import resource
import subprocess
import sys

import numpy as np
import soundfile
from conftest import REPOSITORY, SAMPLE_RATE

NUM_CLIPS, OPEN_FILES = 1_500, 256
LENGTH = 800  # samples of a clip


def test_a_build_of_1500_clips_goes_through_with_256_open_files(tmp_path):
    time = np.arange(LENGTH) / SAMPLE_RATE
    for place, label in enumerate(("low", "high")):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(NUM_CLIPS // 2):
            sound = 0.3 * np.sin(2 * np.pi * (300 * 5**place + number / 2) * time)
            soundfile.write(tmp_path / "data" / label / f"{number}.wav", sound, SAMPLE_RATE)
    few = (
        "--model waveform_cnn --out out --cache cache --epochs 1 --epoch-windows 32 --recipe int8 "
        "--calibration-windows 8 --num-runs 3 --warmup-runs 1 --json"
    )
    done = subprocess.run(
        [sys.executable, "-m", "earproof", "build", "data", *few.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES)),
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]  # 1: after one epoch a file may fail its parity
    files = json.loads(done.stdout)["files"]
    assert len(files) == 2
    assert (tmp_path / "cache" / "waveforms-0001.f32").stat().st_size == 4 * LENGTH * NUM_CLIPS
    listed = (tmp_path / "out" / "waveform_cnn" / "split.csv").read_text().splitlines()
    assert len(listed) == NUM_CLIPS + 1
