"""A file from a public address, of known length and digest; what broke off goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from train.progress import progress_bar

TIMEOUT = 30.0  # seconds without an answer
_BLOCK = 1 << 16  # bytes


def download(address: str, target: Path, num_bytes: int, sha256: str) -> None:
    """Download a file; a part of it that lies beside `target` is gone on with.

    Parameters
    ----------
    address : str
    target : Path
        Where the file goes, in a folder that is there. What has come so far lies beside it as NAME.part.
    num_bytes : int
    sha256 : str

    Raises
    ------
    OSError
        No answer, an answer that broke off, or a disk that is full; what has come is kept.
    ValueError
        The file is another than expected; it is thrown away.
    """
    part = target.with_name(f"{target.name}.part")
    have = part.stat().st_size if part.is_file() else 0
    if have > num_bytes:
        part.unlink()
        have = 0
    if have < num_bytes:
        _fetch(address, part, have, num_bytes)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    if digest != sha256:
        part.unlink()
        raise ValueError(f"{address} gave a file with SHA-256 {digest}; expected {sha256}. It was thrown away")
    os.replace(part, target)


def _fetch(address: str, part: Path, have: int, num_bytes: int) -> None:
    """Append what is missing to the part."""
    asked = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
            resumes = answer.status == 206  # else the server begins anew
            have = have if resumes else 0
            with part.open("ab" if resumes else "wb") as file:
                have = _copy(answer, file, part.name.removesuffix(".part"), have, num_bytes)
    except urllib.error.HTTPError as error:
        raise OSError(f"{address} answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(f"{address} cannot be reached: {error.reason}") from error
    if have != num_bytes:
        raise OSError(f"{address} broke off after {have:,} of {num_bytes:,} bytes; the same command goes on from there")


def _copy(answer: Any, file: Any, name: str, have: int, num_bytes: int) -> int:
    """Copy block by block, with progress, and never more than was expected; return how many bytes there are now."""
    with progress_bar(num_bytes, name, "B", have) as bar:
        while have <= num_bytes and (block := answer.read(min(_BLOCK, num_bytes + 1 - have))):
            file.write(block)
            have += len(block)
            bar.update(len(block))
    return have
