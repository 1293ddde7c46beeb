"""The ZIP at the end of a model file: what a metadata tool writes is read, what could hurt is refused unread."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile

import pytest

from metadata import ModelContractError
from metadata.tflite_file.associated_files import append_files, find_archive, read_files
from metadata.tflite_file.zip_tail import find_zip

MODEL = b"a model" * 9


def zipped(files, method=zipfile.ZIP_STORED, comment=b""):
    """The model with a ZIP of (name, content) that Python's own writer made."""
    stream = io.BytesIO()
    stream.write(MODEL)
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "a", method) as archive:
        warnings.simplefilter("ignore")  # of a name that comes twice
        for name, content in files:
            archive.writestr(name, content)
        archive.comment = comment
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../labels.txt", "a/../../b", "/etc/passwd", "C:labels.txt", "..\\labels.txt", "a//b", ".", "a\nb", "a\x1bb"],
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ModelContractError, match="leads out of a folder or is no file name"):
        read_files(append_files(MODEL, {name: b"x"}))


@pytest.mark.parametrize("second", ["labels.txt", "LABELS.TXT"])
def test_a_name_that_comes_twice_is_refused(second):
    with pytest.raises(ModelContractError, match="a name comes twice"):
        read_files(zipped([("labels.txt", b"a"), (second, b"b")]))


def test_a_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(ModelContractError, match="unpack to 104857600 bytes; expected at most 67108864"):
        read_files(zipped([(f"{number}.txt", bytes(2**20)) for number in range(100)], zipfile.ZIP_DEFLATED))


def test_more_files_than_any_tool_writes_are_refused():
    with pytest.raises(ModelContractError, match="has 300 files"):
        read_files(zipped([(f"{number}.txt", b"") for number in range(300)]))


def test_files_over_the_same_bytes_are_refused():
    file = bytearray(append_files(MODEL, {"a.txt": b"first", "b.txt": b"other"}))
    first, second = file.index(b"PK\x01\x02"), file.rindex(b"PK\x01\x02")
    file[second + 42 : second + 46] = file[first + 42 : first + 46]  # where the file begins
    file[second + 46 : second + 51] = b"a.txt"
    with pytest.raises(ModelContractError, match="a name comes twice"):
        read_files(bytes(file))
    longer = bytearray(append_files(MODEL, {"a.txt": b"first" * 9, "b.txt": b"other"}))
    entry, local = longer.index(b"PK\x01\x02"), longer.index(b"PK\x03\x04")
    for place in (entry + 20, entry + 24, local + 18, local + 22):
        struct.pack_into("<I", longer, place, 60)  # reaches into the next file
    with pytest.raises(ModelContractError, match="overlap each other"):
        read_files(bytes(longer))


@pytest.mark.parametrize(("place", "value"), [(6, 1), (8, 1), (10, 99), (42, 2**20)])
def test_a_directory_entry_that_is_encrypted_or_unknown_or_elsewhere_is_refused(place, value):
    file = bytearray(append_files(MODEL, {"labels.txt": b"silence\n"}))
    struct.pack_into("<H" if place < 40 else "<I", file, file.rindex(b"PK\x01\x02") + place, value)
    if place == 6:  # the version that is needed is not looked at
        assert read_files(bytes(file)) == {"labels.txt": b"silence\n"}
    else:
        with pytest.raises(ModelContractError, match=r"labels\.txt"):
            read_files(bytes(file))


def test_a_name_that_differs_where_the_file_lies_is_refused():
    file = bytearray(append_files(MODEL, {"labels.txt": b"silence\n"}))
    place = file.index(b"labels.txt")
    file[place : place + 6] = b"LABELS"
    with pytest.raises(ModelContractError, match="has another name at its place in the archive"):
        read_files(bytes(file))


def test_a_zip_counts_only_where_the_file_ends_with_it():
    file = zipped([("labels.txt", b"silence\n")])
    assert find_zip(file + b"more") is None
    assert find_zip(b"PK\x05\x06" * 9) is None
    assert read_files(zipped([("labels.txt", b"silence\n")], comment=b"by some tool")) == {"labels.txt": b"silence\n"}
    assert find_archive(file) == len(MODEL)


def test_a_zip_that_something_was_put_before_is_read():
    plain = zipped([("labels.txt", b"silence\n")])[len(MODEL) :]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("labels.txt", b"silence\n")
    assert read_files(MODEL + stream.getvalue()) == {"labels.txt": b"silence\n"}
    assert find_archive(MODEL + stream.getvalue()) == len(MODEL)
    assert len(plain) == len(stream.getvalue())


def deflated(content, **changes):
    """A model with one deflated file; `changes` are made to the numbers in both headers of it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", content)
    packed = bytearray(stream.getvalue())
    directory = packed.rfind(b"PK\x01\x02")
    for name, value in changes.items():
        local, central = {"crc": (14, 16), "packed": (18, 20), "unpacked": (22, 24)}[name]
        packed[local : local + 4] = packed[directory + central : directory + central + 4] = struct.pack("<I", value)
    return MODEL + bytes(packed)


def test_a_deflated_file_is_unpacked():
    assert read_files(deflated("silence\n" * 50)) == {"labels.txt": b"silence\n" * 50}


@pytest.mark.parametrize(
    "changes",
    [{"unpacked": 399}, {"unpacked": 401}, {"crc": 1}, {"packed": 3}],
    ids=["shorter", "longer", "crc", "cut"],
)
def test_a_deflated_file_that_is_not_what_its_header_says_is_refused(changes):
    with pytest.raises(ModelContractError, match=r"the files inside the model cannot be read: 'labels\.txt'"):
        read_files(deflated("silence\n" * 50, **changes))


def test_bytes_that_were_never_deflated_are_refused():
    file = deflated("silence\n" * 50)
    place = file.index(b"labels.txt") + len("labels.txt")
    with pytest.raises(ModelContractError, match="does not unpack"):
        read_files(file[:place] + b"\xff\xff" + file[place + 2 :])
