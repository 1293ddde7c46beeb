"""Ways in which a model file may be damaged, from a seed: what the tests and `benchmarks/mutated_files.py` try.

Random bytes mostly hit weights or are refused at the first offset. So the places that mean something are found first,
by walking the file: offsets, numbers in tables and in vectors, constants that operators take as arguments.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from metadata.labels import LABELS_FILE_NAME, format_labels
from metadata.packing.digest import DIGEST_FIELD
from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.packed_model import read_spec
from metadata.packing.rewrite import add_metadata_buffer
from metadata.packing.standard_metadata import describe_model
from metadata.spec import SPEC_FILE_NAME, ModelSpec
from metadata.tflite_file.associated_files import append_files, find_archive, read_files
from metadata.tflite_file.model_content import read_content
from metadata.tflite_file.schema_walk import _Walk

_WORDS = (0, 1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 255, 256, 1000, 65535, 65536, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 1)
_FLOATS = (0.0, -1.0, 1e-30, 1e30, 1e-9, 3e38, float("nan"), float("inf"), float("-inf"), 0.5, 2.0, 100.0)
_LENGTHS = {"b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "f": 4, "q": 8, "Q": 8, "d": 8}


@dataclass(frozen=True)
class Anatomy:
    """The places of a file that mean something: (first byte, letter in the `struct` module)."""

    model: bytes
    end: int  # of the FlatBuffer and its weights
    offsets: list[int]
    targets: list[int]
    numbers: list[tuple[int, str]]
    arguments: list[tuple[int, str]]  # values of constant integer tensors
    weights: list[tuple[int, int]]  # first byte and length of other constants


class _Tracer(_Walk):
    """A walk that notes where it was."""

    def __init__(self, model: bytes, end: int) -> None:
        super().__init__(model, end)
        self.offsets: list[int] = [0]
        self.targets: list[int] = []
        self.numbers: list[tuple[int, str]] = []

    def _value(self, place, field, row):
        if field.form == "scalar":
            self.numbers.append((place, field.code))
        return super()._value(place, field, row)

    def _follow(self, place, name):
        target = super()._follow(place, name)
        self.offsets.append(place)
        self.targets.append(target)
        return target

    def _span(self, target, item_size, name):
        self.numbers.append((target, "I"))
        return super()._span(target, item_size, name)

    def _numbers(self, target, field):
        numbers = super()._numbers(target, field)
        size = _LENGTHS[field.code]
        self.numbers += [(target + 4 + size * place, field.code) for place in range(min(len(numbers), 8))]
        return numbers

    def _layout(self, vtable, name):
        length, fields = super()._layout(vtable, name)
        (vtable_length,) = struct.unpack_from("<H", self._model, vtable)
        self.numbers += [(place, "H") for place in range(vtable, vtable + vtable_length, 2)]
        return length, fields


def dissect(model: bytes) -> Anatomy:
    """Return the places of a sound file that mean something."""
    end = find_archive(model)
    tracer = _Tracer(model, end)
    tracer.root()
    arguments, weights = [], []
    for graph in read_content(model, end).graphs:
        for tensor in graph.tensors:
            if tensor.data is None:
                continue
            code = {"int32": "i", "int64": "q"}.get(tensor.dtype)
            if code and tensor.size <= 16:
                size = _LENGTHS[code]
                arguments += [(tensor.data.start + size * place, code) for place in range(tensor.size)]
            else:
                weights.append(tuple(tensor.data))
    return Anatomy(model, end, tracer.offsets, tracer.targets, tracer.numbers, arguments, weights)


def without_digest(model: bytes) -> bytes:
    """Return a packed file as one that was packed before there were digests, so that damage is not seen by it."""
    files = read_files(model)
    if SPEC_FILE_NAME not in files:
        return model
    files[SPEC_FILE_NAME] = ModelSpec.from_json(files[SPEC_FILE_NAME]).to_json().encode("utf-8")
    assert DIGEST_FIELD.encode() not in files[SPEC_FILE_NAME]
    return append_files(model[: find_archive(model)], files)


def as_third_party(model: bytes) -> bytes | None:
    """Return a packed file as another tool would have written it, None where it takes a spectrogram."""
    spec = read_spec(model)
    if not spec.input_is_waveform:
        return None
    values = describe_model(spec)
    del values["associated_files"]
    described = add_metadata_buffer(model, encode_metadata(values))
    return append_files(described, {LABELS_FILE_NAME: format_labels(spec.labels)})


def truncation(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """The file cut off somewhere, mostly behind its first tenth."""
    return anatomy.model[: int(len(anatomy.model) * rng.random() ** 0.5)]


def bit_flips(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """One to eight bits turned over, anywhere."""
    damaged = bytearray(anatomy.model)
    for place in rng.integers(0, len(damaged), rng.integers(1, 9)):
        damaged[place] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def number_bit_flip(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """One bit of a number or an offset turned over."""
    places = [*anatomy.numbers, *((place, "I") for place in anatomy.offsets)]
    place, code = places[rng.integers(len(places))]
    damaged = bytearray(anatomy.model)
    damaged[place + int(rng.integers(_LENGTHS[code]))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def byte_run(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """A run of bytes overwritten, taken out, doubled or put in."""
    model, length = anatomy.model, int(2 ** rng.uniform(0, 10))
    start = int(rng.integers(len(model)))
    if rng.random() < 0.5 and anatomy.offsets:  # among the tables, which are small beside the weights
        start = anatomy.offsets[rng.integers(len(anatomy.offsets))]
    run = model[start : start + length]
    filling = [bytes(len(run)), b"\xff" * len(run), rng.bytes(len(run)), b"", run * 2, rng.bytes(4) + run]
    return model[:start] + filling[rng.integers(len(filling))] + model[start + length :]


def word_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """A word of the tables set to another one."""
    place = anatomy.offsets[rng.integers(len(anatomy.offsets))] + 4 * int(rng.integers(-8, 9))
    return _put(anatomy.model, max(0, min(place, anatomy.end - 4)), "I", rng, _WORDS)


def offset_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """An offset led elsewhere: to what another one leads to, a little beside, or anywhere."""
    place = anatomy.offsets[rng.integers(len(anatomy.offsets))]
    (old,) = struct.unpack_from("<I", anatomy.model, place)
    kind = rng.integers(4)
    if kind == 0:
        new = anatomy.targets[rng.integers(len(anatomy.targets))] - place
    elif kind == 1:
        new = old + 4 * int(rng.integers(-8, 9))
    elif kind == 2:
        new = int(rng.integers(len(anatomy.model)))
    else:
        new = _WORDS[rng.integers(len(_WORDS))]
    damaged = bytearray(anatomy.model)
    struct.pack_into("<I", damaged, place, new % 2**32)
    return bytes(damaged)


def number_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """A number of a table or a vector set to another one: an index, a length, a type, an option, a scale."""
    place, code = anatomy.numbers[rng.integers(len(anatomy.numbers))]
    return _put(anatomy.model, place, code, rng, _WORDS)


def number_swap(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """A number copied over another one of its kind."""
    place, code = anatomy.numbers[rng.integers(len(anatomy.numbers))]
    others = [other for other, letter in anatomy.numbers if letter == code]
    source, length = others[rng.integers(len(others))], _LENGTHS[code]
    damaged = bytearray(anatomy.model)
    damaged[place : place + length] = anatomy.model[source : source + length]
    return bytes(damaged)


def argument_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """A constant that an operator takes as an axis, a shape, a limit set to another number."""
    if not anatomy.arguments:
        return number_edit(anatomy, rng)
    place, code = anatomy.arguments[rng.integers(len(anatomy.arguments))]
    return _put(anatomy.model, place, code, rng, _WORDS)


def weight_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """Weights with a bit turned over, or a word of them replaced."""
    start, length = anatomy.weights[rng.integers(len(anatomy.weights))]
    place = start + int(rng.integers(max(1, length // 4))) * 4
    if rng.random() < 0.5 and length >= 4:
        return _put(anatomy.model, place, "f", rng, _WORDS)
    damaged = bytearray(anatomy.model)
    damaged[min(place + int(rng.integers(4)), start + length - 1)] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def zip_edit(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """The ZIP at the end with a byte or a word changed, or a part taken out or doubled."""
    model, end = anatomy.model, anatomy.end
    if end == len(model):
        return model + append_files(b"", {"../evil.txt": b"x"})
    place = int(rng.integers(end, len(model)))
    damaged = bytearray(model)
    kind = rng.integers(5)
    if kind == 0:
        damaged[place] = int(rng.integers(256))
    elif kind == 1:
        struct.pack_into("<I", damaged, min(place, len(model) - 4), _WORDS[rng.integers(len(_WORDS))])
    elif kind == 2:
        del damaged[place : place + int(rng.integers(1, 200))]
    elif kind == 3:
        damaged[place:place] = damaged[end : end + int(rng.integers(1, 400))]
    else:
        for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"):
            found = model.find(mark, end)
            if found >= 0 and rng.random() < 0.6:
                damaged[found + int(rng.integers(4, 40)) % (len(model) - found)] = int(rng.integers(256))
    return bytes(damaged)


def several(anatomy: Anatomy, rng: np.random.Generator) -> bytes:
    """Two or three numbers set to others at once."""
    model = anatomy.model
    for _ in range(rng.integers(2, 4)):
        place, code = [*anatomy.numbers, *anatomy.arguments][
            rng.integers(len(anatomy.numbers) + len(anatomy.arguments))
        ]
        model = _put(model, place, code, rng, _WORDS)
    return model


DAMAGES = {
    damage.__name__.replace("_", " "): damage
    for damage in (
        truncation,
        bit_flips,
        number_bit_flip,
        byte_run,
        word_edit,
        offset_edit,
        number_edit,
        number_swap,
        argument_edit,
        weight_edit,
        zip_edit,
        several,
    )
}


def _put(model: bytes, place: int, code: str, rng: np.random.Generator, words: tuple[int, ...]) -> bytes:
    """The file with another number at a place: a telling one, one near the old, or a random one."""
    damaged, length = bytearray(model), _LENGTHS[code]
    if place + length > len(model):
        return bytes(damaged[:place])
    if code == "f":
        (old,) = struct.unpack_from("<f", model, place)
        choices = [*_FLOATS, old * 2, old / 2, -old, old * 1e4, old * 1e-4]
        with np.errstate(over="ignore"):
            value = np.float32(choices[rng.integers(len(choices))])
        struct.pack_into("<f", damaged, place, value)
        return bytes(damaged)
    old = int.from_bytes(model[place : place + length], "little")
    near = old + int(rng.integers(-4, 5))
    scaled = old * int(rng.integers(2, 20))
    choices = [words[rng.integers(len(words))], near, scaled, int(rng.integers(0, 210)), -int(rng.integers(1, 9))]
    value = choices[rng.integers(len(choices))] % 256**length
    damaged[place : place + length] = value.to_bytes(length, "little")
    return bytes(damaged)
