"""`--host` against a real sshd on the loopback interface.

Where sshd is not installed these tests are skipped, but fail where the environment variable CI is set.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from loopback_sshd import find_sshd, running_sshd
from tiny_run import make_tiny_run

import earproof
from convert.bundle.make_bundle import make_bundle
from edge_runtime import command
from edge_runtime.remote import command as hosts_command
from edge_runtime.remote.ssh_host import RemoteError, RemoteHost

REPOSITORY = Path(__file__).resolve().parents[1]
OWN_PYTHON = ["--python", sys.executable]
TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    with _sshd_or_skip(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def _sshd_or_skip(folder, path=None):
    if find_sshd() is None:
        reason = "there is no sshd: apt-get install openssh-server openssh-client"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return running_sshd(folder / "ssh", path)


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    return make_tiny_run(tmp_path_factory.mktemp("run") / "tiny")


@pytest.fixture(scope="module")
def archive(tiny_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "b.tar.gz"
    path.write_bytes(make_bundle(tiny_run, files=["wave-float32.tflite"]).content)
    return path


@pytest.fixture(autouse=True)
def nothing_stays(request):
    """Whatever a test does: nothing of it is left over there."""
    yield
    if "sshd" in request.fixturenames:
        server = request.getfixturevalue("sshd")
        assert _left(server) == []


def _left(server):
    return sorted(path.name for path in server.folder.iterdir())


def on_hosts(capsys, sshd, verb, *arguments, hosts=("device",)):
    named = [word for host in hosts for word in ("--host", host)]
    words = [verb, *map(str, arguments), *named, "--ssh-config", str(sshd.ssh_config)]
    code = earproof.main(words)
    return code, capsys.readouterr()


def test_parity_of_a_bundle_passes_over_there_and_brings_its_document_back(sshd, archive, tmp_path, capsys):
    out = tmp_path / "parity.json"
    code, printed = on_hosts(capsys, sshd, "parity", archive, *OWN_PYTHON, "--out", out)
    document = json.loads(out.read_text())

    assert code == 0, printed.err
    assert document["passed"]
    assert [result["level"] for result in document["files"][0]["results"]] == [2, 5, 4, 5]
    assert "== device: done in" in printed.out
    assert "level 5  pass" in printed.out
    assert "[device] wave-float32.tflite: comparing" in printed.err
    assert "[device] removed what was copied" in printed.err


def test_bench_of_files_of_a_build_takes_recordings_along(sshd, tiny_run, tmp_path, capsys):
    clip = tmp_path / "a clip.wav"
    soundfile.write(clip, np.sin(np.arange(40_000) / 9) * 0.1, 16_000)
    chosen = [tiny_run / "wave-int8.tflite", tiny_run / "wave-float32.tflite"]
    arguments = [*chosen, *OWN_PYTHON, "--num-runs", 3, "--cold-runs", 1, "--audio", clip, "--json"]
    code, printed = on_hosts(capsys, sshd, "bench", *arguments)
    (host,) = json.loads(printed.out)["hosts"]

    assert code == 0, printed.err
    assert [file["file"] for file in host["document"]["files"]] == ["wave-int8.tflite", "wave-float32.tflite"]
    assert len(host["document"]["files"][0]["invoke"]["samples_ms"]) == 3
    assert host["document"]["files"][0]["audio"] == ["inputs/0-a clip.wav"]
    assert host["doctor"]["can_run"]


def test_the_command_over_there_is_the_one_here(archive, tmp_path):
    """Every option that was given goes along; bench without --audio hears the golden stream."""
    (tmp_path / "g.npz").write_bytes(b"")
    told = {}
    for verb, words in (
        ("bench", ["--num-threads", "2", "--warmup-runs", "0", "--json", "--out", "x.json", "--force"]),
        ("parity", ["--golden", str(tmp_path / "g.npz")]),
    ):
        parser = argparse.ArgumentParser()
        command.add_arguments(verb, parser)
        told[verb] = hosts_command._make_job(verb, parser.parse_args([str(archive), "--host", "a", *words]), None)

    assert told["bench"].arguments == (
        *("wave-float32.tflite", "--warmup-runs", "0", "--num-threads", "2"),
        *("--audio", "golden/wave.wav"),
    )
    assert told["parity"].arguments == (".", "--golden", "inputs/0-g.npz")
    assert told["parity"].inputs == {"0-g.npz": tmp_path / "g.npz"}


def test_one_host_that_fails_does_not_lose_the_others(sshd, archive, tmp_path, capsys):
    hosts = ("nowhere", "device", "refusing", "second", "no-key", "unknown-key")
    out = tmp_path / "p.json"
    code, printed = on_hosts(capsys, sshd, "parity", archive, *OWN_PYTHON, "--json", "--out", out, hosts=hosts)
    found = {host["host"]: host for host in json.loads(printed.out)["hosts"]}

    assert code == 2
    assert set(found) == set(hosts)
    assert [host for host in hosts if found[host]["error"] is None] == ["device", "second"]
    assert "there is no host of that name" in found["nowhere"]["error"]
    assert "it refuses ssh; is an ssh server running there" in found["refusing"]["error"]
    assert "ssh-copy-id no-key" in found["no-key"]["error"]
    assert "connect once by hand: ssh unknown-key" in found["unknown-key"]["error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p-device.json", "p-second.json"]
    assert json.loads((tmp_path / "p-second.json").read_text())["passed"]


def test_a_check_that_fails_over_there_is_exit_code_1(sshd, tiny_run, tmp_path, capsys):
    """A file whose golden windows say something else than it does."""
    run = shutil.copytree(tiny_run, tmp_path / "run")
    arrays = dict(np.load(run / "golden" / "wave.npz"))
    np.savez(run / "golden" / "wave.npz", **{**arrays, "scores": arrays["scores"] + np.float32(1e-3)})
    code, printed = on_hosts(capsys, sshd, "parity", run / "wave-float32.tflite", *OWN_PYTHON)

    assert code == 1
    assert "a check FAILED" in printed.out
    assert "level 2  FAIL" in printed.out


def test_a_machine_whose_doctor_says_no_is_told_why(sshd, archive, tmp_path, capsys):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    code, printed = on_hosts(capsys, sshd, "parity", archive, "--python", tmp_path / "bare" / "bin" / "python")

    assert code == 2
    assert "it cannot run models as it is. NumPy: not installed (fix: pip install numpy)" in printed.out


def test_a_python_that_is_not_there_is_named(sshd, archive, capsys):
    code, printed = on_hosts(capsys, sshd, "parity", archive, "--python", "/none/python3")

    assert code == 2
    assert "there is no /none/python3; install it" in printed.out


@pytest.fixture
def programs(tmp_path):
    """A folder with the few programs of a small system, for a PATH of its own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "mktemp", "tar", "gzip", "cat", "rm", "mkdir", "sleep", "df"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def test_a_machine_without_python_is_told_so(programs, archive, tmp_path, capsys):
    with _sshd_or_skip(tmp_path, str(programs)) as small:
        code, printed = on_hosts(capsys, small, "parity", archive)
        assert _left(small) == []

    assert code == 2
    assert "there is no python3; install it (Debian: apt-get install python3 python3-venv)" in printed.out


