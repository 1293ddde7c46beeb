"""What the system says of a file, in words for people."""

from __future__ import annotations


def plain_words(error: Exception) -> str:
    """Return what an error says, without the number that the system has for it."""
    if not isinstance(error, OSError) or error.errno is None or not error.strerror:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
