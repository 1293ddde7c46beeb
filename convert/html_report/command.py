"""The verb `earproof report`: one HTML page of runs and results."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

DONE = 0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="a folder that earproof build or convert filled; several stand side by side",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.html",
        help="where the page is written (default: report.html in RUN, made anew each time)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite FILE.html")


def run(verb: str, args: argparse.Namespace) -> int:
    """Write the page and say where it is.

    Raises
    ------
    FileNotFoundError, FileExistsError
        No such run or folder; a page that would be overwritten without --force.
    ValueError
        A document of another kind, or several runs without a name for their page.
    """
    from convert.html_report.subjects import page_of, read_subjects, write_page
    from edge_runtime.options import check_out_file

    out = args.out or _default_out(args.runs)
    if args.out or not args.runs[0].is_dir():
        check_out_file(out, args.force)
    page = page_of(read_subjects(args.runs))
    write_page(page, out)
    for name, section, block in page.lacking:
        print(f"not on the page: {f'{name}: ' if name else ''}{section.title}: {block.what}: {block.why}")
    print(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB")
    return DONE


def _default_out(runs: Sequence[Path]) -> Path:
    """The page's place where none was named."""
    from convert.html_report.subjects import PAGE_FILE_NAME

    if len(runs) > 1:
        raise ValueError(f"a page of {len(runs)} runs is in none of their folders; expected --out FILE.html")
    return runs[0] / PAGE_FILE_NAME if runs[0].is_dir() else runs[0].with_suffix(".html")
