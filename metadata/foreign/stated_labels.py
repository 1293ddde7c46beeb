"""Which file inside somebody else's model holds the labels, and what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from metadata.labels import check_labels
from metadata.mended_labels import mend_labels
from metadata.packing.metadata_codec import metadata_tables
from metadata.plural import counted

AXIS_LABELS = "TENSOR_AXIS_LABELS"
_NO_LOCALE = ("", "en")  # in the order in which they are taken


class StatedLabels(NamedTuple):
    """The labels of a model's scores, one a score, None where no file fits; and notes on the files."""

    labels: tuple[str, ...] | None
    said: tuple[str, ...]
    are_mended: bool = False


def stated_labels(
    values: Mapping[str, Any], scores: Mapping[str, Any], files: Mapping[str, bytes], count: int
) -> StatedLabels:
    """Return the labels of a model's scores.

    Parameters
    ----------
    values : mapping
        The whole metadata, and `scores` what it says about the first output.
    files : mapping of str to bytes
        Inside the model.
    count : int
        Scores that the model puts out.
    """
    said: list[str] = []
    for name in _candidates(values, scores, files, said):
        labels, mended = mend_labels(files[name], count, name)
        try:
            if len(check_labels(labels, name)) == count:
                return StatedLabels(labels, (*said, *mended), bool(mended))
            said.append(
                f"{name} has {counted(len(labels), 'name')} but the model puts out {counted(count, 'score')}; it is "
                "not used"
            )
        except ValueError as error:
            said.append(f"{error}; it is not used")
    return StatedLabels(None, tuple(said))


def _candidates(
    values: Mapping[str, Any], scores: Mapping[str, Any], files: Mapping[str, bytes], said: list[str]
) -> Iterator[str]:
    """The files that may hold the labels, the likeliest first; `said` takes why."""
    tried = set()
    for tables, where in (([scores], ""), (list(metadata_tables(values)), "elsewhere in the metadata")):
        named = [item for table in tables for item in table.get("associated_files", []) if _is_label_file(item)]
        named = [item for item in _in_order(named) if item["name"] not in tried]
        if len(named) > 1:
            said.append(
                f"there are {counted(len(named), 'label file')} ({_shown(named)}); the first that fits is taken"
            )
        for item in named:
            tried.add(item["name"])
            if item["name"] in files:
                if where:
                    said.append(f"{item['name']} is named {where}, not at the scores")
                yield item["name"]
            else:
                inside = ", ".join(sorted(files)) or "no files"
                said.append(f"the label file {item['name']} is not there; the model holds {inside}")
    for name in sorted(set(files) - tried):
        if name.lower().endswith(".txt"):
            said.append(f"{name} is not named as a label file; it is the one that is there")
            yield name


def _is_label_file(item: Mapping[str, Any]) -> bool:
    """Whether an associated file names each place of an axis."""
    return item.get("type") == AXIS_LABELS and bool(item.get("name"))


def _in_order(named: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Label files of no language first, then English ones, then the others as they come."""
    order = {locale: place for place, locale in enumerate(_NO_LOCALE)}
    return sorted(named, key=lambda item: order.get(str(item.get("locale", "")), len(order)))


def _shown(named: Sequence[Mapping[str, Any]]) -> str:
    """Names with their languages."""
    return ", ".join(" for ".join(filter(None, (item["name"], item.get("locale")))) for item in named)
