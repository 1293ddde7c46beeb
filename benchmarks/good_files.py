"""Make hundreds of good model files of every kind of layer and count those that the gate refuses.

    python benchmarks/good_files.py [FILE.tflite | FOLDER ...] [--keep FOLDER]

A file is good where a plain ai-edge-litert interpreter opens it, runs it on noise, and puts out finite numbers, with
XNNPACK or with the built-in kernels alone; it does so in a process of its own. A good file should be accepted by
`check_model` and `check_weights`, and run by `open_interpreter` to the same numbers. What is refused as "not supported
here" is counted apart from what is refused as anything else, such as damage. Made are the kinds of
`good_file_kinds.py` in the forms of `good_file_forms.py`, the single operators of `tests/tiny_operators.py`, and the
networks of `tests/damaged_files/sound`; files and folders given are added. Needs the train extra; the making takes a
quarter of an hour. The exit code is 1 where a good file was refused as anything but not supported, or gave other
numbers.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]
NOT_SUPPORTED = "not supported here"
CRASHED = "the converter took its process down"
MAX_CRASHES = 2  # of the forms of one kind
RANDOM = ("random", "multinomial")  # in the names of kinds whose numbers differ from run to run
COLUMNS = ("made", "good", "accepted", "not supported", "refused", "other numbers")


class Verdict(NamedTuple):
    """What became of one file."""

    kind: str
    form: str
    interpreter: str  # empty where it is good, else what the interpreter says
    gate: str  # empty where it is accepted, else what the gate says
    differs: bool  # accepted, but other numbers come out than from the plain interpreter


def child() -> int:
    """Read paths from stdin and answer whether a plain interpreter runs each, and to what numbers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the runtime prints is not an answer
    for line in sys.stdin:
        path, built_in = json.loads(line)
        print(json.dumps(_run(Path(path).read_bytes(), built_in)), file=answers, flush=True)
    return 0


