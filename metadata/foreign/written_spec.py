"""The spec that `earproof metadata write` puts into a model: from a JSON file, options, and what the file says."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from metadata.errors import ModelContractError
from metadata.foreign.foreign_contract import ForeignContract, foreign_contract
from metadata.foreign.probed_scores import Hear
from metadata.foreign.said_fields import SaidFields
from metadata.labels import read_labels
from metadata.packing.packed_model import read_spec
from metadata.spec import ACTIVATIONS, FrontEnd, MelFrontEnd, ModelSpec, StftFrontEnd, WaveformFrontEnd
from metadata.tflite_file.model_content import ModelContent

KEEP_NUMBERS = "labels that all begin with their place, as 0 dog and 1 cat, stay so"
_FRONT_ENDS: dict[str, type] = {"waveform": WaveformFrontEnd, "mel": MelFrontEnd, "stft": StftFrontEnd}
_UNITS = {"n_fft": "N", "hop_length": "N", "win_length": "N", "n_mels": "N", "fmin": "HZ", "fmax": "HZ"}
_NEEDED = {"mel": ("n_fft", "hop_length"), "stft": ("n_fft", "hop_length", "power")}  # no shape tells these
_HELP = {
    "n_fft": "samples in one transform",
    "hop_length": "samples between frames",
    "win_length": "samples under the Hann window (default n_fft)",
    "power": "exponent of the magnitude: 1 magnitude, 2 power",
    "pad_mode": "what lies beyond the ends of the window; none: no frame reaches there",
    "n_mels": "mel bands (default: as the shape of the input says)",
    "fmin": "lowest frequency of the mel bands",
    "fmax": "highest frequency of the mel bands (default: half the sample rate)",
    "mel_scale": "the mel scale",
    "mel_norm": "how mel filters are scaled",
    "log": "compression after the mel filters: log10(max(mel, floor)) or ln(mel + floor)",
    "log_floor": "smallest value that enters the logarithm",
}


def add_spec_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what a spec holds; what is not given is as the file says."""
    parser.add_argument("--spec", type=Path, metavar="SPEC.json", help="a spec; the options below count more")
    parser.add_argument("--labels", type=Path, metavar="labels.txt", help="what the scores stand for, in order")
    parser.add_argument("--keep-numbers", action="store_true", help=KEEP_NUMBERS)
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help="of the waveform that the model takes")
    parser.add_argument("--activation", choices=ACTIVATIONS, help="what the scores are (default: as the graph says)")
    for name in ("name", "version", "description"):
        parser.add_argument(f"--{name}", metavar="TEXT", help="that loaders show")
    group = parser.add_argument_group("what goes into the model")
    group.add_argument(
        "--front-end", choices=tuple(_FRONT_ENDS), help="samples, or the spectrogram that the app computes of them"
    )
    group.add_argument("--window-length", type=int, metavar="N", help="samples that a spectrogram is made of")
    for item, hint in _settings(MelFrontEnd):
        _add_setting(group, item.name, hint)


def written_contract(model: ModelContent, args: argparse.Namespace, hear: Hear | None) -> ForeignContract:
    """Return the contract that the options ask for, held against the model.

    Raises
    ------
    ModelContractError
        A broken spec; what is wrong with the options is among the contract's faults.
    FileNotFoundError, ValueError
        The spec or the label file is not there, or is broken.
    """
    base = ModelSpec.from_json(read_whole(args.spec)) if args.spec else None
    outputs = model.tensors.outputs
    count = outputs[0].size if outputs else None
    labels = read_labels(args.labels, count, args.keep_numbers) if args.labels else None
    faults: list[str] = []
    front_end = _front_end(model, args, base or read_spec(model), faults)
    said = SaidFields(
        name=args.name,
        version=args.version,
        description=args.description,
        labels=labels,
        sample_rate=args.sample_rate,
        window_length=args.window_length,
        activation=args.activation,
        front_end=front_end,
        faults=tuple(faults),
        default_name=args.file.stem,
        source=args.file.name,
        insists=True,
    )
    return foreign_contract(model, said, hear, base)


def read_whole(path: Path) -> bytes:
    """Return the content of a file, or raise an error that names it."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected a file")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    return path.read_bytes()


def _settings(kind: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    """The settings of a front end that an option can say, with their types."""
    hints = get_type_hints(kind)
    return [(item, hints[item.name]) for item in dataclasses.fields(kind) if item.name not in ("kind", "inside_model")]


def _add_setting(group: Any, name: str, hint: Any) -> None:
    """Add the option of one setting."""
    option, text = _option(name), _HELP[name]
    if get_origin(hint) is Literal:
        group.add_argument(option, choices=get_args(hint), help=text)
    else:
        group.add_argument(option, type=hint, metavar=_UNITS.get(name, "X"), help=text)


def _front_end(
    model: ModelContent, args: argparse.Namespace, base: ModelSpec | None, faults: list[str]
) -> FrontEnd | None:
    """The front end that the options describe, None where they describe none; `faults` takes what is wrong."""
    given = {item.name: getattr(args, item.name) for item, _ in _settings(MelFrontEnd)}
    given = {name: value for name, value in given.items() if value is not None}
    if args.front_end is None and not given:
        return base.front_end if base else None
    kind = args.front_end or (base.front_end.kind if base else "mel")
    known = {item.name for item, _ in _settings(_FRONT_ENDS[kind])}
    strange = [_option(name) for name in given if name not in known]
    if strange:
        faults.append(f"{', '.join(strange)} says nothing of a {kind} front end; leave it out")
        return None
    if kind == "waveform":
        return WaveformFrontEnd()
    start = dataclasses.asdict(base.front_end) if base and base.front_end.kind == kind else {}
    settings = {**start, **given, "inside_model": False}
    missing = [_option(name) for name in _NEEDED[kind] if name not in settings]
    if missing:
        faults.append(f"a {kind} front end needs {', '.join(missing)} too: the shape of the input does not tell")
        return None
    try:
        return _filled_in(model, kind, settings, args)
    except ModelContractError as error:
        faults.append(str(error))
        return None


def _option(name: str) -> str:
    """The option of a setting."""
    return f"--{name.replace('_', '-')}"


def _filled_in(model: ModelContent, kind: str, settings: dict[str, Any], args: argparse.Namespace) -> FrontEnd:
    """A front end whose other settings come from the shape, or are librosa's; a note says which."""
    settings.setdefault("win_length", settings["n_fft"])
    if kind == "mel":
        sides = [length for length in model.tensors.inputs[0].shape if length != 1]
        if len(sides) == 2:
            settings.setdefault("n_mels", sides[0])
        if args.sample_rate:
            settings.setdefault("fmax", args.sample_rate / 2)
    front_end: FrontEnd = _FRONT_ENDS[kind](**settings)
    assumed = [item.name for item, _ in _settings(_FRONT_ENDS[kind]) if item.name not in settings]
    if assumed:
        listed = ", ".join(f"{name}={getattr(front_end, name)}" for name in assumed)
        print(f"note: not given and taken as librosa has them: {listed}", file=sys.stderr)
    return front_end
