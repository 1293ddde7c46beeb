"""What scores recordings: one model, or a counter with its classifiers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from edge_runtime.audio.recordings import Recording
from metadata.spec import ModelSpec

Row = dict[str, Any]


class RecordingScorer(Protocol):
    """Whatever classifies recordings.

    Attributes
    ----------
    verb : str
    spec : ModelSpec
        Says the sample rate and the window.
    """

    verb: str
    spec: ModelSpec

    def describe(self) -> Row:
        """Return what the output says about the model, by which a log is known too."""
        ...

    def rows(self, recording: Recording, first: int) -> Iterator[Row]:
        """Yield a row for each window or tick from number `first` on, in constant memory."""
        ...

    def row_text(self, row: Row) -> str:
        """Return a row that is not silent, or the clip, as the table shows it after its time."""
        ...

    def reset(self) -> None:
        """Begin with another recording; this and `take` are those of `RowMerge`."""
        ...

    def take(self, row: Row) -> None:
        """Count a row into the clip."""
        ...

    def clip(self) -> Row:
        """Return what the clip is."""
        ...
