"""The verb `earproof web`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from metadata.plural import counted

DONE = 0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof web`."""
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help=".tflite files, or the folder of a build")
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
        A port that is none, or that is taken.
    """
    from convert.web.served_model import open_model
    from convert.web.server import serve
    from convert.web.site import make_site, write_site
    from edge_runtime.options import model_files

    if not 0 <= args.port <= 65535:
        raise ValueError(f"--port is {args.port}; expected 0 to 65535")
    site = make_site([open_model(path) for path in model_files(args.models)])
    if args.out is not None:
        size = write_site(site, args.out)
        print(f"wrote {args.out}: {counted(len(site), 'file')}, {size / 1e6:.1f} MB, for any web host", file=sys.stderr)
        return DONE
    serve(site, args.port, lambda address: _tell(address, not args.no_open))
    return DONE


def _tell(address: str, opens: bool) -> None:
    """Print where the page is, and open it."""
    print(address, flush=True)
    print("the page is on this machine alone; Ctrl-C ends it", file=sys.stderr, flush=True)
    if opens:
        webbrowser.open(address)
