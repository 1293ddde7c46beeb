"""Damage thousands of model files and open each in a child process: none may crash it, hang, or give scores of NaN.

    python benchmarks/mutated_files.py [FILE.tflite ...] --count 20000

Each file is damaged in one of the ways of `tests/damage.py`, handed to `Classifier`, and, where that takes it, run on
four windows. Damaged are the small networks in `tests/damaged_files/sound` and the files given. Two of five are files
of earproof without the digest that it packs, two have standard metadata alone, as other tools write it; with a digest,
nearly all damage is refused by that. The exit code is 1 where a child crashed, used more than 5 s, raised anything but
ModelContractError, or gave a score that is no number.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]
MAX_SECONDS = 5.0  # of processor time for one file
MAX_WALL_SECONDS = 120.0  # where other processes take the processor
MAX_MEMORY = 12 * 2**30  # bytes of address space of a child; the runtime alone maps one or two GiB
FILES_PER_CHILD = 2000
CHILDREN = (["--child"], ["--unchecked-child"])
GOOD = ("refused", "refused while it runs", "scores")
FORMS = ("no digest", "third party", "no digest", "third party", "digest")  # take turns
BAD = ("CRASH", "HANG", "OTHER EXCEPTION", "NO NUMBERS")


def child(unchecked: bool) -> int:
    """Read files from stdin, a length before each, and say for each what became of it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the runtime prints is not an answer
    from edge_runtime.model import classifier, interpreter
    from metadata.tflite_file.model_content import parse_model

    if unchecked:
        for module in (classifier, interpreter):
            module.check_model, module.check_weights = parse_model, lambda content: content
    print(json.dumps(interpreter.runtime_name()), file=answers, flush=True)
    while head := sys.stdin.buffer.read(4):
        content = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        begin = time.process_time()
        fate = _fate(content)
        print(json.dumps([*fate, time.process_time() - begin]), file=answers, flush=True)
    return 0


def _fate(content: bytes) -> list[str]:
    """What becomes of one file, and what is said about it."""
    from edge_runtime.model.classifier import Classifier
    from metadata.errors import ModelContractError

    stage = "refused"
    try:
        classifier = Classifier(content)
        stage = "refused while it runs"
        for window in _windows(classifier.spec.window_length):
            scores = classifier.scores(window)
            if not np.isfinite(scores).all():
                return ["NO NUMBERS", str(scores.tolist())]
            classifier.decide(scores)
    except ModelContractError as error:
        if "contradicts itself (" in str(error):
            return ["OTHER EXCEPTION", str(error)]  # a rule that fell over what it should have refused
        return [stage, str(error)]
    except Exception as error:  # anything else is what this program looks for
        return ["OTHER EXCEPTION", f"{type(error).__name__}: {error}"]
    return ["scores", str(scores.tolist())]


