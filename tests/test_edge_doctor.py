import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import earproof
from edge_runtime.machine import doctor
from edge_runtime.machine.doctor import FAIL, NOTE, OK, WARNING, Check, Machine, Trial

SCRIPT = Path(doctor.__file__)
WORKED = Trial("invoke", 0, "")
PI_FLAGS = frozenset({"fp", "asimd", "evtstrm", "crc32", "cpuid"})  # Cortex-A72 of a Raspberry Pi 4


def machine(**changes):
    """A Raspberry Pi 4 with a 64-bit system on which everything is as it should be."""
    facts = {
        "system": "linux",
        "architecture": "aarch64",
        "bits": 64,
        "python": (3, 11, 2),
        "implementation": "CPython",
        "libc": "glibc",
        "libc_version": (2, 36),
        "cpu": "Cortex-A72",
        "flags": PI_FLAGS | {"asimddp"},
        "versions": {"numpy": "2.2.6", "ai-edge-litert": "2.1.6"},
        "venv": True,
        "trial": WORKED,
    }
    return Machine(**{**facts, **changes})


def check(name, installed=True, **changes):
    (found,) = [one for one in doctor.examine(machine(**changes), installed) if one.name == name]
    return found


def test_a_machine_on_which_all_is_well_can_run():
    checks = doctor.examine(machine(), installed=True)

    assert {one.status for one in checks} == {OK}
    assert doctor.can_run(checks)
    assert doctor.format_checks(checks).endswith("This machine can run earproof's models.")


@pytest.mark.parametrize(
    ("python", "status", "word"),
    [
        ((3, 9, 18), FAIL, "older than 3.10"),
        ((3, 10, 0), OK, ""),
        ((3, 13, 7), OK, ""),
        ((3, 14, 0), FAIL, "newer than 3.13"),
    ],
)
def test_pythons_outside_the_range_are_refused(python, status, word):
    found = check("Python", python=python)

    assert found.status == status
    assert word in found.found
    assert bool(found.fix) == (status == FAIL)


def test_another_implementation_of_python_has_no_wheels():
    assert check("Python", implementation="PyPy").status == FAIL


@pytest.mark.parametrize(
    ("architecture", "bits", "words", "fix"),
    [
        ("aarch64", 32, "the kernel is 64-bit, but the system on it is 32-bit (armhf", "install the 64-bit system"),
        ("armv7l", 32, "a 32-bit ARM system (armhf)", "install the 64-bit system"),
        ("armv6l", 32, "ARMv6 (Raspberry Pi 1, Zero)", "use a device with a 64-bit"),
        ("x86_64", 32, "but this Python is 32-bit", "install a 64-bit Python"),
        ("i686", 32, "a 32-bit system", "use a device with a 64-bit"),
        ("riscv64", 64, "no interpreter has wheels for this processor", "use a device with a 64-bit"),
    ],
)
def test_32_bits_and_other_processors_are_named_and_explained(architecture, bits, words, fix):
    bare = {"versions": {}, "trial": None, "architecture": architecture, "bits": bits}
    found = check("architecture", installed=False, **bare)

    assert found.status == FAIL
    assert words in found.found
    assert fix in found.fix
    assert not doctor.can_run(doctor.examine(machine(**bare), installed=False))


def test_a_32_bit_machine_whose_interpreter_runs_is_let_through():
    versions = {"numpy": "1.24.2", "tflite-runtime": "2.14.0"}
    found = check("architecture", architecture="armv7l", bits=32, versions=versions)

    assert found.status == NOTE
    assert "runs all the same" in found.found


@pytest.mark.parametrize(
    ("architecture", "flags", "status", "words"),
    [
        ("aarch64", PI_FLAGS, NOTE, "without asimddp"),
        ("aarch64", {"sse2", "avx2"}, NOTE, "emulated"),
        ("aarch64", set(), NOTE, "tells no flags"),
        ("armv7l", {"vfpv3", "half"}, FAIL, "the kernels need NEON"),
        ("armv7l", {"vfpv4", "neon"}, NOTE, "without asimddp"),
        ("x86_64", {"sse2", "avx2", "fma"}, OK, "avx2 fma"),
    ],
)
def test_the_flags_of_the_processor_are_judged(architecture, flags, status, words):
    found = check("processor", architecture=architecture, flags=frozenset(flags))

    assert found.status == status
    assert words in found.found


