"""One part of a path that every common file system takes, made of any text: a label, a model's name."""

from __future__ import annotations

import hashlib
import re

MOST_BYTES = 200  # of one part of a path; file systems take 255, and an ending and a number come behind
_ILLEGAL = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')  # on Windows, or anywhere
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)  # devices of Windows
_DIGITS = 8  # of the hash that tells shortened names apart


def safe_part(name: str) -> str:
    """Return one part of a path that every common file system takes, the name itself where that is one.

    What is illegal becomes `_`; a name that begins with a dot, is a device of Windows or ends in a dot or blank gets
    one; a long name is cut and ends in a hash of the whole.
    """
    safe = _ILLEGAL.sub("_", name)
    if _RESERVED.match(safe) or safe.startswith("."):
        safe = f"_{safe}"
    if safe != safe.rstrip(". ") or not safe:
        safe = f"{safe.rstrip('. ')}_"
    content = safe.encode(errors="replace")
    if len(content) <= MOST_BYTES:
        return safe
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:_DIGITS]
    return f"{content[: MOST_BYTES - _DIGITS - 1].decode(errors='ignore').rstrip()}-{digest}"
