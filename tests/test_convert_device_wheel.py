import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from convert.bundle.device_wheel import device_wheel

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    name, content = device_wheel()
    path = tmp_path_factory.mktemp("wheel") / name
    path.write_bytes(content)
    return path


def test_it_holds_the_device_part_and_nothing_of_the_rest(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    modules = {name for name in names if ".dist-info/" not in name}

    assert {name.split("/")[0] for name in modules} == {"earproof.py", "metadata", "edge_runtime"}
    assert modules == {
        "earproof.py",
        *(
            path.relative_to(REPOSITORY).as_posix()
            for package in ("metadata", "edge_runtime")
            for kind in ("*.py", "*.c", "*.h")
            for path in (REPOSITORY / package).rglob(kind)
        ),
    }


def test_its_record_has_the_digest_and_size_of_every_file(wheel):
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    (record_name,) = [name for name in contents if name.endswith(".dist-info/RECORD")]
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(contents[record_name].decode()))}

    assert set(rows) == set(contents)
    assert rows.pop(record_name) == ["", ""]
    for name, (digest, size) in rows.items():
        expected = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={expected}", len(contents[name]))


def test_it_needs_what_a_device_needs_and_knows_no_extras(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()

    assert sorted(
        line.split(": ")[1].split("<")[0] for line in text.splitlines() if line.startswith("Requires-Dist")
    ) == [
        "ai-edge-litert",
        "flatbuffers",
        "numpy",
    ]
    assert "Private :: Do Not Upload" in text
    assert "extra" not in text.lower()


def test_two_makings_are_equal_bit_for_bit_whatever_the_umask_and_the_clock(wheel):
    program = "import os, sys; os.umask(0o077); from convert.bundle.device_wheel import device_wheel; "
    program += "sys.stdout.buffer.write(device_wheel()[1])"
    environment = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=REPOSITORY, env=environment)

    assert again.stdout == wheel.read_bytes(), again.stderr.decode()


def test_pip_installs_it_offline_with_a_working_command(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    done = subprocess.run([*pip, "--no-index", "--no-deps", wheel], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    command = python.parent / "earproof"

    shown = subprocess.run([command, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert shown.stdout.startswith("earproof "), shown.stderr
    bare = subprocess.run([command, "classify", "a.tflite", "b.wav"], capture_output=True, text=True, cwd=tmp_path)
    assert bare.returncode == 2
    assert "`earproof doctor` says what this machine lacks" in bare.stderr
    doctor = subprocess.run([command, "doctor"], capture_output=True, text=True, cwd=tmp_path)
    assert doctor.returncode == 1
    assert "not installed" in doctor.stdout
