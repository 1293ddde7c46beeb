"""Counts with their nouns, for everything that people read: 1 clip, 2 clips."""

from __future__ import annotations


def counted(number: int, noun: str, nouns: str = "", form: str = "") -> str:
    """Return a number with what it counts.

    Parameters
    ----------
    number : int
    noun : str
        What one is called, maybe with a verb: "clip has".
    nouns : str
        What several or none are called; `noun` with an s by default.
    form : str
        Of the number, as in a format string: "," parts thousands.
    """
    return f"{number:{form}} {noun if number == 1 else nouns or f'{noun}s'}"
