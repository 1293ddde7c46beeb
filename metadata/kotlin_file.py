"""`earproof metadata kotlin`: a Kotlin file with the constants of a model, so that an app cannot drift from its file.

The file stands alone: it needs nothing but Kotlin's standard library. `examples/android` is an app that takes it.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from metadata.atomic_file import write_atomically
from metadata.errors import ModelContractError
from metadata.foreign.foreign_contract import foreign_contract, tell_notes
from metadata.foreign.probed_scores import Hear
from metadata.packing.packed_model import find_metadata, read_spec
from metadata.spec import ModelSpec, WaveformFrontEnd
from metadata.tflite_file.model_content import ModelContent

DEFAULT_PACKAGE = "com.example.earproof"
TICK_SECONDS = 0.5  # from one decision of the app to the next; a shorter window is its own tick
_CHANGES_SCORES = {  # words in the metadata, and what `metadata edit --drop` calls it
    "TENSOR_AXIS_SCORE_CALIBRATION": "calibration",
    "global_score_threshold": "threshold",
}
_STEP = re.compile(  # of a package's name; not one of the words that Kotlin keeps for itself
    r"(?!(?:as|break|class|continue|do|else|false|for|fun|if|in|interface|is|null|object|package|return|super|this|throw"
    r"|true|try|typealias|typeof|val|var|when|while)$)[A-Za-z_][A-Za-z0-9_]*"
)
_TEMPLATE = """\
// Made by `earproof metadata kotlin`. Do not edit: make it again for another file.
package {package}

/** What {file} takes and gives, and by which digest it is known. */
object SoundModel {{
    const val FILE = {file_text}
    const val SIZE_BYTES = {size}
    const val SHA256 = "{sha256}" // of the whole file
    const val NAME = {name}
    const val VERSION = {version}
    const val RECIPE = {recipe}

    const val SAMPLE_RATE = {sample_rate} // Hz, mono
    const val WINDOW_LENGTH = {window_length} // samples in one model input
    const val TICK_LENGTH = {tick_length} // samples from one decision to the next

    /** What the model's scores stand for, in the order of its output. */
    val LABELS: List<String> = listOf(
{labels}
    )

    /** The score from which a label counts, one a label. */
    val THRESHOLDS: List<Double> = listOf({thresholds})

    /** Softmax: the label with the highest score is the only one that begins. Else each label is on its own. */
    const val ONE_AT_A_TIME = {one_at_a_time}

    /** What makes scores from 0 to 1 of what the model puts out: none, exp, softmax or sigmoid. */
    const val SCORE_TRANSFORM = "{score_transform}"

    /** Frames in the second output, each FRAME_HOP_LENGTH samples long; 0: there is none. */
    const val NUM_FRAMES = {num_frames}
    const val FRAME_HOP_LENGTH = {frame_hop_length}
    val FRAME_THRESHOLDS: List<Double> = listOf({frame_thresholds})

    /** A spectrogram in librosa's terms; `nMels` 0: an STFT without mel bands. */
    class FrontEnd(
        val insideModel: Boolean,
        val nFft: Int,
        val hopLength: Int,
        val winLength: Int,
        val power: Double,
        val padMode: String,
        val nMels: Int = 0,
        val fmin: Double = 0.0,
        val fmax: Double = 0.0,
        val melScale: String = "slaney",
        val melNorm: String = "slaney",
        val log: String = "none",
        val logFloor: Double = 1e-10
    )

