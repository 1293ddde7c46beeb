import io
import zipfile

import pytest

from metadata.atomic_file import write_atomically
from metadata.errors import ModelContractError
from metadata.tflite_file.associated_files import append_files, find_archive, read_files

MODEL = b"a model" * 9


def test_files_come_back_and_the_model_before_them_stays():
    file = append_files(MODEL, {"b.txt": b"second", "a.txt": b"first"})
    assert read_files(file) == {"a.txt": b"first", "b.txt": b"second"}
    assert file[: find_archive(file)] == MODEL


def test_a_model_without_a_zip_has_no_files_and_ends_with_the_file():
    assert read_files(MODEL) == {}
    assert find_archive(MODEL) == len(MODEL)


def test_compressed_files_of_other_tools_are_read():
    stream = io.BytesIO()
    stream.write(MODEL)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.txt", b"silence\n" * 100)
    assert read_files(stream.getvalue()) == {"labels.txt": b"silence\n" * 100}
    assert find_archive(stream.getvalue()) == len(MODEL)


def test_a_zip_whose_content_does_not_match_its_checksum_is_refused():
    file = append_files(MODEL, {"labels.txt": b"silence\n"})
    with pytest.raises(ModelContractError, match=r"cannot be read: 'labels\.txt' is damaged"):
        read_files(file.replace(b"silence", b"violins"))


def test_files_that_unpack_to_gigabytes_are_refused_before_they_are_read():
    file = bytearray(append_files(MODEL, {"labels.txt": b"silence\n"}))
    entry = file.rindex(b"PK\x01\x02")
    file[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")  # the unpacked size in the directory
    with pytest.raises(ModelContractError, match="unpacks from 8 to 2147483648 bytes"):
        read_files(bytes(file))


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "text is no bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named_as_the_user_named_it(tmp_path):
    path = tmp_path / ("n" * 255)  # the longest name; the file beside it has a longer one
    with pytest.raises(OSError, match=r"cannot be written") as caught:
        write_atomically(path, b"new")
    assert str(caught.value) == f"{path} cannot be written: File name too long"
    assert not list(tmp_path.iterdir())
