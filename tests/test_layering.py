"""Each package imports itself and those above it, and so do its rooms; nothing heavier than the design allows."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ORDER = ("metadata", "edge_runtime", "train", "convert")
THIRD_PARTY = {
    "metadata": {"flatbuffers"},
    "edge_runtime": {"numpy", "ai_edge_litert", "tflite_runtime"},
    "train": {
        *("numpy", "keras", "librosa", "scipy", "sklearn", "soundfile", "soxr", "matplotlib", "tqdm"),
        *("h5py", "praatio", "pympi", "threadpoolctl"),
    },
    "convert": {
        "numpy",
        "keras",
        "librosa",
        "matplotlib",
        "tensorflow",
        "ai_edge_litert",
        "ai_edge_quantizer",
        "flatbuffers",
        "jinja2",
        "markupsafe",
        "tensorflow_model_optimization",
        "tf_keras",
        "starlette",
        "uvicorn",
    },
}
# The schema that is needed for writing comes with the interpreter.
WRITING = {"metadata": {"ai_edge_litert", "numpy"}}
MOST_MODULES = 20  # in one folder, its __init__.py aside


def _imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imported_names(path)}


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_itself_and_those_above_it(package):
    allowed = set(ORDER[: ORDER.index(package) + 1]) | THIRD_PARTY[package] | WRITING.get(package, set())
    files = sorted((REPOSITORY / package).rglob("*.py"))
    assert files
    wrong = {
        str(path.relative_to(REPOSITORY)): sorted(_imports(path) - allowed - sys.stdlib_module_names) for path in files
    }
    assert {name: modules for name, modules in wrong.items() if modules} == {}


@pytest.mark.parametrize("package", ORDER)
def test_the_rooms_of_a_package_import_downwards_only(package):
    assert _circles(_rooms_used(package)) == []


def test_a_circle_of_rooms_would_be_found():
    assert _circles({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set()}) == [{"a", "b", "c"}]


@pytest.mark.parametrize("package", ORDER)
def test_no_folder_holds_more_modules_than_the_eye_takes_in(package):
    files = Counter(path.parent for path in (REPOSITORY / package).rglob("*.py") if path.name != "__init__.py")
    assert {str(folder): count for folder, count in files.items() if count > MOST_MODULES} == {}


def _rooms_used(package: str) -> dict[str, set[str]]:
    """Return for each room of a package the others that it imports from, wherever in its modules.

    A folder is a room, with all below it, and so is each module in the package's root. The root's own __init__.py is
    none: it gives names of all rooms.
    """
    used: dict[str, set[str]] = {}
    for path in (REPOSITORY / package).rglob("*.py"):
        if path != REPOSITORY / package / "__init__.py":
            room = path.relative_to(REPOSITORY / package).parts[0].removesuffix(".py")
            named = (name.split(".") for name in _imported_names(path))
            used.setdefault(room, set()).update(parts[1] for parts in named if parts[0] == package and parts[1:])
    return {room: (others & set(used)) - {room} for room, others in used.items()}


def _imported_names(path: Path) -> Iterator[str]:
    """Yield what a module imports, with its dots: a module, or a module and the name taken from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _circles(used: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of rooms that all reach one another."""
    reached = {room: set(others) for room, others in used.items()}
    for middle in used:  # Warshall's algorithm
        for others in reached.values():
            if middle in others:
                others |= reached[middle]
    found = [{other for other in reached[room] if room in reached[other]} for room in used]
    return [circle for place, circle in enumerate(found) if circle and circle not in found[:place]]


def test_the_command_imports_no_package_before_a_verb_is_chosen():
    tree = ast.parse((REPOSITORY / "earproof.py").read_text(encoding="utf-8"))
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    top |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in top} <= sys.stdlib_module_names


def test_every_package_is_listed_in_pyproject():
    tomllib = pytest.importorskip("tomllib")  # Python 3.11

    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        ".".join(path.parent.relative_to(REPOSITORY).parts)
        for package in ORDER
        for path in (REPOSITORY / package).rglob("__init__.py")
    }
    assert set(listed) == there


@pytest.mark.parametrize("module", ["earproof", *ORDER, *(f"{package}.command" for package in ORDER)])
def test_importing_is_light_and_quiet(module):
    import subprocess

    code = f"import sys, {module}; print(sorted({{'keras', 'tensorflow', 'librosa', 'matplotlib'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


LOADED_FIRST = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert "keras" not in sys.modules, f"{name} loads Keras, and not by train.backend.load_keras: TensorFlow prints"
"""


def test_what_is_imported_before_load_keras_does_not_load_keras():
    rooms = ("train.teaching", "train.tasks", "train.models", "train.data", "train.held_out", "train.embeddings")
    files = [path for room in rooms for path in (REPOSITORY / room.replace(".", "/")).glob("*.py")]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in files]
    names = sorted({name.removesuffix(".__init__") for name in names})
    command = [sys.executable, "-c", LOADED_FIRST, "train.fitting.training_run", "train.fitting.finished_run", *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr[-500:]
