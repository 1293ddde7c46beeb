"""Which file of a build is for which loader: its size and what refuses it, as one table.

    python benchmarks/app_files.py runs/short

Sizes and verdicts are those of the files. The numbers in the table lead to the reasons below it. What a window takes is
in the build's own report, measured on its machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from edge_runtime.tables import markdown_table
from metadata.lint.lint_file import lint_model
from metadata.lint.verdict import LOADERS, Finding

HEADER = ("file", "size (kB)", *(loader.name.removeprefix("the ") for loader in LOADERS))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="a folder of earproof build")
    run: Path = parser.parse_args().run
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    reasons: dict[Finding, int] = {}
    rows = [row(run, file, reasons) for file in report["files"]]
    print("\n".join([*markdown_table([list(HEADER), *rows]), "", *told(reasons)]))
    return 0


def row(run: Path, file: dict[str, Any], reasons: dict[Finding, int]) -> list[str]:
    """One file; `reasons` takes what is new."""
    path = run / file["file"]
    verdicts = lint_model(path.read_bytes())
    refusals = [verdict.refusal for verdict in verdicts]
    cells = ["yes" if one is None else f"no ({reasons.setdefault(one, len(reasons) + 1)})" for one in refusals]
    return [path.name, f"{path.stat().st_size / 1000:.0f}", *cells]


def told(reasons: dict[Finding, int]) -> list[str]:
    """The reasons by number, with what to do."""
    return [f'{number}. "{one.reason}": {one.mend}.' for one, number in reasons.items()]


if __name__ == "__main__":
    raise SystemExit(main())
