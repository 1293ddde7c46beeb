"""What a loader does with a file: it takes it or not, why, and what mends it."""

from __future__ import annotations

from typing import NamedTuple


class Loader(NamedTuple):
    """A program that opens model files in an app, as it was tried."""

    key: str
    name: str
    version: str
    is_for_apps: bool = True  # of the phone or the browser, not of a board

    def __str__(self) -> str:
        return self.name


LOADERS = (
    Loader("task_library", "the Task library", "tflite-support 0.4.4"),
    Loader("mediapipe", "MediaPipe", "mediapipe 1.2.2"),
    Loader("litert", "LiteRT", "ai-edge-litert 2.3.0"),
    Loader("litertjs", "LiteRT.js", "@litertjs/core 2.5.3"),
    Loader("mediapipe_web", "MediaPipe in the browser", "@mediapipe/tasks-audio 1.0.1"),
    Loader("tflite_runtime", "tflite-runtime", "tflite-runtime 2.14.0", is_for_apps=False),
    Loader("tflite_micro", "TensorFlow Lite Micro", "tflite-micro 0.dev20261023182759", is_for_apps=False),
)
LOADER_KEYS = tuple(loader.key for loader in LOADERS)


class Finding(NamedTuple):
    """Something that a loader does not like.

    Attributes
    ----------
    reason : str
        In the loader's own words.
    mend : str
        A command, with FILE for the file, or what to do where none does it.
    is_refusal : bool
        Else the file is taken, and the app gets something else than was meant.
    """

    reason: str
    mend: str
    is_refusal: bool = True


class Verdict(NamedTuple):
    """What one loader does with one file.

    Attributes
    ----------
    loader : Loader
    is_taken : bool or None
        None: the file holds what is not looked at here.
    findings : tuple of Finding
        The refusals first, in the order in which the loader looks.
    """

    loader: Loader
    is_taken: bool | None
    findings: tuple[Finding, ...] = ()

    @property
    def refusal(self) -> Finding | None:
        """What the loader says first, None where it takes the file."""
        return next((finding for finding in self.findings if finding.is_refusal), None)
