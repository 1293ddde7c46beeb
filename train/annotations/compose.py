"""Scenes composed from clips of one label each and a background, with the annotation of what was put where.

Waveforms are float32 (n_samples,) in [-1, 1]. A scene is made of the clips of one side of a split, never of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime.segments.segment import Segment
from metadata.plural import counted
from train.annotations.frame_targets import merged
from train.recordings.clip import Clip
from train.recordings.loudness import PEAK_LIMIT, is_silent
from train.recordings.store.clip_store import LoadedClips
from train.recordings.store.packed_waveform import Waveform

ONSETS = ("uniform", "spread")
_MOST_TRIES = 20  # to find an onset at which not too many events sound together
_CUTS = 4  # of a clip longer than its event: the loudest is taken, for many clips begin or end in silence
_FADE_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """How scenes are composed.

    Attributes
    ----------
    seconds : float
        Length of a scene.
    num_events : (int, int)
        Fewest and most that are drawn; those for which there is no room are left out.
    event_seconds : (float, float)
        Shortest and longest; a clip that is shorter is taken whole.
    snr_db : (float, float)
        Level of an event over that of the background, both RMS.
    max_polyphony : int
        How many events sound together at most.
    onsets : str
        "uniform": anywhere. "spread": each event in a part of its own of the scene, which has as many parts as events.
    """

    seconds: float = 10.0
    num_events: tuple[int, int] = (1, 5)
    event_seconds: tuple[float, float] = (1.0, 4.0)
    snr_db: tuple[float, float] = (5.0, 25.0)
    max_polyphony: int = 2
    onsets: str = "uniform"

    def __post_init__(self) -> None:
        for name in ("num_events", "event_seconds", "snr_db"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ValueError(f"{name} is {low:g} to {high:g}; expected the smaller number first")
        if self.num_events[0] < 0 or self.max_polyphony < 1:
            raise ValueError(
                f"{counted(self.num_events[0], 'event')}, {self.max_polyphony} together; "
                "expected at least 0, and at least 1"
            )
        if not 0.0 < self.event_seconds[0] <= self.seconds:
            raise ValueError(
                f"events of {self.event_seconds[0]:g} s in scenes of {self.seconds:g} s; expected above 0, and no "
                "longer than the scene"
            )
        if self.onsets not in ONSETS:
            raise ValueError(f"the onsets are {self.onsets!r}; expected {' or '.join(ONSETS)}")


@dataclass(frozen=True, eq=False)
class SceneClips:
    """What the scenes of one side are made of.

    Attributes
    ----------
    waveforms : sequence of array
    labels : sequence of str
        One a waveform.
    backgrounds : sequence of array
    sample_rate : int
        Hz, of all.
    clips, background_clips : sequence of Clip
        Where the waveforms and the backgrounds come from; empty where nobody asks.
    """

    waveforms: Sequence[Waveform]
    labels: Sequence[str]
    backgrounds: Sequence[Waveform]
    sample_rate: int
    clips: Sequence[Clip] = ()
    background_clips: Sequence[Clip] = ()

    def __post_init__(self) -> None:
        if not self.waveforms or not self.backgrounds:
            raise ValueError(
                f"scenes of {counted(len(self.waveforms), 'clip')} and {counted(len(self.backgrounds), 'background')}; "
                "expected at least one of each"
            )
        silent = sum(is_silent(waveform) for waveform in [*self.waveforms, *self.backgrounds])
        if silent:
            raise ValueError(f"{silent} of the clips and backgrounds are silent: they have no level; leave them out")


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene and what it is made of.

    Attributes
    ----------
    waveform : np.ndarray
        float32 (round(seconds * sample_rate),), peak at most 0.999.
    events : tuple of Segment
        Sorted, those of one label that overlap as one.
    places : tuple of int
        Positions in `SceneClips.waveforms` of the clips that were put in, in the order drawn.
    background : int
        Position in `SceneClips.backgrounds`.
    num_left_out : int
        Events that were drawn and found no room.
    gain : float
        By which the scene as a whole was turned down, 1 where it was not.
    """

    waveform: np.ndarray
    events: tuple[Segment, ...]
    places: tuple[int, ...]
    background: int
    num_left_out: int
    gain: float


