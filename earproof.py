"""The command `earproof VERB`, and what `import earproof` gives.

The command finds the package that does the work and reports errors; it holds no logic. The names for Python are
imported when they are first asked for, so that neither of the two loads what it does not use.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from pathlib import Path

    from convert.api import build, convert
    from edge_runtime import Classifier, CountedClassifier, PhoneHarness, read_wav
    from metadata import ModelSpec
    from train.api import train
    from train.embed_api import embed, search

__all__ = [
    "CountedClassifier",
    "ModelSpec",
    "PhoneHarness",
    "build",
    "convert",
    "embed",
    "load",
    "read_wav",
    "search",
    "train",
]

_HOMES = {
    "CountedClassifier": "edge_runtime.counting.pipeline",
    "ModelSpec": "metadata.spec",
    "PhoneHarness": "edge_runtime.phone.harness",
    "build": "convert.api",
    "convert": "convert.api",
    "embed": "train.embed_api",
    "read_wav": "edge_runtime.audio.wav_file",
    "search": "train.embed_api",
    "train": "train.api",
}
DONE, CHECK_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Verb(NamedTuple):
    """Which module does a verb, what it needs, and its line in the help."""

    module: str
    help: str


VERBS = {
    "build": Verb("convert.command", "recordings in, proven .tflite files out: runs all the steps below"),
    "data": Verb(
        "train.data.command",
        "list, index, split, check, trim, import, mix and oversample recordings, or find duplicates",
    ),
    "plot": Verb("train.plot_command", "draw a recording as a model sees it, with its scores"),
    "train": Verb("train.command", "train one model on recordings"),
    "convert": Verb("convert.command", "make .tflite files of a trained model"),
    "pipeline": Verb(
        "convert.held_out.pipeline_command",
        "report how well a source counter does with the classifiers it chooses",
    ),
    "thresholds": Verb(
        "convert.held_out.thresholds_command", "choose from which score on labels count in longer recordings"
    ),
    "backbone": Verb("train.backbones.command", "list, add and get networks that a training can begin with"),
    "embed": Verb("train.embed_command", "write recordings as vectors, by a model without its last layer"),
    "search": Verb("train.embed_command", "find the recordings nearest to one, among those of embed"),
    "evaluate": Verb("train.held_out.command", "judge models or predictions on recordings held out, side by side"),
    "report": Verb("convert.html_report.command", "write one HTML page of runs and results"),
    "compare": Verb("convert.html_report.command", "write one HTML page of two runs and of what differs"),
    "metadata": Verb("metadata.command", "show or write what a .tflite file says about itself"),
    "lint": Verb("metadata.lint.command", "tell which loaders of apps take a .tflite file, and mend what they refuse"),
    "classify": Verb("edge_runtime.command", "classify recordings with a .tflite file"),
    "count": Verb("edge_runtime.command", "say how many sources sound in recordings, and which, with three files"),
    "timeline": Verb(
        "edge_runtime.command", "say what sounds in each second of recordings, and where it begins and ends"
    ),
    "listen": Verb("edge_runtime.command", "report events in the sound of a microphone, a pipe or a recording"),
    "parity": Verb("edge_runtime.command", "check that .tflite files behave as the trained model does"),
    "bench": Verb("edge_runtime.command", "measure what .tflite files cost on this machine"),
    "bench compare": Verb("edge_runtime.command", "compare two results of bench"),
    "bench plot": Verb("edge_runtime.command", "draw a result of bench"),
    "web": Verb("convert.web.command", "serve a page that hears files and the microphone with .tflite files"),
    "review": Verb("convert.web.review.command", "hear the takes of listen on a page, and make a clip index of them"),
    "bundle": Verb("convert.bundle.command", "pack .tflite files with what a device needs to run and check them"),
    "doctor": Verb("edge_runtime.machine.doctor", "say whether this machine can run models, and why not"),
}
_DEVICE = ("numpy", "flatbuffers")
_RUNTIMES = ("ai_edge_litert", "tflite_runtime")
_ON_NUMPY = ("metadata.command", "metadata.lint.command", "edge_runtime.command", "convert.bundle.command")
_TRAIN = ("keras", "soundfile", "soxr", "librosa", "matplotlib", "tqdm")
_NEEDED = {
    "train.backbones.command": _TRAIN,
    "train.command": _TRAIN,
    "train.embed_command": _TRAIN,
    "train.data.command": _TRAIN,
    "train.held_out.command": _TRAIN,
    "train.plot_command": _TRAIN,
    "convert.held_out.pipeline_command": _TRAIN,
    "convert.held_out.thresholds_command": _TRAIN,
    "convert.command": (*_TRAIN, "tensorflow", "ai_edge_quantizer", "jinja2"),
    "convert.html_report.command": (*_TRAIN, "tensorflow", "ai_edge_quantizer", "jinja2"),
    "convert.web.command": ("starlette", "uvicorn"),
    "convert.web.review.command": ("starlette", "uvicorn"),
}


def load(path: str | Path, num_threads: int = 1) -> Classifier:
    """Open a model file.

    Parameters
    ----------
    path : str or Path
        A `.tflite` file. One without a spec of ours is used as its standard metadata says.
    num_threads : int
        Threads of the interpreter.

    Returns
    -------
    Classifier
        Its `classify(samples, sample_rate)` takes what `read_wav` returns.

    Raises
    ------
    FileNotFoundError
        No such file.
    ModelContractError
        Not a model, a damaged one, or tensors, labels, graph and spec that disagree. It is a ValueError.
    """
    from edge_runtime.model.classifier import Classifier

    return Classifier(path, num_threads)


def __getattr__(name: str) -> Any:
    """Import a name of `__all__` when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _is_there(_HOMES[name]):
        raise ImportError(f"earproof.{name} is not in this install, which is the device part that a bundle carries")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The names there are, those not imported yet among them."""
    return sorted({*globals(), *__all__})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 done, 1 a check failed, 2 bad usage or input."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:2] == ["device", "doctor"]:  # as it was called until 2026
        del arguments[0]
    unavailable = _unavailable(arguments[0]) if arguments and arguments[0] in VERBS else ""
    if unavailable:
        return _fail(arguments[0], unavailable)
    parser = _parser(arguments[0] if arguments else "")
    chosen = parser.parse_args(arguments)
    if not chosen.verb:
        parser.print_help()
        return BAD_INPUT
    verb = VERBS[chosen.verb]
    missing = [name for name in _NEEDED.get(verb.module, ()) if not _is_there(name)]
    if missing:
        return _fail(
            chosen.verb,
            f"needs {', '.join(missing)}, which a device install leaves out; to install all: ./setup.sh"
            f"{' web' if chosen.verb in ('web', 'review') else ''} in earproof's repository",
        )
    try:
        with warnings.catch_warnings():
            _show_notes()
            code: int = importlib.import_module(verb.module).run(chosen.verb, chosen, **_injected(chosen.verb))
            return code
    except KeyboardInterrupt as stop:
        print(f"\nearproof {chosen.verb}: stopped. {stop}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone, as with `earproof ... | head`; there is nobody left to tell.
        sys.stderr.close()
        return DONE
    except (ValueError, OSError, RuntimeError) as error:
        return _fail(chosen.verb, str(error))


def _unavailable(name: str) -> str:
    """Say why a verb cannot even explain itself here; empty where it can."""
    verb = VERBS[name]
    missing = [module for module in _DEVICE if verb.module in _ON_NUMPY and not _is_there(module)]
    if missing:
        return f"needs {', '.join(missing)}, not installed here; `earproof doctor` says what this machine lacks"
    if _is_there(verb.module):
        return ""
    return (
        "is not in this install, which is the device part that a bundle carries; run it where the whole of earproof is "
        "installed: ./setup.sh in its repository"
    )


def _show_notes() -> None:
    """Show what is odd about a model file as a note on stderr, once a file, until the warnings are put back."""
    from metadata.errors import ModelWarning

    show = warnings.showwarning

    def show_note(message: Any, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, ModelWarning):
            print(f"note: {message}", file=sys.stderr, flush=True)
        else:
            show(message, category, *place, **options)

    warnings.simplefilter("default", ModelWarning)
    warnings.showwarning = show_note


def _injected(name: str) -> dict[str, Any]:
    """What a lower package may use but not import: a decoder, what draws, makes bundles, or runs a model."""
    verb = VERBS[name]
    if verb.module in ("metadata.command", "metadata.lint.command"):
        return _injected_metadata(is_linter=verb.module == "metadata.lint.command")
    if verb.module != "edge_runtime.command":
        return {}
    injected = {}
    if _is_there("train"):
        if _is_there("soundfile"):
            injected["decode"] = importlib.import_module("train.recordings.decoding.decoded_blocks").DecodedBlocks
        if _is_there("matplotlib"):
            injected["draw"] = _draw_timeline if name == "timeline" else _draw_bench
    if _is_there("convert"):
        injected["make_bundle"] = _make_bundle
    return injected


def _hear_test_signals(*arguments: Any) -> Any:
    """Run a model on test signals; what that takes is imported when it is asked for."""
    return importlib.import_module("edge_runtime.model.probe").hear_test_signals(*arguments)


def _injected_metadata(is_linter: bool) -> dict[str, Any]:
    """What `metadata` and `lint` may use: what runs a model, makes C of it, or changes its input."""
    if not _is_there("edge_runtime"):
        return {}
    runs = any(map(_is_there, _RUNTIMES))
    injected: dict[str, Any] = {"hear": _hear_test_signals} if runs else {}
    if not is_linter:
        return injected | {"c_array": _write_c_array}
    return injected | ({"fit_input": _fit_input} if runs and _is_there("convert") else {})


def _write_c_array(*arguments: Any) -> None:
    """Write a model as C files; what that takes is imported when it is asked for."""
    importlib.import_module("edge_runtime.microcontroller.c_array").c_array(*arguments)


def _fit_input(model: bytes) -> Any:
    """Make one row of a model's input; what that takes is imported when it is asked for."""
    return importlib.import_module("convert.graph.loader_input").fit_input(model)


