"""`--host` of bench and parity: the same verb on other machines over ssh, several at once."""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime.audio.wav_file import is_wav
from edge_runtime.bundle.archive import ARCHIVE_SUFFIX, pack_folder, read_archive
from edge_runtime.bundle.manifest import Bundle, is_bundle
from edge_runtime.options import check_out_file
from edge_runtime.remote.job import INPUTS_FOLDER_NAME, RemoteJob, RemoteResult, run_job
from edge_runtime.remote.ssh_host import RemoteError, RemoteHost
from metadata.atomic_file import write_atomically

BAD_INPUT = 2
DEFAULT_TIMEOUT_SECONDS = 3600
_OWN = ("host", "python", "wheels", "ssh_config", "remote_folder", "timeout")
_LOCAL = ("verb", "default_of", "files", "json", "out", "force")  # that concern this side
_POLL_SECONDS = 0.2  # a wait without end would not hear Ctrl-C everywhere
MakeBundle = Callable[..., Any]


class Outcome(NamedTuple):
    """What came of one host: a result or an error."""

    host: str
    result: RemoteResult | None
    error: str

    @property
    def exit_code(self) -> int:
        """As the verb says over there, 2 where it did not come to an end."""
        return BAD_INPUT if self.result is None else self.result.exit_code


