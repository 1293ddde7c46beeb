"""A page as HTML, by the templates of this folder."""

from __future__ import annotations

import re
from pathlib import Path

from convert.html_report.page_parts import Page

TEMPLATES = Path(__file__).parent / "templates"
_NUMBER = re.compile(r"^[-+−]?[\d,.]+(e[-+]\d+)?( ?%)?([ /\[].*)?$")


def _code(found: re.Match[str]) -> str:
    """A command or a name; a browser breaks a line within an option, so that each is kept whole."""
    whole = re.sub(r"(?<!\S)(-\S{1,30})(?!\S)", r'<span class="option">\1</span>', found[1])
    return f"<code>{whole}</code>"


def render_page(page: Page) -> str:
    """Return a page as one HTML document that needs no other file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def marked(text: str) -> Markup:
        """Markdown's ** and ` as HTML; all else is text."""
        safe = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(text)))
        return Markup(re.sub(r"`([^`]+)`", _code, safe))

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["marked"] = marked
    environment.tests["number"] = lambda cell: bool(_NUMBER.match(cell))
    style = Markup((TEMPLATES / "page.css").read_text(encoding="utf-8"))
    return environment.get_template("page.html").render(page=page, style=style)
