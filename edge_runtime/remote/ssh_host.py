"""Another machine over ssh: a folder on it that goes away however this ends, and commands in that folder.

One connection, the keeper, makes the folder and waits for its input to end. Then, be it because we are done, were
stopped or killed, or because the network broke, it ends what runs in the folder and removes it. So nothing stays behind
that only this side could have removed. Uses the system's ssh and never asks for a password; over there it needs sh.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

CONNECT_SECONDS = 15
CLEAN_SECONDS = 30  # that the other side has to end what runs and to remove the folder
_SSH_FAILED = 255
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ServerAliveInterval": "15",  # so a host that vanished is noticed within a minute
    "ServerAliveCountMax": "4",
    "LogLevel": "ERROR",
}
# `kill -TERM -GROUP` without `--`: the dash of Debian 12 and busybox take `--` for an illegal number, and then the
# group runs on.
_KEEPER = """
umask 077
dir=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/earproof-XXXXXX") || exit 73
clean() {
  trap "" HUP INT TERM PIPE
  group=$(cat "$dir/running" 2>/dev/null)
  if [ -n "$group" ]; then
    kill -TERM "-$group" 2>/dev/null || kill -TERM "$group" 2>/dev/null
    for second in 1 2 3 4 5; do kill -0 "-$group" 2>/dev/null || break; sleep 1; done
    kill -KILL "-$group" 2>/dev/null
  fi
  rm -rf "$dir"
  [ -e "$dir" ] || echo removed
}
trap clean EXIT
trap "exit 1" HUP INT TERM
echo "earproof folder $dir"
cat >/dev/null
"""
_FOLDER_SIGN = b"earproof folder "  # a login script may print something of its own before
_BEGIN_SIGN = b"earproof begins\n"
# sshd makes each command the leader of a process group, which the keeper ends as a whole.
_RUNNER = 'cd "$1" || exit 1; echo $$ >running; echo earproof begins; eval "$2"; code=$?; rm -f running; exit $code'
_CAUSES = {  # what ssh says: what that means
    "Could not resolve hostname": "there is no host of that name; check it, or add it to ~/.ssh/config",
    "Connection refused": "it refuses ssh; is an ssh server running there (Raspberry Pi: sudo raspi-config, Interface "
    "Options, SSH), and on this port?",
    "Host key verification failed": "its host key is not known here or has changed; connect once by hand: ssh HOST",
    "Permission denied": "it takes none of our keys, and passwords are never asked for; install one: ssh-copy-id HOST",
    "timed out": "it does not answer; is it switched on and in this network?",
    "No route to host": "it does not answer; is it switched on and in this network?",
    "Network is unreachable": "there is no network to it",
    "Connection closed": "it closed the connection",
    "Connection reset": "it broke the connection",
}
Tell = Callable[[str], None]


class RemoteError(RuntimeError):
    """Something did not work over there."""


@dataclass(frozen=True)
class Finished:
    """What a command on the other machine did."""

    exit_code: int
    stdout: bytes
    stderr: str


class RemoteHost:
    """A machine over ssh, with a folder of ours on it while the context lasts.

    Parameters
    ----------
    name : str
        As ssh takes it: `host`, `user@host`, `ssh://user@host:port`, or a name of the ssh configuration.
    ssh_config : Path, optional
        In place of ~/.ssh/config.
    remote_folder : str, optional
        Where over there our folder goes; by default TMPDIR or /tmp.

    Attributes
    ----------
    folder : str
        Our folder over there.
    was_removed : bool
        Whether the other side has said that it removed the folder.

    Raises
    ------
    ValueError
        A name that ssh would take for an option.
    """

    def __init__(self, name: str, ssh_config: Path | None = None, remote_folder: str | None = None) -> None:
        if not name or name.startswith("-") or any(letter.isspace() for letter in name):
            raise ValueError(f"the host is {name!r}; expected such as pi@raspberrypi or ssh://pi@10.0.0.7:2222")
        self.name, self.folder, self.was_removed = name, "", False
        self._ssh_config, self._remote_folder = ssh_config, remote_folder or ""
        self._keeper: subprocess.Popen[bytes] | None = None
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    def __enter__(self) -> RemoteHost:
        errors: IO[bytes]
        with tempfile.TemporaryFile() as errors:
            script = _in_sh(_KEEPER, self._remote_folder)
            self._keeper = self._ssh(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
            assert self._keeper.stdout is not None
            for line in self._keeper.stdout:
                if line.startswith(_FOLDER_SIGN):
                    self.folder = line[len(_FOLDER_SIGN) :].decode().strip()
                    break
            else:
                self._close_keeper()
                errors.seek(0)
                raise self._explain(self._keeper.returncode, errors.read().decode(errors="replace"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_keeper()

    def run(
        self, command: str, *, stdin: IO[bytes] | None = None, timeout_seconds: float, tell: Tell = lambda _: None
    ) -> Finished:
        """Run a shell command in our folder, and return what it did, whatever its exit code.

        Parameters
        ----------
        command : str
            For sh.
        stdin : binary file, optional
            Read from where it stands.
        timeout_seconds : float
        tell : callable
            Called with each line that the command writes to stderr, as it comes.

        Raises
        ------
        RemoteError
            The connection failed, the time is over, or `stop` was called.
        """
        lines: list[str] = []
        with tempfile.TemporaryFile() as out:
            source = subprocess.DEVNULL if stdin is None else stdin
            process = self._ssh(_in_sh(_RUNNER, self.folder, command), stdin=source, stdout=out, stderr=subprocess.PIPE)
            self._running = process
            if self._stopped.is_set():
                process.kill()
            timer = threading.Timer(timeout_seconds, process.kill)
            timer.start()
            assert process.stderr is not None
            with process.stderr:
                for line in process.stderr:
                    lines.append(line.decode(errors="replace").rstrip())
                    tell(lines[-1])
            process.wait()
            is_over = not timer.is_alive()
            timer.cancel()
            out.seek(0)
            finished = Finished(process.returncode, out.read().partition(_BEGIN_SIGN)[2], "\n".join(lines))
        if self._stopped.is_set():
            raise RemoteError("stopped")
        if is_over and finished.exit_code < 0:
            raise RemoteError(f"no end after {timeout_seconds:g} s; --timeout gives it longer")
        if finished.exit_code == _SSH_FAILED:
            raise self._explain(finished.exit_code, finished.stderr)
        return finished

    def stop(self) -> None:
        """End what runs, from another thread; `run` then raises, and leaving the context removes the folder."""
        self._stopped.set()
        for process in (self._running, None if self.folder else self._keeper):
            if process is not None:
                process.kill()

    def _ssh(self, command: str, **streams: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start ssh; in a session of its own, so that Ctrl-C reaches it through us and we can still clean up."""
        arguments = ["ssh", "-T"]
        if self._ssh_config is not None:
            arguments += ["-F", str(self._ssh_config)]
        for name, value in _OPTIONS.items():
            arguments += ["-o", f"{name}={value}"]
        try:
            return subprocess.Popen([*arguments, "--", self.name, command], start_new_session=True, **streams)  # type: ignore[call-overload, no-any-return]
        except FileNotFoundError as error:
            raise RemoteError("this machine has no ssh; install it (Debian: apt-get install openssh-client)") from error

    def _close_keeper(self) -> None:
        """Let the other side remove the folder and wait until it says so."""
        if self._keeper is None:
            return
        try:
            out, _ = self._keeper.communicate(timeout=CLEAN_SECONDS)
            self.was_removed = b"removed" in out
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._keeper.communicate(timeout=1)

    def _explain(self, exit_code: int | None, words: str) -> RemoteError:
        """Return an error that says what ssh's or mktemp's words mean."""
        last = next((line for line in reversed(words.splitlines()) if line.strip()), f"ssh ended with {exit_code}")
        if exit_code != _SSH_FAILED:
            return RemoteError(f"no folder could be made there: {last}; name another place with --remote-folder")
        for sign, cause in _CAUSES.items():
            if sign in words:
                return RemoteError(f"{cause.replace('HOST', self.name)} ({last.strip()})")
        return RemoteError(f"ssh failed: {last.strip()}")


def _in_sh(script: str, *arguments: str) -> str:
    """Return a command line that runs a script in sh, whatever shell the user has over there."""
    return "exec " + shlex.join(["sh", "-c", script, "earproof", *arguments])
