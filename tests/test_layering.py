"""Each package imports itself and those above it, and nothing heavier than the design allows."""

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ORDER = ("metadata", "edge_runtime", "train", "convert")
THIRD_PARTY = {
    "metadata": {"flatbuffers"},
    "edge_runtime": {"numpy", "ai_edge_litert", "tflite_runtime"},
    "train": {"numpy", "keras", "librosa", "scipy", "sklearn", "soundfile", "soxr", "matplotlib", "tqdm"},
    "convert": {
        "numpy",
        "keras",
        "librosa",
        "tensorflow",
        "ai_edge_litert",
        "ai_edge_quantizer",
        "flatbuffers",
        "tensorflow_model_optimization",
        "tf_keras",
    },
}
# The schema that is needed for writing comes with the interpreter.
WRITING = {"metadata": {"ai_edge_litert", "numpy"}}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_itself_and_those_above_it(package):
    allowed = set(ORDER[: ORDER.index(package) + 1]) | THIRD_PARTY[package] | WRITING.get(package, set())
    files = sorted((REPOSITORY / package).rglob("*.py"))
    assert files
    wrong = {
        str(path.relative_to(REPOSITORY)): sorted(_imports(path) - allowed - sys.stdlib_module_names) for path in files
    }
    assert {name: modules for name, modules in wrong.items() if modules} == {}


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