def _draw_bench(document: dict[str, Any], path: Any) -> None:
    """Draw a result of bench; what that takes is imported when it is asked for."""
    importlib.import_module("train.pictures.bench_plot").draw_bench(document, path)


def _draw_timeline(document: dict[str, Any], path: Any) -> None:
    """Draw the time stamps of a recording; what that takes is imported when it is asked for."""
    importlib.import_module("train.pictures.timeline_picture").draw_timeline(document, path)


def _make_bundle(*arguments: Any, **options: Any) -> Any:
    """Make a bundle for another machine; what that takes is imported when it is asked for."""
    return importlib.import_module("convert.bundle.make_bundle").make_bundle(*arguments, **options)


def _is_there(module: str) -> bool:
    """Whether a module could be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package it would be in
        return False


def _parser(wanted: str) -> argparse.ArgumentParser:
    """Build the parser; only the wanted verb's module is imported, so that help comes at once."""
    parser = _Command(
        prog="earproof",
        description="From labelled recordings to a sound classifier on a phone, proven to behave there as in training.",
        epilog="`earproof VERB --help` explains a verb. Start with: earproof build FOLDER --out DIR",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    for name, verb in VERBS.items():
        child = verbs.add_parser(
            name, help=verb.help, description=verb.help[0].upper() + verb.help[1:] + ".", allow_abbrev=False
        )
        if name.split()[0] == wanted.partition(" ")[0]:
            importlib.import_module(verb.module).add_arguments(name, child)
            if child.get_default("only_in_help_all"):
                child.add_argument("--help-all", action=_HelpAll, nargs=0, help="show every option and exit")
    return parser


class _Parser(argparse.ArgumentParser):
    """Says errors without its usage, which may fill the screen, and offers the nearest option, verb or value.

    So do the parsers of its verbs and actions.
    """

    _given: Sequence[str] = ()
    shows_all = False  # the groups too that `only_in_help_all` names, a default that a verb's module sets

    def format_help(self) -> str:
        """Return the help, without the groups that --help-all is for."""
        titles = () if self.shows_all else self.get_default("only_in_help_all") or ()
        hidden = [action for group in self._action_groups if group.title in titles for action in group._group_actions]
        texts = [action.help for action in hidden]
        try:
            for action in hidden:
                action.help = argparse.SUPPRESS
            return super().format_help()
        finally:
            for action, text in zip(hidden, texts, strict=True):
                action.help = text

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown options here, where the options of the verb or action are known."""
        self._given = list(sys.argv[1:] if args is None else args)
        chosen, rest = super().parse_known_args(self._given, namespace)
        # argparse of Python 3.10 to 3.12 takes no optional argument behind the options.
        late = self.get_default("may_be_late")
        if late and getattr(chosen, late) is None and rest and not _is_option(rest[0]):
            setattr(chosen, late, rest.pop(0))
        places = (getattr(chosen, action.dest, None) for action in self._get_positional_actions())
        words = [str(word) for value in places if isinstance(value, list) for word in value]
        if misplaced := self._second_word(words):
            self.error(f"there is no file {misplaced}")
        if any(_is_option(word) for word in rest):
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return chosen, rest

    def error(self, message: str) -> Any:
        """Say what is wrong, with the options that were probably meant, and exit with 2."""
        options = self._option_string_actions  # by their names, such as --out
        ended = self._given[: self._given.index("--")] if "--" in self._given else self._given
        names = [word.partition("=")[0] for word in ended if _is_option(word)]
        hints = {name: hint for name in names if name not in options and (hint := _did_you_mean(name, options))}
        if hints and not self._has_verb(ended):  # an option behind a verb is for the verb's own parser to know
            is_clear = len(hints) == 1 and message.startswith("unrecognized")
            texts = hints.values() if is_clear else [f"{name}: {hint}" for name, hint in hints.items()]
            message = "; ".join([message, *texts])
        if misplaced := self._second_word(ended):
            message += f"; {misplaced} comes right after the verb: {self.prog} {misplaced} ..."
        self.exit(BAD_INPUT, f"{self.prog}: {message}\nsee `{self.prog} --help`\n")

    def _second_word(self, words: Iterable[str]) -> str:
        """Return the word that makes another verb of this one, as `compare` of `bench compare`, unless it is a file."""
        verb = self.prog.partition(" ")[2]
        return next((word for word in words if f"{verb} {word}" in VERBS and not os.path.exists(word)), "")

    def _has_verb(self, words: Sequence[str]) -> bool:
        """Whether a verb or an action is among the words."""
        actions = self._subparsers._group_actions if self._subparsers else ()
        return any(word in (action.choices or ()) for action in actions for word in words)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is no choice, with the nearest one."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            hint = _did_you_mean(str(value), map(str, action.choices or ()))
            raise argparse.ArgumentError(action, f"{error.message}{'; ' if hint else ''}{hint}") from None


class _Command(_Parser):
    """The parser of the whole command, in which a verb may have a second word, as `bench compare`."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Take the two words of such a verb for one."""
        words = list(sys.argv[1:] if args is None else args)
        if " ".join(words[:2]) in VERBS:
            words[:2] = [" ".join(words[:2])]
        return super().parse_known_args(words, namespace)


def _is_option(word: str) -> bool:
    """Whether a word of the command line is an option, not a value, a number or the - of standard input."""
    return word.startswith("-") and word.lstrip("-")[:1].isalpha()


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return "did you mean X?" for the nearest of some names; empty where none is near."""
    nearest = difflib.get_close_matches(name, list(names), n=1)
    return f"did you mean {nearest[0]}?" if nearest else ""


class _HelpAll(argparse.Action):
    """Shows the help with all groups of options."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        cast(_Parser, parser).shows_all = True
        parser.print_help()
        parser.exit()


class _Version(argparse.Action):
    """Shows the version, which is looked up only then: that takes longer than all else before a verb runs."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(_version())
        parser.exit()


def _version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"earproof {version('earproof')}"
    except PackageNotFoundError:
        return "earproof (not installed)"


def _fail(verb: str, text: str) -> int:
    """Print an error and return the exit code for bad input."""
    print(f"earproof {verb}: {text}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
