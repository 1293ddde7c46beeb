"""How fast 1,000 takes are reviewed by keys in Chromium: the first decisions, the last ones, and the page's memory.

    python benchmarks/review_takes.py [--takes 1000]

It needs what `./setup.sh web` and `./setup.sh test` bring. Takes are windows of 2 s at 16 kHz, tones in noise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from edge_runtime.listen.uncertain_takes import UncertainTakes  # noqa: E402
from metadata import ModelSpec, WaveformFrontEnd  # noqa: E402

RATE, LENGTH = 16_000, 32_000
SHARE = 0.1  # of the decisions that are the first, or the last


def make_takes(folder: Path, count: int, labels: tuple[str, ...] = ("silence", "song", "speech")) -> None:
    """Fill a folder as `earproof listen --save-uncertain` does, ten sessions of it."""
    spec = ModelSpec(
        name="tones",
        version="1",
        description="None.",
        sample_rate=RATE,
        window_length=LENGTH,
        labels=labels,
        activation="softmax",
        thresholds=(0.5,) * len(labels),
        front_end=WaveformFrontEnd(),
    )
    random = np.random.default_rng(0)
    times = np.arange(LENGTH) / RATE
    for session in range(10):
        takes = UncertainTakes(folder, spec, spec.thresholds, within=0.9, session=f"202601{session + 1:02d}T000000Z")
        for number in range(session, count, 10):
            tone = np.sin(2 * np.pi * (200 + 3 * number) * times * (1 + 0.2 * times))
            window = 0.2 * tone + 0.02 * random.standard_normal(LENGTH)
            takes.offer(window, random.dirichlet(np.ones(len(labels))), 2.0 * (number + 1))


def review(folder: Path, count: int) -> dict[str, object]:
    """Serve a folder, review it, and return what was measured."""
    web, chromium, node = REPOSITORY / "web", shutil.which("chromium"), shutil.which("node")
    if chromium is None or node is None:
        raise SystemExit("chromium and node are needed; ./setup.sh test brings them")
    command = [sys.executable, "-m", "earproof", "review", str(folder), "--no-open"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            ready = time.perf_counter() - begun
            script = REPOSITORY / "benchmarks" / "review_takes.mjs"
            out = folder / "measured.json"
            subprocess.run([node, script, web, chromium, address, str(count), out], check=True)
        finally:
            server.terminate()
    return {"server_s": ready, **json.loads(out.read_text())}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takes", type=int, default=1000)
    count = parser.parse_args().takes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "takes"
        make_takes(folder, count)
        found = review(folder, count)
    times = np.array(found["decisions_ms"])
    part = max(1, round(SHARE * count))
    first, last = np.median(times[:part]), np.median(times[-part:])
    print(f"{count} takes: server ready after {found['server_s']:.1f} s, first take {found['first_ms']:.0f} ms later")
    print(f"from a key to the next take, median: {first:.1f} ms of the first {part}, {last:.1f} ms of the last {part}")
    print(f"ratio {last / first:.2f}")
    print(f"95 %: {np.percentile(times, 95):.1f} ms; longest {times.max():.1f} ms")
    for name in ("before", "after"):
        size = found[name]
        print(f"{name}: heap {size['heap_mb']:.1f} MB, {size['elements']} elements, {size['nodes']} nodes in memory")
    print(found["title"])


if __name__ == "__main__":
    main()
