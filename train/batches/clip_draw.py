"""Which clip comes next and which stretch of it is used: all training windows draw from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from train.batches.augment import change_speed, draw_speed
from train.batches.window_rows import cut_window
from train.recordings.clip_index import ClipIndex
from train.recordings.loudness import SilentClipError, is_silent
from train.recordings.store.clip_store import LoadedClips
from train.recordings.store.packed_waveform import BLOCK_LENGTH, waveform_blocks_of


class ClipDraw:
    """The clips of the training side, drawn by label.

    Within a label a group counts by the square root of its length, so that one large source does not drown the many
    small ones, and its clips by their length.

    Parameters
    ----------
    clips : LoadedClips
        All clips; those of the train side with a single label are drawn.
    window_length : int
        Samples.
    audible : bool
        Leave out clips of silence, which cannot be brought to a volume.

    Raises
    ------
    SilentClipError
        Labels all of whose clips are left out.

    Attributes
    ----------
    places : np.ndarray
        int64 (n,), where they stand among all clips.
    waveforms : list of PackedWaveform or np.ndarray
    label_of : np.ndarray
        int64 (n,), the label of each waveform.
    num_labels : int
    num_windows : int
        How many windows the waveforms hold.
    """

    def __init__(self, clips: LoadedClips, window_length: int, audible: bool = False):
        index = clips.index
        places = [place for place in clips.places("train") if len(index.clips[place].labels) == 1]
        if audible:
            places = [place for place in places if not is_silent(clips.waveforms[place])]
            _check_every_label(index, places)
        self.places = np.array(places)
        self.waveforms = [clips.waveforms[place] for place in places]
        position = {label: number for number, label in enumerate(index.labels)}
        self.label_of = np.array([position[index.clips[place].labels[0]] for place in places])
        self.num_labels, self._window_length = len(index.labels), window_length
        lengths = np.array([max(window_length, waveform.size) for waveform in self.waveforms], np.float64)
        weights = lengths / np.sqrt(self._group_lengths([index.clips[place].group for place in places], lengths))
        self.num_windows = int(lengths.sum() // window_length)
        self._of_label = [np.flatnonzero(self.label_of == label) for label in range(self.num_labels)]
        self._rises = [_rise(weights[own] / weights[own].sum()) for own in self._of_label]

    def draw(self, label: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return positions of `count` clips of a label, with replacement."""
        return self._of_label[label][self._rises[label].searchsorted(rng.random(count), side="right")]

    def cut(self, place: int, rng: np.random.Generator, vary: bool) -> np.ndarray:
        """Return a window of one clip at a random place, zero-padded where the clip is shorter; varied in speed."""
        return self.cut_stretch(place, *draw_stretch(self.waveforms[place].size, self._window_length, rng, vary))

    def cut_stretch(self, place: int, start: int, length: int) -> np.ndarray:
        """Return the window that a stretch of one clip becomes, in samples; zero-padded as by `cut`."""
        return change_speed(cut_window(self.waveforms[place], start, length), self._window_length)

    def cut_loudest(self, place: int) -> np.ndarray:
        """Return the window of one clip with its highest peak in the middle, as far as the clip goes."""
        waveform, length = self.waveforms[place], self._window_length
        start = max(0, min(_loudest(waveform) - length // 2, waveform.size - length))
        return cut_window(waveform, start, length)

    def _group_lengths(self, groups: Sequence[str], lengths: np.ndarray) -> np.ndarray:
        """Samples that the group of each clip has under the clip's label."""
        total: Counter[tuple[str, int]] = Counter()
        for group, label, length in zip(groups, self.label_of, lengths, strict=True):
            total[group, label] += length
        return np.array([total[group, label] for group, label in zip(groups, self.label_of, strict=True)])


def draw_stretch(size: int, window_length: int, rng: np.random.Generator, vary: bool) -> tuple[int, int]:
    """Return first sample and length of a random stretch of so many samples; of another length where speed varies."""
    length = round(window_length * (draw_speed(rng) if vary else 1.0))
    return int(rng.integers(max(1, size - length + 1))), length


def _rise(shares: np.ndarray) -> np.ndarray:
    """Shares added up to 1, as `Generator.choice` does at every call: adding up once makes a draw cheap."""
    rise = shares.cumsum()
    return rise / rise[-1]


def _loudest(waveform: Any) -> int:
    """Position of the first sample of the highest volume."""
    found, highest = 0, -1.0
    for number, block in enumerate(waveform_blocks_of(waveform)):
        place = int(np.abs(block).argmax())
        if abs(block[place]) > highest:
            found, highest = number * BLOCK_LENGTH + place, abs(block[place])
    return found


def _check_every_label(index: ClipIndex, places: Sequence[int]) -> None:
    """Raise SilentClipError where a label has no clip left."""
    left = {label for place in places for label in index.clips[place].labels}
    silent = [label for label in index.labels if label not in left]
    if silent:
        raise SilentClipError(
            f"every training clip of {', '.join(silent)} is silent: no volume can be made equal to another's; "
            "mixtures need recordings with sound, or leave the label out"
        )
