"""Several names as one text, labels or groups in a cell of a table, and taken apart again, whatever is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable


def join_names(names: Iterable[str], separator: str) -> str:
    r"""Return names as one text that `split_names` takes apart again, whatever is in them.

    A separator within a name gets a backslash, and backslashes count only in front of a separator: those there are
    doubled, all others stay as they are, so that `C:\dog` is written as it is.

    Parameters
    ----------
    names : iterable of str
    separator : str
        One character.
    """
    before = re.compile(r"(\\*)" + re.escape(separator))
    escaped = [before.sub(lambda match: 2 * match[1] + "\\" + separator, name) for name in names]
    # What ends in backslashes comes to stand in front of a separator too, but for the last name.
    ended = [name + name[len(name.rstrip("\\")) :] for name in escaped[:-1]]
    return separator.join([*ended, *escaped[-1:]])


def split_names(text: str, separator: str) -> tuple[str, ...]:
    """Return the names that `join_names` joined; one empty name where the text is empty."""
    names, last = [""], 0
    for match in re.finditer(r"(\\*)" + re.escape(separator), text):
        names[-1] += text[last : match.start()] + "\\" * (len(match[1]) // 2)
        last = match.end()
        if len(match[1]) % 2:
            names[-1] += separator
        else:
            names.append("")
    names[-1] += text[last:]
    return tuple(names)