def _run(model: bytes, built_in: bool) -> tuple[str, list[list[float]]]:
    """What the plain interpreter says, and the first numbers of each output."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if built_in else OpResolverType.AUTO
    try:
        interpreter = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
        interpreter.allocate_tensors()
        outputs = invoke(interpreter)
    except (ValueError, RuntimeError, MemoryError) as error:
        return f"{error}"[:200], []
    if not all(np.isfinite(output).all() for output in outputs if output.dtype.kind in "fc"):
        return "puts out NaN or infinity", []
    return "", [np.abs(output).astype(np.float64).reshape(-1)[:50].tolist() for output in outputs]


def invoke(interpreter) -> list[np.ndarray]:
    """Return the outputs of noise."""
    rng = np.random.default_rng(1)
    for detail in interpreter.get_input_details():
        values = rng.normal(0, 1, detail["shape"])
        if detail["dtype"] in (np.int8, np.uint8, np.int16):
            limits = np.iinfo(detail["dtype"])
            values = rng.integers(limits.min, limits.max, detail["shape"])
        elif np.dtype(detail["dtype"]).kind in "iub":
            values = rng.integers(0, 2, detail["shape"])
        interpreter.set_tensor(detail["index"], np.asarray(values).astype(detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


class Judge:
    """A process with a plain interpreter, begun again where a file takes it down."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, path: Path, built_in: bool) -> tuple[str, list[list[float]]]:
        """What the interpreter says and puts out."""
        if self._process is None:
            environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                text=True,
            )
        process = self._process
        process.stdin.write(json.dumps([str(path), built_in]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            self._process = None
            return f"the process ended with {process.wait()}", []
        said, outputs = json.loads(answer)
        return said, outputs


def judge(path: Path, kind: str, form: str, plain: Judge) -> Verdict:
    """Hold what the gate says against what the interpreter says."""
    from edge_runtime.model.interpreter import open_interpreter
    from edge_runtime.model.weight_check import check_weights
    from metadata import ModelContractError
    from metadata.gate.model_check import check_model

    model = path.read_bytes()
    answers = [plain.run(path, built_in) for built_in in (False, True)]
    good = next((outputs for said, outputs in answers if not said), None)
    try:
        check_weights(check_model(model))
    except ModelContractError as error:
        return Verdict(kind, form, "" if good is not None else answers[0][0], str(error), False)
    if good is None:
        return Verdict(kind, form, answers[0][0], "", False)
    built_in = bool(answers[0][0])
    ours = invoke(open_interpreter(model, use_xnnpack=not built_in))
    numbers = [np.abs(output).astype(np.float64).reshape(-1)[:50] for output in ours]
    same = len(numbers) == len(good) and all(map(np.array_equal, numbers, good))
    return Verdict(kind, form, "", "", not same and not any(word in f"{kind} {form}".lower() for word in RANDOM))


def make_files(folder: Path, workers: int, only: str) -> Iterator[tuple[str, str, Path]]:
    """Make every file into a folder, those that are not there; yield kind, form and path."""
    with ThreadPoolExecutor(workers, initializer=_begin_factory) as pool:
        names = [name for name in pool.submit(_in_factory, _kind_names).result() if only in name]
        jobs = [pool.submit(_in_factory, _make_kind, name, folder) for name in names]
        for job in jobs:
            for kind, form, path, error in job.result():
                if error:
                    print(f"{kind}, {form}: not made, {error}", file=sys.stderr, flush=True)
                else:
                    yield kind, form, path


_factory = threading.local()  # each thread's process that makes files


def _begin_factory() -> None:
    """Give this thread a process with TensorFlow."""
    _factory.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _be_quiet)


def _in_factory(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a function in this thread's process, again in another one where a converter took the process down."""
    while True:
        try:
            return _factory.pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            _begin_factory()


def _be_quiet() -> None:
    """Drop what converters print."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _kind_names() -> list[str]:
    """The names of all kinds, in a process that may load TensorFlow."""
    from good_file_kinds import all_kinds

    return [kind.name for kind in all_kinds()]


def _make_kind(name: str, folder: Path) -> list[tuple[str, str, Path, str]]:
    """Make the files of one kind; a form that no converter writes of it comes with the reason."""
    from good_file_forms import Maker
    from good_file_kinds import all_kinds

    made = []
    try:
        maker = Maker(next(kind for kind in all_kinds() if kind.name == name))
    except Exception as error:  # the layer does not run on this Keras
        return [(name, "any form", folder, f"{type(error).__name__}: {error}")]
    for form, make in maker.forms():
        path = folder / f"{name}, {form}.tflite"
        failed = path.with_suffix(".txt")
        crashes = [reason for *_, reason in made if reason == CRASHED]
        if len(crashes) >= MAX_CRASHES and not path.exists() and not failed.exists():
            failed.write_text(f"not tried after {len(crashes)} forms of which {CRASHED}")
        if not path.exists() and not failed.exists():
            failed.write_text(CRASHED)  # it stays where that happens
            try:
                path.write_bytes(make())
                failed.unlink()
            except Exception as error:  # whatever a converter raises: it does not write this form
                failed.write_text(f"{type(error).__name__}: {' '.join(str(error).split())[:150]}")
        made.append((name, form, path, failed.read_text() if failed.exists() else ""))
    return made


def operator_files(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield kind, form and path of files of one operator each, which no converter of today writes."""
    from tiny_operators import accepted_operators, unsupported_operators

    for form, model in (accepted_operators() | unsupported_operators()).items():
        path = folder / f"one operator, {form}.tflite"
        path.write_bytes(model)
        yield "one operator", form, path


def given_files(paths: list[Path]) -> Iterator[tuple[str, str, Path]]:
    """Yield kind, form and path of files that are there already."""
    for path in (REPOSITORY / "tests" / "damaged_files" / "sound", *paths):
        for file in sorted(path.rglob("*.tflite")) if path.is_dir() else [path]:
            yield "as found", f"{file.parent.name}/{file.stem}", file


def format_table(verdicts: list[Verdict]) -> str:
    """Return the counts, a row a kind, and what was refused or not good, with what was said."""
    counts: dict[str, collections.Counter[str]] = {}
    for one in verdicts:
        row = counts.setdefault(one.kind, collections.Counter())
        row["made"] += 1
        if one.interpreter:
            continue
        row["good"] += 1
        row["accepted" if not one.gate else "not supported" if NOT_SUPPORTED in one.gate else "refused"] += 1
        row["other numbers"] += one.differs
    total = sum(counts.values(), collections.Counter())
    lines = [f"{'kind':<30}" + "".join(f"{name:>15}" for name in COLUMNS)]
    for name, row in [*counts.items(), (f"all {len(counts)} kinds", total)]:
        lines.append(f"{name:<30}" + "".join(f"{row[column]:>15}" for column in COLUMNS))
    return "\n".join(lines)


def main() -> int:
    """Make the files, judge each, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE.tflite | FOLDER", help="more files to judge")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the files here; those that are there stay")
    parser.add_argument("--kind", default="", metavar="TEXT", help="only kinds whose name holds this")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N", help="processes that make files")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write every verdict")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        plain = Judge()
        made = make_files(folder, args.workers, args.kind)
        files = itertools.chain(given_files(args.files), operator_files(folder), made)
        verdicts = []
        for kind, form, path in files:
            verdicts.append(judge(path, kind, form, plain))
            _tell(verdicts[-1])
    print(format_table(verdicts))
    if args.out:
        args.out.write_text(json.dumps([one._asdict() for one in verdicts], indent=2))
    wrong = [one for one in verdicts if not one.interpreter and (one.gate or one.differs)]
    return 1 if any(one.differs or NOT_SUPPORTED not in one.gate for one in wrong) else 0


def _tell(one: Verdict) -> None:
    """Say on stderr what is not as it should be, and what the interpreter itself refuses."""
    if one.interpreter:
        print(f"{one.kind}, {one.form}: not good, {one.interpreter}", file=sys.stderr, flush=True)
    elif one.gate or one.differs:
        print(f"{one.kind}, {one.form}: {one.gate or 'OTHER NUMBERS'}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(child() if sys.argv[1:] == ["--child"] else main())
