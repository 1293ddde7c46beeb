"""The page on the loopback of this machine, served by Starlette and uvicorn."""

from __future__ import annotations

import mimetypes
import socket
from typing import TYPE_CHECKING

from convert.web.site import INDEX, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

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


def make_app(site: Site) -> Starlette:
    """Return the application that serves the files of a page, to who asks this machine by its own name alone."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        address = request.path_params["address"] or INDEX
        if address not in site:
            raise HTTPException(404, f"there is no {address} here")
        content = await run_in_threadpool(site[address])
        suffix = address[address.rfind(".") :]
        kind = _TYPES.get(suffix) or mimetypes.guess_type(address)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=_HEADERS)

    # Whoever makes a name of theirs point to this machine is refused.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    return Starlette(routes=[Route("/{address:path}", answer)], middleware=[hosts])


def serve(site: Site, port: int, ready: Callable[[str], None]) -> None:
    """Serve a page until Ctrl-C.

    Parameters
    ----------
    site : Site
    port : int
        0 takes a free one.
    ready : callable
        Called with the address of the page once it can be opened.

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
        ready(f"http://{LOOPBACK}:{listening.getsockname()[1]}/")
        uvicorn.Server(uvicorn.Config(make_app(site), log_level="warning")).run(sockets=[listening])
