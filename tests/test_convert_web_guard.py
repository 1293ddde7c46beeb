"""Who is answered by the server of the page: the page itself, with its token."""

import pytest

pytest.importorskip("starlette")
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from convert.web.guard import TOKEN_HEADER
from convert.web.server import make_app

TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def address():
    async def answer(request):
        if request.method == "POST" and await request.body() == b"wrong":
            raise ValueError("a number is wrong; expected another")
        if request.query_params.get("file"):
            Path("/no/such.wav").read_bytes()
        return PlainTextResponse("heard")

    site = {"index.html": lambda: b"page", "models.json": lambda: b"{}", "models/0/golden.json": lambda: b"sounds"}
    app = make_app(site, [Route("/api/takes", answer, methods=["GET", "POST"])], TOKEN)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


def _ask(address, path, body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, body, named)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_only_the_page_itself_is_given_without_the_token(address):
    assert _ask(address, "/") == (200, "page")
    for path in ("/models.json", "/models/0/golden.json", "/api/takes", "/nothing"):
        status, text = _ask(address, path)
        assert (status, text.split(";")[0]) == (403, "this page was opened without its token"), path
        assert _ask(address, path, **{TOKEN_HEADER: TOKEN[:-1]})[0] == 403
    assert _ask(address, "/models.json", **{TOKEN_HEADER: TOKEN}) == (200, "{}")


def test_what_changes_something_must_come_from_the_page(address):
    token = {TOKEN_HEADER: TOKEN}
    assert _ask(address, "/api/takes", b"x", Origin=address, **token) == (200, "heard")
    for origin in ({}, {"Origin": "http://other.example"}, {"Origin": "null"}, {"Origin": f"{address}0"}):
        status, text = _ask(address, "/api/takes", b"x", **origin, **token)
        assert (status, "expected the page that this server serves" in text) == (403, True), origin


def test_another_site_may_read_nothing_of_the_user_even_with_the_token(address):
    token = {TOKEN_HEADER: TOKEN}
    assert _ask(address, "/models.json", Sec_Fetch_Site="cross-site", **token)[0] == 403
    assert _ask(address, "/models.json", Sec_Fetch_Site="same-origin", **token)[0] == 200
    assert _ask(address, "/models.json", Origin="http://other.example", **token)[0] == 403
    assert _ask(address, "/", Sec_Fetch_Site="cross-site")[0] == 200  # a link to the page may be followed


def test_a_fault_of_what_was_asked_is_answered_with_its_text(address):
    asked = {TOKEN_HEADER: TOKEN, "Origin": address}
    assert _ask(address, "/api/takes", b"wrong", **asked) == (400, "a number is wrong; expected another")
    assert _ask(address, "/api/takes?file=1", **asked) == (400, "/no/such.wav: No such file or directory")
    assert _ask(address, "/nothing", **asked) == (404, "there is no nothing here")
