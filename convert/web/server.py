"""The page on the loopback of this machine, served by Starlette and uvicorn."""

from __future__ import annotations

import mimetypes
import socket
from typing import TYPE_CHECKING

from convert.web.guard import Guard
from convert.web.plain_words import plain_words
from convert.web.site import INDEX, MODELS, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

LOOPBACK = "127.0.0.1"
# As the page says itself in a meta tag, where also a host of static files has it; here it holds for every answer.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",  # another run may serve other models at the same address
}
_TYPES = {".wasm": "application/wasm", ".js": "text/javascript", ".tflite": "application/octet-stream"}


def make_app(site: Site, routes: Sequence[BaseRoute] = (), token: str = "") -> Starlette:
    """Return the application that serves the files of a page, to who asks this machine by its own name alone.

    Parameters
    ----------
    site : Site
        May grow while it is served.
    routes : sequence of BaseRoute
        What the page asks of the machine besides files. A ValueError or OSError in one is answered 400 with its text.
    token : str
        Without it only the page itself is given out, no model and no recording; empty: all is.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        address = request.path_params["address"] or INDEX
        if address not in site:
            raise HTTPException(404, f"there is no {address} here")
        content = await run_in_threadpool(site[address])
        suffix = address[address.rfind(".") :]
        kind = _TYPES.get(suffix) or mimetypes.guess_type(address)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=_HEADERS)

    async def refuse(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return PlainTextResponse(error.detail, error.status_code, headers=_HEADERS)
        return PlainTextResponse(plain_words(error), 400, headers=_HEADERS)

    # Whoever makes a name of theirs point to this machine is refused.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    public = {address for address in site if address.split("/")[0] not in MODELS}
    return Starlette(
        routes=[*routes, Route("/{address:path}", answer)],
        middleware=[hosts, Middleware(Guard, token=token, public=public)],
        exception_handlers={ValueError: refuse, OSError: refuse, HTTPException: refuse},
    )


def serve(
    site: Site, port: int, ready: Callable[[str], None], routes: Sequence[BaseRoute] = (), token: str = ""
) -> None:
    """Serve a page until Ctrl-C.

    Parameters
    ----------
    site : Site
    port : int
        0 takes a free one.
    ready : callable
        Called with the address of the page once it can be opened; a token stands behind its #, which no browser sends.
    routes, token
        As for `make_app`.

    Raises
    ------
    OSError
        The port is taken.
    """
    import uvicorn

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise OSError(f"port {port} cannot be used: {error.strerror}; give another --port") from error
        listening.listen()
        app = make_app(site, routes, token)
        ready(f"http://{LOOPBACK}:{listening.getsockname()[1]}/" + (f"#token={token}" if token else ""))
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
