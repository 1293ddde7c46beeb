"""The device's verbs: classify, count, timeline, listen, bench and parity."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.audio.recordings import Decode
    from edge_runtime.bench.command import Draw
    from edge_runtime.remote.command import MakeBundle

# A verb's module is imported when the verb is asked for: `add_VERB_arguments` and `run_VERB` of `command` in the room
# named as its first word.
VERBS = {
    "classify": "classify recordings with a .tflite file",
    "count": "say how many sources sound in recordings, and which",
    "timeline": "say what sounds in each second of recordings",
    "listen": "report events in the sound of a microphone, a pipe or a recording",
    "bench": "measure what .tflite files cost on this machine",
    "bench compare": "compare two results of bench",
    "bench plot": "draw a result of bench",
    "parity": "check that .tflite files behave as the trained model does",
}
_ROOMS = {"count": "counting"}  # where a room is not named as its verb
DRAWN_VERBS = ("bench plot", "timeline")  # whose result is a picture, or may be
HOST_VERBS = ("bench", "parity")  # that run on other machines too, with --host


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb to its parser."""
    getattr(_module(verb), f"add_{_name(verb)}_arguments")(parser)
    if verb in HOST_VERBS:
        importlib.import_module("edge_runtime.remote.command").add_host_arguments(parser)


def run(
    verb: str,
    args: argparse.Namespace,
    decode: Decode | None = None,
    draw: Draw | None = None,
    make_bundle: MakeBundle | None = None,
) -> int:
    """Run one verb and return its exit code: 0 done, 1 a check failed, 2 a recording could not be read.

    Parameters
    ----------
    verb : str
        A key of `VERBS`.
    args : argparse.Namespace
        What the parser made of `add_arguments`.
    decode : callable, optional
        Opens what is no WAV file, see `edge_runtime.audio.recordings.Decode`. A device has none.
    draw : callable, optional
        Draws a result of the verb: document and file. A device has none.
    make_bundle : callable, optional
        Makes the bundle that --host sends, as `convert.bundle.make_bundle.make_bundle`. A device has none.

    Raises
    ------
    ValueError, OSError
        With a full sentence for the user.
    """
    if getattr(args, "host", None):
        code: int = importlib.import_module("edge_runtime.remote.command").run_on_hosts(verb, args, make_bundle)
        return code
    further = (draw,) if verb in DRAWN_VERBS else ()
    code = getattr(_module(verb), f"run_{_name(verb)}")(args, decode, *further)
    return code


def _module(verb: str) -> Any:
    """Return the module of a verb of this package."""
    if verb not in VERBS:
        raise ValueError(f"verb is {verb!r}; expected one of {', '.join(VERBS)}")
    room = verb.split()[0]
    return importlib.import_module(f"edge_runtime.{_ROOMS.get(room, room)}.command")


def _name(verb: str) -> str:
    """Return a verb as a part of its functions' names."""
    return verb.replace(" ", "_")
