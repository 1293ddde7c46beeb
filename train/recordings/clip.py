"""One recording of a data set, and the words its columns use."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.joined_names import join_names, split_names

SPLITS = ("train", "val", "test")
LABEL_SEPARATOR = ";"
GROUP_SEPARATOR = "|"
TEACHER = "teacher"  # a label source: the label is what a model says of the recording, and no person did


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
    label_source: str = ""  # who said the label: a person where empty, or `TEACHER`

    @property
    def groups(self) -> tuple[str, ...]:
        """The group, or those of the parts of a mixture."""
        return split_names(self.group, GROUP_SEPARATOR)


def group_of(*names: str) -> str:
    """Return the group of a clip, or of a mixture whose parts have these groups; outer blanks do not count."""
    return join_names((name.strip() for name in names), GROUP_SEPARATOR)
