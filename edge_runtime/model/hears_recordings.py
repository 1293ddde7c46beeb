"""Whatever classifies a clip in blocks classifies an open recording too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from edge_runtime.audio.windows import Windowing

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_runtime.audio.recordings import Recording

Window = TypeVar("Window")
ONE_AFTER_THE_OTHER = Windowing()


class HearsRecordings(ABC, Generic[Window]):
    """A classifier, or several that work together, with a result for each window."""

    @abstractmethod
    def classify_windows(
        self,
        blocks: Iterable[npt.ArrayLike],
        num_samples: int,
        sample_rate: int,
        windowing: Windowing = ONE_AFTER_THE_OTHER,
        first: int = 0,
    ) -> Iterator[Window]:
        """Classify a clip that comes in blocks, of `num_samples` in all, at its own `sample_rate` in Hz.

        Windows before number `first` are cut but not classified.

        Raises
        ------
        ValueError
            As for `cut_stream`, and what a model cannot take.
        """

    def classify_recording(
        self,
        recording: Recording,
        windowing: Windowing = ONE_AFTER_THE_OTHER,
        first: int = 0,
    ) -> Iterator[Window]:
        """Classify an open recording window by window in constant memory; see `classify_windows`."""
        blocks, num_samples, sample_rate = recording.blocks(), recording.num_samples, recording.sample_rate
        yield from self.classify_windows(blocks, num_samples, sample_rate, windowing, first)
