"""The verbs `earproof report` and `earproof compare`: one HTML page of runs and results."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convert.html_report.page_parts import Page
    from convert.html_report.subjects import Subject

DONE = 0
_COMPARISON_FILE_NAME = "compare.html"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    if verb == "compare":
        for name in ("a", "b"):
            parser.add_argument(
                name, type=Path, metavar=name.upper(), help="a folder that earproof build or convert filled"
            )
        where = f"{_COMPARISON_FILE_NAME} in the current folder"
    else:
        parser.add_argument(
            "runs",
            type=Path,
            nargs="+",
            metavar="RUN",
            help="a folder that earproof build or convert filled, or a FILE.json of earproof bench or evaluate --json; "
            "several stand side by side",
        )
        where = "report.html in RUN, made anew each time, or FILE.html"
    parser.add_argument("--out", type=Path, metavar="FILE.html", help=f"where the page is written (default: {where})")
    parser.add_argument("--force", action="store_true", help="overwrite FILE.html")


def run(verb: str, args: argparse.Namespace) -> int:
    """Write the page of one verb and say where it is.

    Raises
    ------
    FileNotFoundError, FileExistsError
        No such run or folder; a page that would be overwritten without --force.
    ValueError
        A document of another kind, two of kinds that cannot be compared, or several without a name for their page.
    """
    from convert.html_report.subjects import page_of, read_subjects, write_page
    from edge_runtime.options import check_out_file
    from train.progress import note

    runs = [args.a, args.b] if verb == "compare" else args.runs
    out = args.out or (Path(_COMPARISON_FILE_NAME) if verb == "compare" else _default_out(runs))
    if args.out or verb == "compare" or not runs[0].is_dir():
        check_out_file(out, args.force)
    subjects = read_subjects(runs)
    page = _comparison(subjects) if verb == "compare" else page_of(subjects)
    write_page(page, out)
    for name, section, block in page.lacking:
        note(f"not on the page: {f'{name}: ' if name else ''}{section.title}: {block.what}: {block.why}")
    note(f"wrote {out}, {out.stat().st_size / 1000:.0f} kB")
    return DONE


def _comparison(subjects: Sequence[Subject]) -> Page:
    """The page of two runs; who is more often right is printed too."""
    from convert.html_report.comparison import compare_parts, compare_verdict
    from convert.html_report.page_parts import Table, Text
    from convert.html_report.subjects import page_of
    from edge_runtime.tables import align

    a, b = subjects
    if a.run is None or b.run is None:
        raise ValueError(
            f"{(a if a.run is None else b).name} is no run; expected two folders of earproof build or convert. Results "
            "stand side by side with earproof report A.json B.json --out FILE.html"
        )
    lead = compare_verdict(a.run, b.run, (a.name, b.name))
    print("\n".join([*(line.replace("**", "") for line in (lead.headline, *lead.lines)), ""]))
    first = compare_parts(a.run, b.run, (a.name, b.name))
    for block in (block for part in first for block in part.blocks):
        if isinstance(block, Table):
            print("\n".join([block.caption, *align([block.header, *block.rows]), ""]))
        if isinstance(block, Text):
            print("\n".join([*(line.replace("**", "") for line in block.lines), ""]))
    return page_of(subjects, first, "earproof compare", lead)


def _default_out(runs: Sequence[Path]) -> Path:
    """The page's place where none was named."""
    from convert.html_report.subjects import PAGE_FILE_NAME

    if len(runs) > 1:
        raise ValueError("a page of several runs is in none of their folders; expected --out FILE.html")
    return runs[0] / PAGE_FILE_NAME if runs[0].is_dir() else runs[0].with_suffix(".html")
