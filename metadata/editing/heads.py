"""The outputs of a model as its metadata describes them: label files by locale, calibration, threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from metadata.editing.locale_tag import check_locale
from metadata.errors import ModelContractError
from metadata.labels import listed
from metadata.packing.packed_model import named_files
from metadata.packing.score_calibration import CALIBRATION_FILE, Calibration, describe_calibration
from metadata.packing.standard_metadata import AXIS_LABELS
from metadata.plural import counted

_CALIBRATION, _THRESHOLDING = "ScoreCalibrationOptions", "ScoreThresholdingOptions"
_TEXT = {
    AXIS_LABELS: "The labels in the order of the scores, one a line.",
    CALIBRATION_FILE: "A line a label: scale, slope, offset, and maybe the least score that is shown.",
}


class Head(NamedTuple):
    """An output: its place, the table that describes it, and the files inside the model; both are changed in place."""

    place: int
    table: dict[str, Any]
    files: dict[str, bytes]
    values: dict[str, Any]

    @property
    def stem(self) -> str:
        """What the names of this output's files end with: nothing for the first."""
        return f"_{self.place}" if self.place else ""

    def named(self, kind: str) -> list[dict[str, Any]]:
        """Return what is said about the files of a kind."""
        return [item for item in self.table.get("associated_files", []) if item.get("type") == kind]

    def display_files(self) -> dict[str, str]:
        """Return the names of the label files by locale; loaders take the first one as the labels themselves."""
        return {str(item.get("locale", "")): str(item.get("name", "")) for item in self.named(AXIS_LABELS)}

    def options(self, kind: str) -> dict[str, Any] | None:
        """Return the options of the first process unit of a kind, None where there is none."""
        units = self.table.get("process_units", [])
        return next((unit.get("options", {}) for unit in units if unit.get("options_type") == kind), None)

    def threshold(self) -> float | None:
        """Return the score from which labels are shown, None where none is stated."""
        options = self.options(_THRESHOLDING)
        return None if options is None else float(options.get("global_score_threshold", 0.0))

    def calibration(self) -> Calibration | None:
        """Return the calibration of the scores, None where there is none that works."""
        options, named = self.options(_CALIBRATION), self.named(CALIBRATION_FILE)
        content = self.files.get(str(named[0].get("name"))) if named else None
        if options is None or content is None:
            return None
        transformation = str(options.get("score_transformation", "IDENTITY"))
        return Calibration(transformation, float(options.get("default_score", 0.0)), content)

    def set_threshold(self, threshold: float) -> None:
        """State from which score on labels are shown."""
        self._set_unit(_THRESHOLDING, {"global_score_threshold": threshold} if threshold else {})

    def set_calibration(self, calibration: Calibration) -> None:
        """Put a calibration in place of what there was."""
        options = {"score_transformation": calibration.transformation, "default_score": calibration.default_score}
        named = self.named(CALIBRATION_FILE)
        name = str(named[0]["name"]) if named and named[0].get("name") else f"score_calibration{self.stem}.txt"
        self._set_unit(_CALIBRATION, options)
        self._set_file({"name": name, "type": CALIBRATION_FILE}, calibration.content)

    def set_labels(self, content: bytes, locale: str = "") -> None:
        """Put a label file in place of what there was: the labels, or with a locale what is shown for them.

        Raises
        ------
        ModelContractError
            The labels themselves are of that locale, so that no loader would look further.
        """
        named = self.named(AXIS_LABELS)
        if locale and named and named[0].get("locale") == locale:
            raise ModelContractError(f"the labels themselves are of the locale {locale}: {named[0].get('name')}")
        known = named[:1] if not locale else [item for item in named[1:] if item.get("locale") == locale]
        name = str(known[0]["name"]) if known else "_".join(filter(None, (f"labels{self.stem}", locale))) + ".txt"
        values = {"name": name, "type": AXIS_LABELS}
        if locale:
            values |= {"description": f"What to show for each label in {locale}.", "locale": check_locale(locale)}
        self._set_file(values, content)

    def drop_calibration(self) -> None:
        """Take the calibration out, and the threshold of 0 that belongs to it.

        Raises
        ------
        ModelContractError
            There is none.
        """
        if self.options(_CALIBRATION) is None and not self.named(CALIBRATION_FILE):
            raise ModelContractError(f"output {self.place} has no calibration")
        self._drop_unit(_CALIBRATION)
        if self.threshold() == 0.0:
            self._drop_unit(_THRESHOLDING)
        for item in self.named(CALIBRATION_FILE):
            self._drop_file(item)

    def drop_threshold(self) -> None:
        """Take the threshold out.

        Raises
        ------
        ModelContractError
            There is none.
        """
        if self.threshold() is None:
            raise ModelContractError(f"output {self.place} states no threshold")
        self._drop_unit(_THRESHOLDING)

    def drop_locale(self, locale: str) -> None:
        """Take the label file of a locale out.

        Raises
        ------
        ModelContractError
            There is none.
        """
        found = [item for item in self.named(AXIS_LABELS) if locale and item.get("locale") == locale]
        if not found:
            locales = ", ".join(filter(None, self.display_files())) or "none"
            raise ModelContractError(f"output {self.place} has no labels for the locale {locale!r}; it has {locales}")
        for item in found:
            self._drop_file(item)

    def _set_unit(self, kind: str, options: Mapping[str, Any]) -> None:
        """Put a process unit in place of the first of its kind."""
        units = self.table.setdefault("process_units", [])
        unit = {"options_type": kind, "options": dict(options)}
        place = next((number for number, item in enumerate(units) if item.get("options_type") == kind), len(units))
        units[place : place + 1] = [unit]

    def _drop_unit(self, kind: str) -> None:
        """Take out every process unit of a kind."""
        units = [unit for unit in self.table.get("process_units", []) if unit.get("options_type") != kind]
        self.table["process_units"] = units
        if not units:
            del self.table["process_units"]

    def _set_file(self, values: dict[str, Any], content: bytes) -> None:
        """Put a file in place of the one of its name, or behind the others."""
        named = self.table.setdefault("associated_files", [])
        place = next((number for number, item in enumerate(named) if item.get("name") == values["name"]), len(named))
        if place == len(named) and values["name"] in self.files:
            raise ModelContractError(f"the model holds another file {values['name']} already; take it out first")
        known = named[place] if place < len(named) else {"description": _TEXT[values["type"]]}
        named[place : place + 1] = [known | values]
        self.files[values["name"]] = content

    def _drop_file(self, item: dict[str, Any]) -> None:
        """Take a file out; its content too where nothing else names it."""
        self.table["associated_files"].remove(item)
        if not self.table["associated_files"]:
            del self.table["associated_files"]
        if item.get("name") not in set(named_files(self.values)):
            self.files.pop(str(item.get("name")), None)


