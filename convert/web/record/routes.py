"""What the page asks while it records and trains."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from convert.web.plain_words import plain_words
from convert.web.record.findings import find_faults
from convert.web.record.missing_takes import missing_to_train
from convert.web.record.take_folder import MOST_BYTES, GoneError, TakeFolder
from convert.web.record.trainings import Trainings
from convert.web.served_model import ServedModel, open_model
from convert.web.site import Content, files_of
from train.models import TRANSFER_NAME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

Answer = Callable[["Request"], "Awaitable[Response]"]


@dataclass
class Recorder:
    """What lies behind the page that records.

    Attributes
    ----------
    takes : TakeFolder
    trainings : Trainings
    models : list of ServedModel
        Those of the page, in its order.
    site : dict of str to Content
        What the server gives out; the files of finished trainings are added to it.
    """

    takes: TakeFolder
    trainings: Trainings
    models: list[ServedModel]
    site: dict[str, Content]

    def __post_init__(self) -> None:
        self._opened: dict[tuple[str, str], int] = {}  # place of a file of a training among the models
        self._opening = Lock()  # two tabs ask at once, and each file has one place

    def state(self) -> dict[str, Any]:
        """Return all that the page shows of takes and trainings."""
        return {
            "folder": str(self.takes.root),
            "runs": str(self.trainings.runs),
            "labels": list(self.takes.labels()),
            "takes": self.takes.takes(),
            "missing": self.missing(),
            "notes": self.takes.notes(),
            "model": self.trainings.model(),
            "trainings": self.described(),
        }

    def missing(self) -> list[str]:
        """Return what the training that would be begun still needs, a sentence each."""
        validates = self.trainings.model() != TRANSFER_NAME
        return missing_to_train(self.takes.index(), self.takes.labels(), validates)

    def described(self) -> list[dict[str, Any]]:
        """Return the trainings; the models of finished ones have a place among those of the page."""
        return [self._with_models(one) if one["state"] == "finished" else one for one in self.trainings.described()]

    def _with_models(self, training: dict[str, Any]) -> dict[str, Any]:
        """A finished training with the places of its files, the best one first; what cannot be opened is told."""
        files = sorted(training["files"], key=lambda one: (one["input"] != "waveform", one["file"] != training["best"]))
        places, faults = [], []
        for file in files:
            try:
                places.append(self._place(training["name"], file["file"]))
            except (ValueError, OSError, RuntimeError) as error:
                faults.append(f"{file['file']} cannot be opened: {plain_words(error)}")
        if not places:
            return {**training, "state": "damaged", "error": f"Its files cannot be read: {'; '.join(faults)}."}
        verdict = [*training["verdict"], *(f"{fault}." for fault in faults)]
        return {**training, "verdict": verdict, "models": places}

    def _place(self, name: str, file: str) -> int:
        """The place of a training's file among the page's models; it is opened once."""
        with self._opening:
            if (name, file) not in self._opened:
                number = name.rpartition("-")[2].lstrip("0")
                self.models.append(open_model(self.trainings.folder(name) / file, f"Training {number}: {file}"))
                self.site.update(files_of(self.models, records=True))
                self._opened[name, file] = len(self.models) - 1
            return self._opened[name, file]


def make_routes(recorder: Recorder) -> list[BaseRoute]:
    """Return what the page asks; each answers JSON, but for files. Faults are ValueError and OSError."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    takes, trainings = recorder.takes, recorder.trainings

    def json_of(work: Callable[[Request], Any]) -> Answer:
        async def answer(request: Request) -> Response:
            return JSONResponse(await run_in_threadpool(work, request))

        return answer

    def file_of(work: Callable[[Request], bytes], kind: str) -> Answer:
        async def answer(request: Request) -> Response:
            content = await run_in_threadpool(work, request)
            return Response(content, media_type=kind, headers={"Cache-Control": "no-store"})

        return answer

    async def add(request: Request) -> Response:
        label, session = _asked(request, "label"), _asked(request, "session")
        content = await _body(request)
        path = await run_in_threadpool(takes.add, label, session, content)
        return JSONResponse({"path": path})

    def start(request: Request) -> dict[str, str]:
        if missing := recorder.missing():
            raise ValueError(" ".join(missing))
        epochs = request.query_params.get("epochs")
        if epochs is not None and not epochs.isdecimal():
            raise ValueError(f"epochs is {epochs!r}; expected a whole number")
        return {"name": trainings.start(None if epochs is None else int(epochs))}

    def delete(request: Request) -> dict[str, Any]:
        path = take_of(request)
        try:
            takes.delete(path)
        except GoneError as error:  # as it was asked for; the page reads the state anew after this
            return {"told": f"{error}.", "is_gone": True}
        return {"told": f"Deleted {path}.", "is_gone": False}

    def name_of(request: Request) -> str:
        return str(request.path_params["name"])

    def take_of(request: Request) -> str:
        return str(request.path_params["path"])

    return [
        Route("/api/state", json_of(lambda _: recorder.state())),
        Route("/api/findings", json_of(lambda _: find_faults(takes.root))),
        Route("/api/labels", json_of(lambda asked: takes.add_label(_asked(asked, "label"))), methods=["POST"]),
        Route("/api/labels", json_of(lambda asked: takes.remove_label(_asked(asked, "label"))), methods=["DELETE"]),
        Route("/api/takes", add, methods=["POST"]),
        Route("/api/takes/{path:path}", file_of(lambda asked: takes.content(take_of(asked)), "audio/wav")),
        Route("/api/takes/{path:path}", json_of(delete), methods=["DELETE"]),
        Route("/api/deleted/{path:path}", json_of(lambda asked: takes.restore(take_of(asked))), methods=["POST"]),
        Route("/api/trainings", json_of(lambda _: recorder.described())),
        Route("/api/trainings", json_of(start), methods=["POST"]),
        Route("/api/trainings/running", json_of(lambda _: trainings.stop()), methods=["DELETE"]),
        Route("/api/trainings/{name}/log", json_of(lambda asked: trainings.log(name_of(asked)))),
        Route(
            "/api/trainings/{name}/report",
            file_of(lambda asked: (trainings.folder(name_of(asked)) / "report.html").read_bytes(), "text/html"),
        ),
        Route(
            "/api/trainings/{name}/bundle",
            file_of(lambda asked: trainings.bundle(name_of(asked), _asked(asked, "file")), "application/gzip"),
        ),
    ]


def _asked(request: Request, name: str) -> str:
    """A value of the query, which must be there."""
    value = request.query_params.get(name)
    if value is None:
        raise ValueError(f"{request.url.path} was asked without {name}")
    return str(value)


async def _body(request: Request) -> bytes:
    """The body of a request, as long as it is no longer than a take may be."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_BYTES:
            raise ValueError(f"the take has more than {MOST_BYTES >> 20} MB; cut it into shorter ones")
        pieces.append(piece)
    return b"".join(pieces)
