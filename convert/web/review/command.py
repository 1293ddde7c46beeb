"""The verb `earproof review`."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from metadata.plural import counted

DONE = 0
_MOST_TOLD = 5


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof review`."""
    parser.add_argument("takes", type=Path, metavar="DIR", help="a folder of earproof listen --save-uncertain")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="of the loopback (default: a free one)")
    parser.add_argument("--no-open", action="store_true", help="print the address and open no browser")
    parser.add_argument(
        "--force",
        action="store_true",
        help="write over tables (clips.csv and others) that earproof review did not write",
    )


def run(verb: str, args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, then tell what came of it.

    Raises
    ------
    FileNotFoundError
        No such folder, no takes in it, or the page is not built.
    ValueError
        No take that can be heard, or a port that is none.
    FileExistsError
        The folder has a table of somebody else.
    OSError
        The port is taken, or the folder cannot be written.
    """
    from convert.web.guard import new_token
    from convert.web.review.folder import ReviewFolder
    from convert.web.review.routes import review_routes, review_site
    from convert.web.server import serve

    if not 0 <= args.port <= 65535:
        raise ValueError(f"--port is {args.port}; expected 0 to 65535")
    site = review_site()
    review = ReviewFolder(args.takes, args.force)
    faults = review.faults
    _tell_faults(faults)
    if faults:
        _note(f"{counted(len(faults), 'fault')}; {counted(len(review.takes), 'take', form=',')} can be heard")
    try:
        serve(site, args.port, lambda address: _tell(address, not args.no_open), review_routes(review), new_token())
    finally:
        told = review.told()
        _tell_faults(review.faults[len(faults) :])  # what came up since
        for line in told:
            _note(line)
    return DONE


def _tell(address: str, opens: bool) -> None:
    """Print where the page is, and open it."""
    print(address, flush=True)
    _note("the page is on this machine alone; Ctrl-C ends it, and nothing that was saved is lost")
    if opens:
        webbrowser.open(address)


def _tell_faults(faults: Sequence[str]) -> None:
    """Tell what is left out, the first ones."""
    for fault in faults[:_MOST_TOLD]:
        _note(f"left out: {fault}")
    if len(faults) > _MOST_TOLD:
        _note(f"left out: {len(faults) - _MOST_TOLD:,} more; see the page")


def _note(text: str) -> None:
    """Tell people something."""
    print(text, file=sys.stderr, flush=True)