def _windows(length: int) -> list[np.ndarray]:
    """Silence, noise, a square wave of full scale, and a single click."""
    rng = np.random.default_rng(0)
    square = np.where(np.arange(length) // 20 % 2, 1.0, -1.0)
    click = np.zeros(length)
    click[length // 2] = 1.0
    windows = [np.zeros(length), rng.normal(0, 0.1, length), square, click]
    return [window.astype(np.float32) for window in windows]


class Child:
    """A process that opens files until one takes it down."""

    def __init__(self, python: str, unchecked: bool = False) -> None:
        self._command = [python, str(Path(__file__).resolve()), "--unchecked-child" if unchecked else "--child"]
        self._process: subprocess.Popen[bytes] | None = None
        self._num_files = 0
        self.runtime = ""
        self.longest: collections.Counter[str] = collections.Counter()  # s of processor time by fate

    def open(self, content: bytes) -> tuple[str, str]:
        """Return what became of a file and what was said about it."""
        if self._process is None or self._num_files >= FILES_PER_CHILD:
            self._start()
        process, begin = self._process, self._processor_seconds()
        self._num_files += 1
        try:
            process.stdin.write(struct.pack("<I", len(content)) + content)
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended()
        answer, wall = b"", time.monotonic()
        while not answer.endswith(b"\n"):
            if select.select([process.stdout], [], [], 0.25)[0]:
                part = os.read(process.stdout.fileno(), 1 << 20)
                if not part:
                    return self._ended()
                answer += part
            elif self._processor_seconds() - begin > MAX_SECONDS or time.monotonic() - wall > MAX_WALL_SECONDS:
                self.stop()
                return "HANG", f"more than {MAX_SECONDS} s of processor time"
        fate, said, seconds = json.loads(answer)
        self.longest[fate] = max(self.longest[fate], seconds)
        return fate, said

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self) -> None:
        self.stop()
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=REPOSITORY,
        )
        self._num_files = 0
        self.runtime = json.loads(self._process.stdout.readline())

    def _ended(self) -> tuple[str, str]:
        """What ended the process."""
        code = self._process.wait()
        self._process = None
        return "CRASH", signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _processor_seconds(self) -> float:
        """Processor time that the process has used, all threads."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def base_files(paths: list[Path]) -> list[tuple[str, str, bytes]]:
    """Return name, form and content of the files to damage: those of the tests, and those given."""
    from damage import as_third_party, without_digest

    found = []
    for path in (*sorted((REPOSITORY / "tests" / "damaged_files" / "sound").glob("*.tflite")), *paths):
        content = path.read_bytes()
        found += [(path.name, "digest", content), (path.name, "no digest", without_digest(content))]
        foreign = as_third_party(content)
        if foreign is not None:
            found.append((path.name, "third party", foreign))
    return found


def main() -> int:
    """Run the campaign and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE.tflite", help="more files to damage")
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="damaged files (default 20000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the damage (default 0)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="go on from file N of this seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N", help="child processes")
    parser.add_argument("--python", default=sys.executable, help="of another environment, with another runtime")
    parser.add_argument("--unchecked", action="store_true", help="without the check, to see what it is good for")
    parser.add_argument("--corpus", action="store_true", help="first, what once crashed: tests/damaged_files/crashed")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="put files of a bad fate here")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the counts and every bad fate")
    args = parser.parse_args()
    from damage import DAMAGES, dissect

    anatomies = [(name, form, dissect(content)) for name, form, content in base_files(args.files)]
    runs: collections.Counter[tuple[str, str, str]] = collections.Counter()
    bad, finished = [], []
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(args.first, args.first + args.count):
        numbers.put(number)

    kept: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    with tarfile.open(REPOSITORY / "tests" / "damaged_files" / "crashed.tar.xz") as archive:
        for member in archive.getmembers():
            kept.put((member.name, archive.extractfile(member).read()))

    def note(number: int | str, name: str, form: str, kind: str, content: bytes, fate: str, said: str) -> None:
        runs[form, kind, fate] += 1
        if fate in BAD:
            bad.append({"number": number, "file": name, "form": form, "damage": kind, "fate": fate, "said": said})
            print(f"{number} {name} ({form}), {kind}: {fate} {said}", file=sys.stderr, flush=True)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                (args.keep / f"{args.seed}-{number}.tflite").write_bytes(content)

    def work() -> None:
        worker = Child(args.python, args.unchecked)
        while args.corpus:
            try:
                name, content = kept.get_nowait()
            except queue.Empty:
                break
            note("-", name, "kept", "once crashed", content, *worker.open(content))
        while True:
            try:
                number = numbers.get_nowait()
            except queue.Empty:
                break
            rng = np.random.default_rng([args.seed, number])
            form = FORMS[number % len(FORMS)]
            some = [anatomy for anatomy in anatomies if anatomy[1] == form]
            name, _, anatomy = some[rng.integers(len(some))]
            kind = list(DAMAGES)[rng.integers(len(DAMAGES))]
            content = anatomy.model
            while content == anatomy.model:  # a number may have been replaced by itself
                content = DAMAGES[kind](anatomy, rng)
            fate, said = worker.open(content)
            note(number, name, form, kind, content, fate, said)
        worker.stop()
        finished.append(worker)

    workers = [threading.Thread(target=work) for _ in range(args.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    num_models = len({name for name, _, _ in anatomies})
    print(f"{sum(runs.values())} files of {num_models} models, seed {args.seed}, {finished[0].runtime}")
    print(format_table(runs))
    for fate in GOOD:
        print(
            f"longest time, {fate}: {1000 * max(worker.longest[fate] for worker in finished):.0f} ms of processor time"
        )
    if args.out:
        rows = [[*key, count] for key, count in sorted(runs.items())]
        args.out.write_text(json.dumps({"runtime": finished[0].runtime, "runs": rows, "bad": bad}, indent=2))
    return 1 if bad else 0


def format_table(runs: collections.Counter[tuple[str, str, str]]) -> str:
    """Return the counts as a table: a row a form and kind of damage, a column a fate."""
    fates = [*GOOD, *BAD]
    lines = [f"{'file':<10} {'damage':<16}" + "".join(f"{fate:>23}" for fate in fates)]
    for form, kind in sorted({key[:2] for key in runs}):
        lines.append(f"{form:<10} {kind:<16}" + "".join(f"{runs[form, kind, fate]:>23}" for fate in fates))
    totals = [sum(count for key, count in runs.items() if key[2] == fate) for fate in fates]
    lines.append(f"{'all':<27}" + "".join(f"{total:>23}" for total in totals))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(child(sys.argv[1] == "--unchecked-child") if sys.argv[1:2] in CHILDREN else main())
