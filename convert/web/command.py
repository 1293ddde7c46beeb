"""The verb `earproof web`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.plural import counted

if TYPE_CHECKING:
    from convert.web.served_model import ServedModel
    from convert.web.site import Content

DONE = 0
_TO_TRAIN = ("soundfile", "keras", "tensorflow", "ai_edge_quantizer", "jinja2")


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof web`."""
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL", help=".tflite files, or the folder of a build")
    parser.add_argument("--data", type=Path, metavar="DIR", help="record takes into this folder, and train on them")
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", help="where the trainings of --data go (default: DIR-runs beside it)"
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="of the loopback (default: a free one)")
    parser.add_argument("--no-open", action="store_true", help="print the address and open no browser")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write page and models as a folder for a web host, and serve nothing"
    )


def run(verb: str, args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, or write it.

    Raises
    ------
    FileNotFoundError, ModelContractError
        A model is not there or is none, or the page is not built.
    FileExistsError
        The folder of --out holds something.
    ValueError, OSError
        Options that do not go together, a port that is none or taken, or a folder of takes that is none.
    """
    from convert.web.build_order import ordered_files
    from convert.web.served_model import open_model
    from convert.web.server import serve
    from convert.web.site import make_site, write_site

    if not 0 <= args.port <= 65535:
        raise ValueError(f"--port is {args.port}; expected 0 to 65535")
    _check_together(args)
    models = [open_model(path) for path in ordered_files(args.models)]
    site = make_site(models, records=args.data is not None)
    if args.data is not None:
        return _record(models, site, args)
    if args.out is not None:
        size = write_site(site, args.out)
        print(f"wrote {args.out}: {counted(len(site), 'file')}, {size / 1e6:.1f} MB, for any web host", file=sys.stderr)
        return DONE
    serve(site, args.port, lambda address: _tell(address, not args.no_open))
    return DONE


def _check_together(args: argparse.Namespace) -> None:
    """Refuse options that do not go together, before anything is opened."""
    if args.data is None:
        if not args.models:
            raise ValueError("there is no MODEL; name .tflite files or the folder of a build, or --data DIR to record")
        if args.runs is not None:
            raise ValueError("--runs is where the trainings of --data go; give --data DIR too")
        return
    if args.out is not None:
        raise ValueError("--out writes a page for a web host, which cannot record into a folder; leave --data out")
    if str(args.data) in ("", ".") or not args.data.resolve().name:
        raise ValueError(f"--data is {str(args.data)!r}; expected a folder of its own for the takes, such as words")
    missing = [name for name in _TO_TRAIN if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"--data needs {', '.join(missing)} to train; to install all: ./setup.sh web")
    runs = _runs_of(args)
    if args.data.resolve() in (runs.resolve(), *runs.resolve().parents):
        raise ValueError(f"--runs {runs} lies in {args.data}, where it would be read as a label; give another folder")


def _runs_of(args: argparse.Namespace) -> Path:
    """Where trainings go."""
    data = Path(args.data).resolve()
    return Path(args.runs or data.with_name(f"{data.name}-runs"))


def _record(models: list[ServedModel], site: dict[str, Content], args: argparse.Namespace) -> int:
    """Serve the page with its part that records, until Ctrl-C."""
    from convert.web.end_signals import ended_as_by_ctrl_c
    from convert.web.guard import new_token
    from convert.web.record.routes import Recorder, make_routes
    from convert.web.record.take_folder import TakeFolder
    from convert.web.record.trainings import Trainings
    from convert.web.server import serve

    takes = TakeFolder(args.data)
    with takes.held(), ended_as_by_ctrl_c():
        trainings = Trainings(args.data, _runs_of(args))
        recorder = Recorder(takes, trainings, models, site)
        print(f"takes go to {args.data}, trainings to {trainings.runs}", file=sys.stderr)
        try:
            serve(site, args.port, lambda address: _tell(address, not args.no_open), make_routes(recorder), new_token())
        finally:
            trainings.close()
    return DONE


def _tell(address: str, opens: bool) -> None:
    """Print where the page is, and open it."""
    print(address, flush=True)
    print("the page is on this machine alone; Ctrl-C ends it", file=sys.stderr, flush=True)
    if opens:
        webbrowser.open(address)
