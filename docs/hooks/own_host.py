"""Refuses pages that would ask another host for a script, a font or a picture when they are opened."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

# Attributes whose value a browser fetches by itself; a link is followed by the reader alone.
_FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("link", "href"),
    ("source", "src"),
    ("source", "srcset"),
    ("video", "src"),
    ("audio", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("use", "href"),
}
_NOT_FETCHED = ("canonical", "next", "prev")  # links for search engines


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Fail the build where a page fetches from another host."""
    found = fetched_elsewhere(output)
    if found:
        from mkdocs.exceptions import PluginError

        raise PluginError(f"{page.file.src_uri} would fetch {', '.join(found)}; keep what a page needs in docs/")
    return output


def fetched_elsewhere(html: str) -> list[str]:
    """Return the addresses on other hosts that a browser fetches when it opens a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


class _Reader(HTMLParser):
    """Collects addresses on other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes of one element."""
        values = dict(attrs)
        if tag == "link" and values.get("rel") in _NOT_FETCHED:
            return
        for name, value in values.items():
            if name == "class" and "mermaid" in (value or "").split():  # the theme fetches what draws it
                self.found.append("https://unpkg.com/mermaid")
            is_fetched = (tag, name) in _FETCHED and (value or "").startswith(("http:", "https:", "//"))
            if is_fetched or (name == "style" and "url(http" in (value or "")):
                self.found.append(value or "")