@pytest.mark.parametrize(
    ("libc", "version", "status", "words"),
    [
        ("glibc", (2, 16), FAIL, "older than 2.17"),
        ("glibc", (2, 26), WARNING, "ai-edge-litert 2 needs 2.27"),
        ("glibc", (2, 27), OK, "2.27"),
        ("musl", (), FAIL, "no interpreter has one for musl"),
        ("", (), WARNING, "is not known"),
    ],
)
def test_the_c_library_must_be_that_of_the_wheels(libc, version, status, words):
    found = check("C library", libc=libc, libc_version=version)

    assert found.status == status
    assert words in found.found


def test_numpy_2_under_tflite_runtime_is_named_with_its_fix():
    found = check("NumPy", versions={"numpy": "2.2.6", "tflite-runtime": "2.14.0"}, trial=Trial("numpy", 1, "x"))

    assert (found.status, found.fix) == (FAIL, 'pip install "numpy<2"')


def test_a_numpy_that_does_not_import_is_named_with_its_last_words():
    found = check("NumPy", trial=Trial("", 1, "RuntimeError: baseline optimizations (X86_V2)"))

    assert found.status == FAIL
    assert "failed when importing NumPy: RuntimeError: baseline" in found.found


@pytest.mark.parametrize("version", ["2.2.0", "2.3.0"])
def test_interpreters_that_are_known_to_crash_are_named_with_a_version_that_does_not(version):
    versions = {"numpy": "2.2.6", "ai-edge-litert": version}
    crashed = check("interpreter", versions=versions, trial=Trial("import", -signal.SIGSEGV, ""))
    worked = check("interpreter", versions=versions)

    assert crashed.status == FAIL
    assert "crashed with SIGSEGV when opening a model" in crashed.found
    assert "it is known to crash where /proc/cpuinfo names no ARM core" in crashed.found
    assert crashed.fix == 'pip install "ai-edge-litert==2.1.6"'
    assert worked.status == OK
    assert "opened a model and ran it" in worked.found


def test_emulation_is_told_which_interpreter_to_install():
    found = check("interpreter", installed=False, versions={}, trial=None, flags=frozenset({"sse2"}))

    assert "ai-edge-litert==2.1.6" in found.found


def test_a_process_that_cannot_be_started_leaves_the_interpreter_untried(monkeypatch):
    monkeypatch.setattr(doctor.sys, "executable", "/none/python")
    trial = doctor.try_interpreter()

    assert trial.stage == "not started"
    assert check("interpreter", trial=trial).status == WARNING
    assert check("NumPy", trial=trial).status == OK
    known = {"trial": trial, "versions": {"numpy": "2.4.6", "ai-edge-litert": "2.3.0"}}
    assert check("interpreter", **known).status == WARNING
    assert check("interpreter", **known, flags=frozenset({"sse2"})).status == FAIL


def test_packages_still_to_come_are_no_fault_before_the_wheel_is_installed():
    before = doctor.examine(machine(versions={}, trial=None), installed=False)
    after = doctor.examine(machine(versions={}, trial=None), installed=True)

    assert doctor.can_run(before)
    assert [one.name for one in before if one.status == NOTE] == ["NumPy", "interpreter"]
    assert [one.name for one in after if one.status == FAIL] == ["NumPy", "interpreter"]
    assert all(one.fix for one in after if one.status == FAIL)


def test_a_python_without_venv_is_told_what_to_install():
    found = check("venv", installed=False, venv=False)

    assert (found.status, found.fix) == (WARNING, "apt-get install python3-venv")


