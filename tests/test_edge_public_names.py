"""Every public name is what the documentation says, whatever was imported before it."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import edge_runtime

REPOSITORY = Path(__file__).resolve().parents[1]


def _submodules(package):
    return {module.name for module in pkgutil.iter_modules([str(REPOSITORY / package)])}


def _found(package, first, name):
    """What a fresh process gets for `from package import name` after it has imported a module of the package."""
    code = f"import {package}.{first}\nfrom {package} import {name} as it\nprint(type(it).__name__, it.__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_no_public_name_of_the_device_part_is_also_a_module():
    """The import system sets a module as an attribute of its package, over anything of that name."""
    assert _submodules("edge_runtime")
    assert set(edge_runtime.__all__) & _submodules("edge_runtime") == set()


@pytest.mark.parametrize("name", sorted(edge_runtime.__all__))
def test_a_public_name_is_a_class_or_a_function_after_its_module_was_imported(name):
    found = getattr(edge_runtime, name)
    importlib.import_module(found.__module__)

    assert callable(found)
    assert not inspect.ismodule(found)
    assert getattr(edge_runtime, name) is found
    assert found.__name__ == name
    assert found.__doc__


@pytest.mark.parametrize("first", ["audio.resampling", "audio.recordings", "model.classifier"])
def test_resample_is_the_function_whatever_was_imported_before(first):
    assert _found("edge_runtime", first, "resample") == ["function", "resample"]


def test_quantize_is_the_function_after_its_module_was_imported():
    pytest.importorskip("ai_edge_quantizer", reason="the quantizer comes with the train extra")
    assert _found("convert", "quantization.quantize", "quantize") == ["function", "quantize"]


def test_no_public_name_of_the_other_packages_is_also_a_module():
    twice = {
        (package, name)
        for package in ("metadata", "train", "convert")
        for name in getattr(importlib.import_module(package), "__all__", ())
        if name in _submodules(package)
    }

    assert twice == set()