def _script(path, text):
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_disk_without_room_is_noticed_before_and_while_sending(programs, archive, tmp_path, capsys):
    _script(programs / "df", 'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"\necho "d 9 9 100 9% /"')
    with _sshd_or_skip(tmp_path, str(programs)) as small:
        code, printed = on_hosts(capsys, small, "parity", archive, *OWN_PYTHON)
        assert (code, _left(small)) == (2, [])
        assert "has 0 MiB free, and this takes" in printed.out
        assert "--remote-folder" in printed.out
        _script(programs / "df", "echo odd")
        _script(programs / "tar", 'echo "tar: x: Cannot write: No space left on device" >&2; exit 2')
        code, printed = on_hosts(capsys, small, "parity", archive, *OWN_PYTHON)
        assert (code, _left(small)) == (2, [])
        assert "its disk is full: name another place with --remote-folder" in printed.out


def test_another_place_can_be_named_and_one_that_is_not_there_is_an_error(sshd, tmp_path):
    (tmp_path / "big disk").mkdir()
    with RemoteHost(sshd.host, sshd.ssh_config, f"{tmp_path}/big disk") as host:
        assert Path(host.folder).parent == tmp_path / "big disk"
    assert list((tmp_path / "big disk").iterdir()) == []
    with (
        pytest.raises(RemoteError, match="no folder could be made there"),
        RemoteHost(sshd.host, sshd.ssh_config, f"{tmp_path}/none"),
    ):
        pass