@pytest.mark.parametrize(
    ("cpuinfo", "name", "flag"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2\n", "AMD EPYC", "avx2"),
        ("processor\t: 0\nFeatures\t: fp asimd asimddp\n\nModel\t\t: Raspberry Pi 5\n", "Raspberry Pi 5", "asimddp"),
        ("Processor\t: ARMv7 rev 4\nFeatures\t: neon vfpv4\nHardware\t: BCM2835\n", "BCM2835", "neon"),
    ],
)
def test_name_and_flags_are_read_from_cpuinfo(cpuinfo, name, flag):
    found, flags = doctor._cpu(cpuinfo)

    assert found == name
    assert flag in flags


FAKES = {
    "segfault": ("os.kill(os.getpid(), 11)", Trial("import", -11, "")),
    "illegal instruction": ("os.kill(os.getpid(), 4)", Trial("import", -4, "")),
    "error": ("raise RuntimeError('no kernels')", Trial("import", 1, "RuntimeError: no kernels")),
}


@pytest.mark.parametrize("case", FAKES)
def test_an_interpreter_that_crashes_is_reported_and_not_suffered(tmp_path, monkeypatch, case):
    code, expected = FAKES[case]
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").write_text("")
    source = f"import os\nclass Interpreter:\n    def __init__(self, **options):\n        {code}\n"
    (package / "interpreter.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    assert doctor.try_interpreter() == expected


def test_an_interpreter_that_hangs_is_ended(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_TRIAL_SECONDS", 1)
    trial = doctor.try_interpreter()

    assert (trial.stage, trial.exit_code) == ("", 124)
    assert "no end after 1 s" in trial.error


def test_an_interpreter_that_computes_nonsense_does_not_pass(monkeypatch):
    monkeypatch.setattr(doctor, "_TRIAL", doctor._TRIAL.replace(".sum())", ".sum()) * 2"))
    trial = doctor.try_interpreter()

    assert trial.stage == "open"
    assert "expected 1" in trial.error


def test_the_verb_says_that_this_machine_can_run_and_json_holds_the_checks(capsys):
    assert earproof.main(["doctor"]) == 0
    assert "opened a model and ran it" in capsys.readouterr().out
    assert earproof.main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert document["can_run"]
    assert {one["name"] for one in document["checks"]} >= {"Python", "architecture", "C library", "interpreter"}
    assert document["machine"]["trial"] == {"stage": "invoke", "exit_code": 0, "error": ""}


def test_the_verb_exits_with_1_where_a_model_cannot_run(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "look", lambda: machine(trial=Trial("import", -11, "")))

    assert earproof.main(["device", "doctor"]) == 1
    assert "cannot run earproof's models as it is" in capsys.readouterr().out


def test_the_script_runs_alone_where_nothing_is_installed(tmp_path):
    script = tmp_path / "doctor.py"
    script.write_bytes(SCRIPT.read_bytes())
    # -S: without site-packages, and so without NumPy and the interpreter.
    before = subprocess.run([sys.executable, "-S", script, "--json"], capture_output=True, text=True, cwd=tmp_path)
    after = subprocess.run([sys.executable, "-S", script, "--installed"], capture_output=True, text=True, cwd=tmp_path)

    assert before.returncode == 0, before.stderr
    assert "not installed yet" in before.stdout
    assert after.returncode == 1
    assert "fix: pip install numpy" in after.stdout
    assert os.listdir(tmp_path) == ["doctor.py"]


def test_the_script_needs_the_standard_library_alone_and_parses_on_python_3_6():
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert names <= sys.stdlib_module_names
    assert "__future__" not in names  # `annotations` is younger than 3.6


def test_every_fault_has_a_fix():
    sick = machine(
        python=(3, 7, 0), bits=32, flags=frozenset({"half"}), libc="musl", versions={}, trial=None, venv=False
    )
    checks = doctor.examine(sick, installed=True)

    assert all(one.fix for one in checks if one.status == FAIL)
    assert [one.name for one in checks if one.status == FAIL] == [one.name for one in checks]
    assert isinstance(checks[0], Check)
