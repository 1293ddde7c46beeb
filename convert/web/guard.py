"""Who may ask the server: the page that it served itself, opened by somebody who knows its token."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN_HEADER = "x-earproof-token"
_READING = ("GET", "HEAD")
_OWN_SITES = ("", "none", "same-origin")  # of Sec-Fetch-Site; older browsers send none


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


class Guard:
    """Answers 403 to what another page asks, or somebody without the token.

    Another user of the machine reaches its loopback too, and so does every page that a browser of the machine opens.

    Parameters
    ----------
    app : ASGIApp
    token : str
        Needed for all but the public files; empty: everything may be read.
    public : collection of str
        Addresses, without the leading slash, of what holds nothing of the user's.
    """

    def __init__(self, app: ASGIApp, token: str, public: Collection[str]) -> None:
        self.app = app
        self.token = token
        self.public = frozenset({"", *public})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        from starlette.responses import PlainTextResponse

        if scope["type"] == "http" and (reason := self._refusal(scope)):
            return await PlainTextResponse(reason, 403)(scope, receive, send)
        return await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> str:
        """Return why a request is refused; nothing where it is not."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reads = scope["method"] in _READING
        origin = headers.get("origin")
        of_another = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if of_another or (not reads and origin is None):
            return f"asked by {origin or 'nobody that says its origin'}; expected the page that this server serves"
        public = reads and scope["path"].removeprefix("/") in self.public
        if not public and headers.get("sec-fetch-site", "") not in _OWN_SITES:
            return "asked by another site; expected the page that this server serves"
        if public or not self.token:
            return ""
        given = headers.get(TOKEN_HEADER, "").encode("latin-1")
        if secrets.compare_digest(given, self.token.encode("ascii")):
            return ""
        return "this page was opened without its token; open the whole address that earproof printed"
