"""Names that people type on a page: short enough to be read, and such that files can hold them."""

from __future__ import annotations

from metadata.labels import check_labels
from train.recordings.tables.spelling import composed

LONGEST_NAME = 80  # characters of a label or a session


def checked_name(name: str, what: str) -> str:
    """Return a name with composed letters, without outer blanks.

    Raises
    ------
    ValueError
        It is empty or too long, or files cannot hold it.
    """
    name = composed(name.strip())
    if not name:
        raise ValueError(f"the {what} has no name; give it one")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"the {what} has {len(name)} characters; expected {LONGEST_NAME} at most")
    return check_labels([name], f"the {what}")[0]
