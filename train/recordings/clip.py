"""One recording of a data set, and the words its columns use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SPLITS = ("train", "val", "test")
LABEL_SEPARATOR = ";"
GROUP_SEPARATOR = "|"


@dataclass(frozen=True)
class Clip:
    """One recording of a clip index."""

    path: str  # relative to the index' root, with forward slashes
    labels: tuple[str, ...]
    group: str  # what must stay on one side of a split, as `group_of` writes it: a speaker, a source recording
    split: str = ""  # train, val, test, or empty while it is not drawn yet
    fold: str = ""  # of the data set's own cross-validation, empty where it has none
    licence: str = ""
    source: str = ""  # where the recording comes from, so that it can be credited
    original: str = ""  # of a clip that was cut: the recording's path in the data it was cut from
    start_s: str = ""  # of a clip that was cut: where it begins in that recording, seconds
    end_s: str = ""  # and where it ends

    @property
    def groups(self) -> tuple[str, ...]:
        """The group, or those of the parts of a mixture."""
        return split_names(self.group, GROUP_SEPARATOR)


def group_of(*names: str) -> str:
    """Return the group of a clip, or of a mixture whose parts have these groups; outer blanks do not count."""
    return join_names((name.strip() for name in names), GROUP_SEPARATOR)


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
    ends = [re.search(r"\\*$", name)[0] for name in escaped[:-1]] + [""]  # in front of the separator that follows
    return separator.join(name + end for name, end in zip(escaped, ends, strict=True))


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
