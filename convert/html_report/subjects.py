"""What a page is about: the folders of runs and the JSON documents of results, each with its verdict and sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from convert.html_report.mistakes import MOST_AUDIO_BYTES
from convert.html_report.page_parts import Page, Part, Verdict, side_by_side
from convert.html_report.render import render_page
from convert.html_report.result_parts import Result, bench_result, result_of
from convert.html_report.run_parts import run_parts, run_verdict
from convert.html_report.run_record import RunRecord, read_json, read_run
from convert.report.build_report import REPORT_FILE_NAME
from edge_runtime.bench.result import FORMAT as BENCH_FORMAT
from edge_runtime.bench.result import read_document
from edge_runtime.tables import short_names
from metadata.atomic_file import write_atomically

PAGE_FILE_NAME = "report.html"
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One run or result; `run` is None of a result."""

    name: str
    about: str
    verdict: Verdict
    parts: tuple[Part, ...]
    run: RunRecord | None = None


def read_subjects(paths: Sequence[Path]) -> list[Subject]:
    """Read runs and results, in their order; the audio of a page is shared out among them.

    Raises
    ------
    FileNotFoundError
        Not there, or a folder without a report.json.
    ValueError
        A document of another kind.
    """
    names = short_names([str(path.resolve()) for path in paths])
    most = MOST_AUDIO_BYTES // len(paths)
    return [_read(path, names[str(path.resolve())], f"r{place}", most) for place, path in enumerate(paths, start=1)]


def page_of(
    subjects: Sequence[Subject],
    first: Sequence[Part] = (),
    title: str = "earproof report",
    lead: Verdict | None = None,
) -> Page:
    """Return the page of some subjects, a column each; `lead` and the sections `first` are about all of them."""
    parts = {one.name: one.parts for one in subjects}
    names = [one.name for one in subjects]
    return Page(
        title=f"{title}: {', '.join(names)}",
        subtitle="; ".join(one.about for one in subjects),
        verdicts=tuple(replace(one.verdict, name=one.name if names[1:] else "") for one in subjects),
        lead=lead,
        sections=(*side_by_side({"": first}), *side_by_side(parts)),
    )


def write_page(page: Page, path: Path) -> None:
    """Write a page as one HTML file, in one step."""
    write_atomically(path, render_page(page).encode())


def write_run_page(folder: Path) -> Path:
    """Write the page of a run into its folder and return its path."""
    write_page(page_of(read_subjects([folder])), folder / PAGE_FILE_NAME)
    return folder / PAGE_FILE_NAME


def _read(path: Path, name: str, key: str, most_audio_bytes: int) -> Subject:
    """One subject."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; expected the folder of a run, or a FILE.json")
    document = path / REPORT_FILE_NAME if path.is_dir() else path
    found = read_json(document) if document.is_file() else None
    if isinstance(found, dict) and (found.get("format") == BENCH_FORMAT or result_of(found)):
        about, verdict, parts = _result(document, found, key)
        return Subject(name=name, about=about, verdict=verdict, parts=tuple(parts))
    run = _unspoilt(document, "build or convert", lambda: read_run(path))
    verdict, about = _unspoilt(document, "build or convert", lambda: (run_verdict(run), run.about))
    parts = run_parts(run, key, most_audio_bytes)
    return Subject(name=name, about=about, verdict=verdict, parts=tuple(parts), run=run)


def _result(path: Path, document: dict[str, Any], key: str) -> Result:
    """What a document of bench or evaluate holds."""
    make = result_of(document)
    if make is not None:
        return _unspoilt(path, "evaluate", lambda: make(document, key))
    found = read_document(path)
    return _unspoilt(path, "bench", lambda: bench_result(found, key))


def _unspoilt(path: Path, verbs: str, make: Callable[[], Made]) -> Made:
    """Return what is made of a document; one that somebody cut or edited is named."""
    try:
        return make()
    except (KeyError, TypeError, IndexError, AttributeError, ArithmeticError, ValueError) as error:
        if str(path) in str(error):  # it is said already
            raise
        raise ValueError(
            f"{path} is not what earproof {verbs} wrote: {error!r}; was it cut or edited? Run it again"
        ) from error