    /** The spectrogram that the model computes, or that the app must where it is not inside; null: samples alone. */
    val FRONT_END: FrontEnd? = {front_end}
}}
"""


def add_kotlin_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof metadata kotlin`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "--package", default=DEFAULT_PACKAGE, metavar="NAME", help=f"of the app (default {DEFAULT_PACKAGE})"
    )
    parser.add_argument("--out", type=Path, metavar="OUT.kt", help="the file to write; without it the text is printed")
    parser.add_argument("--force", action="store_true", help="overwrite OUT.kt")


def run_kotlin(model: ModelContent, args: argparse.Namespace, hear: Hear | None) -> None:
    """Write or print the Kotlin file of a checked model.

    Raises
    ------
    ModelContractError
        A file whose contract is not known, or whose input or output are integers.
    FileExistsError
        OUT.kt is there and --force is not given.
    ValueError
        A package name that Kotlin does not take.
    """
    if args.out is not None and args.out.exists() and not args.force:
        raise FileExistsError(f"{args.out} exists; give --force to overwrite it, or another --out")
    spec = read_spec(model)
    if spec is None:
        contract = foreign_contract(model, hear=hear)
        tell_notes(contract.notes, _note)
        spec = contract.settled()
    _check_floats(model)
    stated = json.dumps(find_metadata(model))
    for word, what in _CHANGES_SCORES.items():
        if f'"{word}"' in stated:
            _note(
                f"MediaPipe changes or hides scores by the {what} in this file's metadata, LiteRT does not; THRESHOLDS "
                "are for the model's own scores. Take LiteRT in the app, or take it out with: "
                f"earproof metadata edit FILE --drop {what} --out NEW.tflite"
            )
    n_fft = getattr(spec.front_end, "n_fft", 1)
    if not spec.input_is_waveform and n_fft & (n_fft - 1):
        _note(f"n_fft is {n_fft}; Spectrogram.kt of examples/android takes powers of two only, so bring your own")
    text = kotlin_text(spec, args.file.name, model.model, args.package)
    if args.out is None:
        print(text, end="")
        return
    write_atomically(args.out, text.encode("utf-8"))
    print(f"{args.out}: the constants of {args.file.name}, which goes into the app's assets as it is", file=sys.stderr)


def _note(text: str) -> None:
    """Tell what is no result."""
    print(f"note: {text}", file=sys.stderr)


def kotlin_text(spec: ModelSpec, file_name: str, model: bytes, package: str = DEFAULT_PACKAGE) -> str:
    """Return the Kotlin file.

    Parameters
    ----------
    spec : ModelSpec
    file_name : str
        Of the model, as it lies in the app's assets.
    model : bytes
        The whole file.
    package : str
        Of the app's Kotlin code.

    Raises
    ------
    ValueError
        A package name that Kotlin does not take.
    """
    _check_package(package)
    tick_length = max(1, round(min(TICK_SECONDS, spec.window_seconds) * spec.sample_rate))
    return _TEMPLATE.format(
        package=package,
        file=file_name.replace("*/", "* /"),
        file_text=_text(file_name),
        size=len(model),
        sha256=hashlib.sha256(model).hexdigest(),
        name=_text(spec.name),
        version=_text(spec.version),
        recipe=_text(spec.recipe),
        sample_rate=spec.sample_rate,
        window_length=spec.window_length,
        tick_length=tick_length,
        labels=",\n".join(f"        {_text(label)}" for label in spec.labels),
        thresholds=_numbers(spec.thresholds),
        one_at_a_time=str(spec.activation == "softmax").lower(),
        score_transform=spec.score_transform,
        num_frames=spec.frames.num_frames if spec.frames else 0,
        frame_hop_length=spec.frames.hop_length if spec.frames else 0,
        frame_thresholds=_numbers(spec.frame_thresholds if spec.frames else ()),
        front_end=_front_end(spec),
    )


def _front_end(spec: ModelSpec) -> str:
    """The front end as a call of its constructor."""
    if isinstance(spec.front_end, WaveformFrontEnd):
        return "null"
    settings = dataclasses.asdict(spec.front_end)
    del settings["kind"]
    given = ",\n".join(f"        {_camel_case(name)} = {_value(value)}" for name, value in settings.items())
    return f"FrontEnd(\n{given}\n    )"


def _camel_case(name: str) -> str:
    """A setting's name as Kotlin writes names."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _value(value: object) -> str:
    """A setting as a Kotlin literal."""
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(value)


def _numbers(values: Sequence[float]) -> str:
    """Numbers as Kotlin literals: Python's shortest text is read back to the same double."""
    return ", ".join(repr(float(value)) for value in values)


def _text(text: str) -> str:
    """A text as a Kotlin literal; a dollar would begin a template."""
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    """A character inside a literal."""
    if character in '"\\$':
        return f"\\{character}"
    return character if character.isprintable() else "".join(f"\\u{half:04x}" for half in _halves(character))


def _halves(character: str) -> tuple[int, ...]:
    """The one or two units of UTF-16 that a character is in Kotlin."""
    return struct.unpack(f"<{len(character.encode('utf-16-le')) // 2}H", character.encode("utf-16-le"))


def _check_package(package: str) -> None:
    """Refuse what Kotlin does not take as a package."""
    for step in package.split("."):
        if not _STEP.fullmatch(step):
            raise ValueError(
                f"--package is {package!r}; expected names of letters, digits and _ with dots between, none of them a "
                f"Kotlin keyword, such as {DEFAULT_PACKAGE}"
            )


def _check_floats(model: ModelContent) -> None:
    """Refuse a model that phones do not take."""
    for kind, tensors in model.tensors._asdict().items():
        for tensor in tensors:
            if tensor.dtype != "float32":
                raise ModelContractError(
                    f"{tensor.name} among the {kind} is {tensor.dtype}; MediaPipe and the app of examples/android take "
                    "float32: take a file of another recipe, such as int8, which is float32 outside"
                )