def add_host_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that bench and parity have for other machines."""
    group = parser.add_argument_group("on other machines", "FILE is then a folder of earproof build, or a bundle")
    group.add_argument(
        "--host", action="append", metavar="HOST", help="run there over ssh, such as pi@raspberrypi; may be repeated"
    )
    group.add_argument("--python", metavar="PATH", help="a Python there that has NumPy and an interpreter")
    group.add_argument(
        "--wheels", type=Path, metavar="DIR", help="wheels to install from there, in place of the network"
    )
    group.add_argument("--ssh-config", type=Path, metavar="FILE", help="in place of ~/.ssh/config")
    group.add_argument("--remote-folder", metavar="DIR", help="where to put things there (default: TMPDIR or /tmp)")
    group.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"that a step may take there (default {DEFAULT_TIMEOUT_SECONDS})",
    )
    parser.set_defaults(default_of=parser.get_default)


def run_on_hosts(verb: str, args: argparse.Namespace, make_bundle: MakeBundle | None = None) -> int:
    """Run a verb on every host of --host at once, and return the highest of their exit codes.

    Parameters
    ----------
    verb : str
        "bench" or "parity".
    args : argparse.Namespace
    make_bundle : callable, optional
        As `convert.bundle.make_bundle.make_bundle`; without it only finished bundles can be sent.

    Raises
    ------
    ValueError, FileNotFoundError, FileExistsError
        Arguments that do not fit, before any host is asked.
    KeyboardInterrupt
        After what was copied is removed everywhere.
    """
    outs = _out_files(args)
    for out in outs.values():
        check_out_file(out, args.force)
    hosts = [RemoteHost(name, args.ssh_config, args.remote_folder) for name in args.host]
    job = _make_job(verb, args, make_bundle)
    outcomes = []
    for outcome in _run_all(hosts, job):
        outcomes.append(outcome)
        if outcome.result is not None and outs:
            write_atomically(outs[outcome.host], json.dumps(outcome.result.document, indent=2).encode())
        if not args.json:
            print(_format(outcome), flush=True)
    if args.json:
        print(json.dumps({"hosts": [_as_dict(outcome) for outcome in outcomes]}, indent=2))
    elif len(hosts) > 1:
        print("\n".join(f"{outcome.host}: {_verdict(outcome)}" for outcome in outcomes))
    return max(outcome.exit_code for outcome in outcomes)


def _run_all(hosts: Sequence[RemoteHost], job: RemoteJob) -> Iterator[Outcome]:
    """Yield what came of each host as it comes to an end; remove everything when the user stops it."""
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        waiting: set[Future[Outcome]] = {pool.submit(_run_one, host, job) for host in hosts}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:
            print("stopping; removing what was copied", file=sys.stderr)
            for host in hosts:
                host.stop()
            raise


def _run_one(host: RemoteHost, job: RemoteJob) -> Outcome:
    """Do the job on one host, with notes on stderr."""
    tell = _Notes(host.name).tell
    result, error = None, ""
    tell("connecting")
    try:
        with host:
            result = run_job(host, job, tell)
    except (RemoteError, OSError) as fault:  # the latter: this side has no space, or lost a file it was to send
        error = str(fault)
    if host.folder and not host.was_removed:
        tell(f"could not see that {host.folder} there was removed; the connection broke before")
    tell("removed what was copied" if host.was_removed else "nothing was copied" if not host.folder else "ended")
    return Outcome(host.name, result, error)


def _make_job(verb: str, args: argparse.Namespace, make_bundle: MakeBundle | None) -> RemoteJob:
    """Return what is to be done on each host."""
    sent = _Sent({})
    options = _forwarded(args, sent)
    bundle, archive, names = _bundle_of(args.files, make_bundle)
    files = ["."] if verb == "parity" else names
    if verb == "bench" and "--audio" not in options:
        options += ["--audio", *sorted({model.stream for model in bundle.models if model.file in names})]
    return RemoteJob(
        verb=verb,
        arguments=(*files, *options),
        bundle=bundle,
        archive=archive,
        inputs=sent.files,
        python=args.python,
        wheels=_wheels(args.wheels),
        timeout_seconds=args.timeout,
    )


def _bundle_of(paths: Sequence[Path], make_bundle: MakeBundle | None) -> tuple[Bundle, bytes, list[str]]:
    """Return the bundle to send, as archive too, and the names of the model files that are meant."""
    first = paths[0]
    if len(paths) == 1 and first.name.endswith(ARCHIVE_SUFFIX):
        bundle, archive = read_archive(first)
        return bundle, archive, [model.file for model in bundle.models]
    if len(paths) == 1 and first.is_dir():
        folder, names = first, []
    else:
        folder, names = first.parent, [path.name for path in paths]
        if any(path.parent != folder or path.is_dir() for path in paths):
            raise ValueError("with --host expected one folder, one bundle, or files of one folder")
    if is_bundle(folder):
        bundle, archive = pack_folder(folder)
        strange = sorted(set(names) - {model.file for model in bundle.models})
        if strange:
            raise ValueError(f"{folder} is a bundle without {', '.join(strange)}")
    elif make_bundle is None:
        raise ValueError(
            f"{folder} is no bundle, and the device part of earproof makes none; expected one that earproof bundle "
            f"wrote"
        )
    else:
        made = make_bundle(folder, files=names, all_files=True, tell=lambda text: print(text, file=sys.stderr))
        bundle, archive = made.bundle, made.content
    return bundle, archive, names or [model.file for model in bundle.models]


@dataclass(frozen=True)
class _Sent:
    """Files that go along, by the name they get over there."""

    files: dict[str, Path]

    def add(self, path: Path, option: str) -> str:
        """Take a file along; return its path over there."""
        if not path.is_file():
            raise FileNotFoundError(f"{option} names {path}, which is no file here; --host hands over files that are")
        if option == "--audio" and not is_wav(path):
            raise ValueError(f"{path} is no WAV file, and a device reads no other; convert it first")
        name = f"{len(self.files)}-{path.name}"
        self.files[name] = path
        return f"{INPUTS_FOLDER_NAME}/{name}"


def _forwarded(args: argparse.Namespace, sent: _Sent) -> list[str]:
    """Return the options that the verb was given, for its command line over there; files go along."""
    words: list[str] = []
    for name, value in vars(args).items():
        if name in (*_LOCAL, *_OWN) or value == args.default_of(name):
            continue
        option = f"--{name.replace('_', '-')}"  # as every option of these verbs is called
        values = [] if value is True else value if isinstance(value, list) else [value]
        words += [option, *(sent.add(one, option) if isinstance(one, Path) else str(one) for one in values)]
    return words


def _wheels(folder: Path | None) -> tuple[Path, ...]:
    """Return the wheels of a folder."""
    if folder is None:
        return ()
    wheels = tuple(sorted(folder.glob("*.whl")))
    if not wheels:
        raise FileNotFoundError(
            f"{folder} holds no wheels; to fill it: pip download --only-binary :all: --python-version 3.11 --platform "
            f"manylinux_2_27_aarch64 --platform manylinux2014_aarch64 -d {folder} ai-edge-litert flatbuffers numpy"
        )
    return wheels


def _out_files(args: argparse.Namespace) -> dict[str, Path]:
    """Return where each host's document goes: FILE.json, or of several hosts FILE-HOST.json; nowhere without --out."""
    doubled = sorted({name for name in args.host if args.host.count(name) > 1})
    if doubled:
        raise ValueError(f"--host names {', '.join(doubled)} more than once; expected each host once")
    if args.out is None:
        return {}
    if len(args.host) == 1:
        return {args.host[0]: args.out}
    names = {host: re.sub(r"[^\w.@-]+", "_", host) for host in args.host}
    return {host: args.out.with_name(f"{args.out.stem}-{name}{args.out.suffix}") for host, name in names.items()}


def _verdict(outcome: Outcome) -> str:
    """Say in a few words what came of a host."""
    if outcome.result is None:
        return f"ERROR {outcome.error}"
    words = {0: "done", 1: "a check FAILED"}.get(outcome.exit_code, f"ended with {outcome.exit_code}")
    return f"{words} in {outcome.result.seconds:.1f} s"


def _format(outcome: Outcome) -> str:
    """Return what a host's verb printed, under its name."""
    text = "" if outcome.result is None else "\n" + outcome.result.stdout.rstrip()
    return f"== {outcome.host}: {_verdict(outcome)}{text}"


def _as_dict(outcome: Outcome) -> dict[str, Any]:
    """Return what came of a host for JSON."""
    result = outcome.result
    return {
        "host": outcome.host,
        "exit_code": outcome.exit_code,
        "error": outcome.error or None,
        "seconds": None if result is None else result.seconds,
        "doctor": None if result is None else result.doctor,
        "document": None if result is None else result.document,
    }


class _Notes:
    """Notes of one host on stderr, each line whole and under its name."""

    _lock = threading.Lock()

    def __init__(self, name: str) -> None:
        self.name = name

    def tell(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            print(f"[{self.name}] {text}", file=sys.stderr, flush=True)
