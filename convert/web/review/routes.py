"""What the page of a review asks of the machine: the takes, their sound, and to save decisions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.web.review.folder import DecidedElsewhereError, ReviewFolder
from convert.web.site import BUILT_PAGE, INDEX, REVIEW_FOLDER, Content

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

_SHARED = ("style.css", "icon.svg", "licences.txt")  # with the page of `earproof web`


def review_site(built: Path = BUILT_PAGE) -> dict[str, Content]:
    """Return the files of the page.

    Raises
    ------
    FileNotFoundError
        The page is not built.
    """
    own = built / REVIEW_FOLDER
    if not (own / INDEX).is_file():
        raise FileNotFoundError(f"the page is not built: {own / INDEX} is missing; build it with: ./setup.sh web")
    files = [*own.iterdir(), *(built / name for name in _SHARED)]
    return {path.name: path.read_bytes for path in files}


def review_routes(review: ReviewFolder) -> list[BaseRoute]:
    """Return what the page asks for."""
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    headers = {"Cache-Control": "no-store"}

    def state(request: Request) -> Response:
        return JSONResponse(review.state(), headers=headers)

    def news(request: Request) -> Response:
        return JSONResponse(review.news(int(request.query_params.get("since", "0"))), headers=headers)

    def sound(request: Request) -> Response:
        return Response(review.sound(request.query_params.get("take", "")), media_type="audio/wav", headers=headers)

    async def decide(request: Request) -> Response:
        asked = _asked(await request.body())
        try:
            saved = await run_in_threadpool(
                review.decide, asked["take"], asked["action"], asked.get("labels", ()), asked.get("revision")
            )
        except DecidedElsewhereError as error:
            raise HTTPException(409, str(error)) from error
        return JSONResponse(saved, headers=headers)

    return [
        Route("/api/review", state),
        Route("/api/review/news", news),
        Route("/api/review/sound", sound),
        Route("/api/review/decisions", decide, methods=["POST"]),
    ]


def _asked(body: bytes) -> Mapping[str, Any]:
    """The decision in a request."""
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the decision is no JSON ({error}); load the page again") from error
    expected = isinstance(asked, dict) and all(isinstance(asked.get(name), str) for name in ("take", "action"))
    labels = asked.get("labels", []) if expected else None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ValueError("the decision lacks its take, action or labels; load the page again")
    if not isinstance(asked.get("revision"), (int, type(None))):
        raise ValueError("the revision is no number; load the page again")
    return dict(asked)
