"""How long it takes from opening the page of a model to the scores of a recording, in Chromium.

    python benchmarks/open_page.py FILE.tflite ... --recording CLIP.wav [--visits 8]

Each visit has a new browser. The recording is chosen as soon as the model is ready. It needs what `./setup.sh web` and
`./setup.sh test` bring.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from edge_runtime.machine.describe import describe_machine, machine_line  # noqa: E402


def visit(model: Path, recording: Path, visits: int) -> list[dict[str, float]]:
    """Serve a model and open its page; return what was measured of each visit."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    if chromium is None or node is None:
        raise SystemExit("chromium and node are needed; ./setup.sh test brings them")
    command = [sys.executable, "-m", "earproof", "web", str(model.resolve()), "--no-open"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server,
    ):
        assert server.stdout is not None
        out = Path(folder) / "visits.json"
        try:
            address = server.stdout.readline().strip()
            script = REPOSITORY / "benchmarks" / "open_page.mjs"
            arguments = [REPOSITORY / "web", chromium, address, recording.resolve(), str(visits), out]
            subprocess.run([node, script, *arguments], check=True)
        finally:
            server.terminate()
        return json.loads(out.read_text())


def spread(seen: list[dict[str, float]], name: str) -> str:
    """Return the median and the range in seconds."""
    values = np.array([one[name] for one in seen]) / 1000
    return f"{np.median(values):.2f} s ({values.min():.2f} to {values.max():.2f})"


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+", metavar="FILE.tflite")
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--visits", type=int, default=8)
    args = parser.parse_args()
    load = os.getloadavg()[0]
    for model in args.models:
        seen = visit(model, args.recording, args.visits)
        size = model.stat().st_size / 1000
        print(f"{model.name}, {size:.0f} kB, {args.visits} visits: ", end="")
        print(f"model ready {spread(seen, 'ready_ms')}, first scores {spread(seen, 'scored_ms')}")
    print(f"{machine_line(describe_machine())}; load average at the start {load:.1f}")


if __name__ == "__main__":
    main()