def read_heads(values: dict[str, Any], files: dict[str, bytes]) -> list[Head]:
    """Return the outputs that metadata describes."""
    graphs = values.get("subgraph_metadata") or [{}]
    tables = graphs[0].get("output_tensor_metadata", [])
    return [Head(place, table, files, values) for place, table in enumerate(tables)]


def find_head(heads: list[Head], said: str | None) -> Head:
    """Return the output that is meant: by its place from 0 on or its name; else the first with labels, else the first.

    Raises
    ------
    ModelContractError
        No such output, or none at all.
    """
    if not heads:
        raise ModelContractError("the metadata describes no output; write it anew with: earproof metadata write FILE")
    if said is None:
        return next((head for head in heads if head.named(AXIS_LABELS)), heads[0])
    found = [head for head in heads if said in (str(head.place), head.table.get("name"))]
    if len(found) != 1:
        listed = ", ".join(f"{head.place} {head.table.get('name', '')}".strip() for head in heads)
        raise ModelContractError(f"--head {said} is none of the {counted(len(heads), 'output')}: {listed}")
    return found[0]


def describe_head(head: Head) -> dict[str, Any]:
    """Return what an output's metadata says about labels and scores, with its files, as JSON can hold it."""
    calibration = head.calibration()
    return {
        "output": head.place,
        "name": head.table.get("name", ""),
        "label_files": [
            {"file": name, "locale": item.get("locale", ""), "labels": _lines(head.files[name])}
            for item in head.named(AXIS_LABELS)
            if (name := item.get("name")) in head.files
        ],
        "calibration": calibration
        and {
            "score_transformation": calibration.transformation,
            "default_score": calibration.default_score,
            "parameters": calibration.lines(),
            "effect": describe_calibration(calibration),
        },
        "score_threshold": head.threshold(),
    }


def head_rows(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what `describe_head` gives, beyond the first label file, as rows of a table for people."""
    shown = [item for item in described["label_files"] if item["locale"]]
    rows = [(f"in {item['locale']}", f"{item['file']}: {', '.join(listed(item['labels']))}") for item in shown]
    if described["calibration"]:
        rows.append(("calibrated", described["calibration"]["effect"]))
    if described["score_threshold"]:
        threshold = described["score_threshold"]
        rows.append(("shown", f"from {threshold:g} on in MediaPipe; the Task library takes the app's threshold"))
    place = described["output"]
    return [(name, f"output {place}: {text}" if place else text) for name, text in rows]


def _lines(content: bytes) -> list[str]:
    """The lines of a label file, as a loader takes them."""
    return content.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