def clips_of_side(clips: LoadedClips, backgrounds: LoadedClips, split: str, sample_rate: int) -> SceneClips:
    """Return the clips and the backgrounds of one side; clips of several labels and silent ones are left out.

    Raises
    ------
    ValueError
        The side has no clips of one label or no backgrounds.
    """
    heard = set(clips.places(split)) - set(clips.silent())
    places = [place for place in sorted(heard) if len(clips.index.clips[place].labels) == 1]
    behind = sorted(set(backgrounds.places(split)) - set(backgrounds.silent()))
    return SceneClips(
        [clips.waveforms[place] for place in places],
        [clips.index.clips[place].labels[0] for place in places],
        [backgrounds.waveforms[place] for place in behind],
        sample_rate,
        [clips.index.clips[place] for place in places],
        [backgrounds.index.clips[place] for place in behind],
    )


def compose_scene(rng: np.random.Generator, clips: SceneClips, settings: SceneSettings) -> Scene:
    """Return a scene; one that goes beyond full scale is turned down as a whole.

    Parameters
    ----------
    rng : np.random.Generator
        The same state makes the same scene.
    clips : SceneClips
    settings : SceneSettings

    Raises
    ------
    ValueError
        A background is silent for long stretches.
    """
    rate = clips.sample_rate
    length = round(settings.seconds * rate)
    background = int(rng.integers(len(clips.backgrounds)))
    name = clips.background_clips[background].path if clips.background_clips else "a background"
    scene = _background(rng, clips.backgrounds[background], length, name)
    level = _rms(scene)
    drawn = int(rng.integers(settings.num_events[0], settings.num_events[1] + 1))
    together = np.zeros(length, np.int16)
    events, places = [], []
    for number in range(drawn):
        place = int(rng.integers(len(clips.waveforms)))
        sound = _cut(rng, clips.waveforms[place], min(length, round(rng.uniform(*settings.event_seconds) * rate)), rate)
        gain = level * 10.0 ** (rng.uniform(*settings.snr_db) / 20.0) / _rms(sound)
        first = _onset(rng, together, len(sound), (number, drawn), settings)
        if first is None:
            continue
        scene[first : first + len(sound)] += gain * sound
        together[first : first + len(sound)] += 1
        events.append(Segment(onset=first / rate, offset=(first + len(sound)) / rate, label=clips.labels[place]))
        places.append(place)
    turned_down = min(1.0, PEAK_LIMIT / float(np.abs(scene).max()))
    waveform = (scene * turned_down).astype(np.float32)
    return Scene(waveform, merged(events), tuple(places), background, drawn - len(events), turned_down)


def _background(rng: np.random.Generator, waveform: Waveform, length: int, name: str) -> np.ndarray:
    """A stretch of a background, float64 (length,); a shorter one comes again. One without sound is drawn anew."""
    for _ in range(_MOST_TRIES):
        first = int(rng.integers(max(1, len(waveform) - length + 1)))
        stretch = np.resize(np.asarray(waveform[first : first + length], np.float64), length)
        if not is_silent(stretch):
            return stretch
    raise ValueError(f"{_MOST_TRIES} stretches of {name} were silent; give one that sounds throughout")


def _cut(rng: np.random.Generator, waveform: Waveform, length: int, rate: int) -> np.ndarray:
    """The loudest of a few stretches of a clip, faded in and out, float64."""
    firsts = rng.integers(max(1, len(waveform) - length + 1), size=_CUTS)
    cuts = [np.array(waveform[first : first + length], np.float64) for first in firsts]
    sound = max(cuts, key=_rms)
    if is_silent(sound):  # a short sound in a long clip: around its loudest sample
        whole = np.asarray(waveform, np.float64)
        first = max(0, min(int(np.abs(whole).argmax()) - length // 2, len(whole) - length))
        sound = whole[first : first + length].copy()
    fade = min(len(sound) // 2, round(_FADE_SECONDS * rate))
    ramp = (np.arange(fade) + 0.5) / max(1, fade)
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    return sound


def _onset(
    rng: np.random.Generator, together: np.ndarray, length: int, turn: tuple[int, int], settings: SceneSettings
) -> int | None:
    """A first sample at which not too many events sound together, None where none was found."""
    room = len(together) - length + 1
    number, drawn = turn
    low, high = (0, room) if settings.onsets == "uniform" else (number * room // drawn, (number + 1) * room // drawn)
    for _ in range(_MOST_TRIES):
        first = int(rng.integers(low, max(low + 1, high)))
        if together[first : first + length].max(initial=0) < settings.max_polyphony:
            return first
    return None


def _rms(waveform: np.ndarray) -> float:
    """The level of a stretch."""
    return float(np.sqrt(np.mean(np.square(waveform))))
