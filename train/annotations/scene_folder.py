"""A folder of composed scenes: 16-bit WAV by side, their annotations, and what each is made of.

It reads back with `train.annotations.annotated_index`. The annotations are written last.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.segments.segment import Segment
from edge_runtime.segments.write_segments import write_segments
from metadata.atomic_file import write_atomically
from metadata.csv_line import csv_line
from train.annotations.annotated_folder import TABLES
from train.annotations.compose import Scene, SceneClips, SceneSettings, compose_scene
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, group_of
from train.recordings.clip_index import TABLE_FILE_NAME
from train.recordings.decoding.sixteen_bits import to_steps
from train.recordings.output_folder import claim_folder

ANNOTATIONS_FILE_NAME = TABLES[0]
COLUMNS = (
    *("filename", "labels", "group", "split", "n_events", "left_out", "gain_db", "background", "clips"),
    *("licence", "source"),
)
_JOINED = " | "  # of the parts of a scene, as in mixtures


@dataclass(frozen=True)
class ComposedScenes:
    """What was composed.

    Attributes
    ----------
    events : mapping of str to tuple of Segment
        By the scene's path in the folder.
    left_out : int
        Events that found no room.
    joined : int
        Events that are part of another one of their label.
    gains : mapping of str to float
        Of the scenes that were turned down.
    """

    events: Mapping[str, tuple[Segment, ...]]
    left_out: int
    joined: int
    gains: Mapping[str, float]


def write_scenes(
    sides: Mapping[str, SceneClips],
    counts: Mapping[str, int],
    settings: SceneSettings,
    seed: int,
    folder: Path,
    *,
    force: bool = False,
    tell: Callable[[int], None] | None = None,
) -> ComposedScenes:
    """Fill a folder with scenes; where that fails or is interrupted, it is left empty.

    Parameters
    ----------
    sides : mapping of str to SceneClips
        What the scenes of each side are made of, with their clips.
    counts : mapping of str to int
        Scenes of each side.
    settings : SceneSettings
    seed : int
        The scenes of a side do not change with the number of those of another.
    folder : Path
        To be filled.
    force : bool
        Empty the folder first, if earproof filled it.
    tell : callable, optional
        Called with the number of scenes done.

    Raises
    ------
    FileExistsError
        The folder has content and `force` is not set, or the content is not earproof's.
    ValueError
        As for `compose_scene`.
    """
    claim_folder(folder, force=force)
    try:
        return _write(sides, counts, settings, seed, folder, tell or (lambda done: None))
    except BaseException:  # an interrupt too must leave nothing behind
        claim_folder(folder, force=True)
        raise


def _write(
    sides: Mapping[str, SceneClips],
    counts: Mapping[str, int],
    settings: SceneSettings,
    seed: int,
    folder: Path,
    tell: Callable[[int], None],
) -> ComposedScenes:
    """Write scene by scene, then the tables."""
    rows: list[tuple[str, ...]] = [COLUMNS]
    events, gains = {}, {}
    left_out = joined = 0
    for side, clips in sides.items():
        rng = np.random.default_rng([seed, SPLITS.index(side)])
        (folder / side).mkdir()
        for number in range(1, counts[side] + 1):
            name = f"{side}/{number:0{len(str(counts[side]))}d}.wav"
            scene = compose_scene(rng, clips, settings)
            write_atomically(folder / name, _wav(scene.waveform, clips.sample_rate))
            rows.append(_row(name, side, scene, clips))
            events[name] = scene.events
            left_out += scene.num_left_out
            joined += len(scene.places) - len(scene.events)
            if scene.gain < 1.0:
                gains[name] = scene.gain
            tell(len(events))
    write_atomically(folder / TABLE_FILE_NAME, "".join(map(csv_line, rows)).encode())
    write_segments(folder / ANNOTATIONS_FILE_NAME, events, "csv")
    return ComposedScenes(events, left_out, joined, gains)


def _row(name: str, side: str, scene: Scene, clips: SceneClips) -> tuple[str, ...]:
    """What a scene is made of: it has the groups, licences and sources of all its parts."""
    background = clips.background_clips[scene.background]
    parts = [background, *(clips.clips[place] for place in scene.places)]
    told = {
        column: _JOINED.join(dict.fromkeys(getattr(part, column) for part in parts if getattr(part, column)))
        for column in ("licence", "source")
    }
    return (
        name,
        LABEL_SEPARATOR.join(dict.fromkeys(event.label for event in scene.events)),
        group_of(*dict.fromkeys(group for part in parts for group in part.groups)),
        side,
        str(len(scene.events)),
        str(scene.num_left_out),
        f"{20.0 * np.log10(scene.gain):.2f}",
        background.path,
        _JOINED.join(part.path for part in parts[1:]),
        *told.values(),
    )


def _wav(waveform: np.ndarray, sample_rate: int) -> bytes:
    """The bytes of a 16-bit WAV file."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, to_steps(waveform), sample_rate, format="WAV", subtype="PCM_16")
    return content.getvalue()