def test_without_a_python_an_environment_is_made_of_wheels_that_go_along(sshd, archive, tmp_path, capsys):
    """The folder of wheels lacks NumPy: pip says so, and asks no network."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "flatbuffers-25.0-py3-none-any.whl").write_bytes(b"PK")
    (wheels / "numpy-2.0.0-cp311-cp311-manylinux_2_27_sparc.whl").write_bytes(b"PK")
    code, printed = on_hosts(capsys, sshd, "parity", archive, "--wheels", wheels)

    assert code == 2
    assert "[device] making an environment" in printed.err
    assert "pip could not install there" in printed.out
    assert "--wheels DIR" in printed.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--host", "a", "--host", "a"], "names a more than once"),
        (["--host", "-oProxyCommand=x"], "expected such as pi@raspberrypi"),
        (["--host", "a b"], "expected such as pi@raspberrypi"),
        (["--host", "a", "--wheels", "none"], "holds no wheels"),
        (["--host", "a", "--golden", "none.npz"], "--golden names none.npz, which is no file here"),
        (["--host", "a", "--audio", "REPORT"], "is no WAV file, and a device reads no other"),
        (["--host", "a", "--out", "none/x.json"], "make it first"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_any_host_is_asked(tiny_run, capsys, arguments, reason):
    words = [str(tiny_run / "report.json") if word == "REPORT" else word for word in arguments]
    # = keeps argparse from taking a host that begins with - for an option.
    words = [f"--host={word}" for word in words[1:2]] + words[2:]

    assert earproof.main(["parity", str(tiny_run), *words]) == 2
    assert reason in capsys.readouterr().err


def _wait_until_gone(sshd):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while _left(sshd) and time.monotonic() < deadline:
        time.sleep(0.1)
    return _left(sshd)


def _runs(pid):
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_stopped_nothing_stays_and_nothing_runs_on(sshd, tiny_run, tmp_path, stop):
    """What runs over there is a Python that would go on for minutes."""
    sleeper = tmp_path / f"python-{stop}"
    _script(sleeper, f'case "$*" in *doctor*) exec {sys.executable} "$@";; esac; echo asleep $$ >&2; exec sleep 600')
    archive = tmp_path / "b.tar.gz"
    archive.write_bytes(make_bundle(tiny_run, files=["wave-float32.tflite"]).content)
    words = ["parity", archive, "--host", "device", "--host", "second", "--python", sleeper]
    process = subprocess.Popen(
        [sys.executable, "-m", "earproof", *words, "--ssh-config", sshd.ssh_config],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    for line in process.stderr:
        seen.append(line)
        if sum("asleep" in one for one in seen) == 2:
            break
    sleepers = [int(one.split()[-1]) for one in seen if "asleep" in one]
    assert len(_left(sshd)) == 2, "".join(seen)
    assert all(_runs(pid) for pid in sleepers)
    process.send_signal(stop)
    rest = process.stderr.read()
    process.wait(timeout=TIMEOUT_SECONDS)

    assert _wait_until_gone(sshd) == []
    assert not any(_runs(pid) for pid in sleepers), "what ran over there runs on"
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in rest
        assert rest.count("removed what was copied") == 2


def test_a_step_that_takes_too_long_is_ended(sshd, archive, tmp_path, capsys):
    sleeper = tmp_path / "python"
    _script(sleeper, f'case "$*" in *doctor*) exec {sys.executable} "$@";; esac; exec sleep 600')
    code, printed = on_hosts(capsys, sshd, "parity", archive, "--python", sleeper, "--timeout", 2)

    assert code == 2
    assert "no end after 2 s; --timeout gives it longer" in printed.out


def test_a_command_may_fail_and_says_how(sshd):
    with RemoteHost(sshd.host, sshd.ssh_config) as host:
        done = host.run("echo out; echo err >&2; exit 7", timeout_seconds=TIMEOUT_SECONDS)
        assert (done.exit_code, done.stdout, done.stderr) == (7, b"out\n", "err")
        assert Path(host.folder).parent == sshd.folder
    assert host.was_removed


def test_a_machine_without_ssh_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/none")
    with pytest.raises(RemoteError, match="this machine has no ssh"), RemoteHost("device"):
        pass
