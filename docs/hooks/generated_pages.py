"""Pages that are made of the project itself, so that they cannot say anything else than it does.

A page holds `<!-- generated: NAME -->` where a part belongs that is read from the README, the parsers or the recipes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from command_reference import command_reference
from contract_tables import parity_table, recipe_table

REPOSITORY = Path(__file__).resolve().parents[2]
_MARKER = re.compile(r"<!-- generated: ([\w./ -]+) -->")
_LINK = re.compile(r"(\]\()(?!https?:|#)([^)\s]+)(\))")
# Where a link of a file in the repository's root leads in the built pages.
_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "LICENSE.txt",
    "README.md": "index.md",
    "examples": "reference/examples.md",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the licence, which stands beside the docs and not in them."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "LICENSE.txt", content=(REPOSITORY / "LICENSE").read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the generated parts into a page."""
    return fill_markers(markdown)


def fill_markers(markdown: str) -> str:
    """Return a page's text with every marker replaced by the part that it names.

    Raises
    ------
    ValueError
        No part has this name.
    """
    return _MARKER.sub(lambda marker: _part(marker[1]), markdown)


def _part(name: str) -> str:
    """Return one part as Markdown."""
    if name == "command line":
        return command_reference()
    if name == "recipes":
        return recipe_table()
    if name == "parity":
        return parity_table()
    path = REPOSITORY / name
    if not path.is_file():
        raise ValueError(
            f"a page asks for {name!r}; expected command line, recipes, parity or a file of the repository"
        )
    text = path.read_text(encoding="utf-8")
    return _as_page(text) if path.suffix == ".md" else f"```python\n{text}```"


def _as_page(text: str) -> str:
    """Return a file of the repository's root with its links as they are below docs/."""
    return _LINK.sub(lambda link: f"{link[1]}{_below_docs(link[2])}{link[3]}", text)


def _below_docs(target: str) -> str:
    """Return where a link leads from docs/."""
    path, mark, anchor = target.partition("#")
    path = path.removeprefix("docs/").rstrip("/") or "index.md"
    return f"{_PAGES.get(path, path)}{mark}{anchor}"
