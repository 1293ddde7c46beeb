"""Cut the quiet at both ends off recordings: new files and a new index, the originals stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from metadata.plural import counted
from metadata.safe_name import safe_part
from train.recordings.clip import Clip
from train.recordings.clip_index import INDEX_FILE_NAME, ClipIndex, write_index
from train.recordings.decoding.decoded_blocks import AudioError, DecodedBlocks
from train.recordings.decoding.sixteen_bits import TurnedDown
from train.recordings.output_folder import claim_folder, refuse_originals
from train.recordings.tables.new_names import check_all_written, count_renamed, unique_paths

FRAME_SECONDS = 0.02
DEFAULT_THRESHOLD_DBFS = -50.0
DEFAULT_MARGIN_SECONDS = 0.1
MOST_FLAC_CHANNELS, HIGHEST_FLAC_RATE = 8, 655_350
_PCM_16_STEP = 2.0**-15
_FRAMES_AT_ONCE = 500  # of 20 ms

Tell = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class TrimSettings:
    """What counts as quiet.

    Attributes
    ----------
    threshold_dbfs : float
        A frame of 20 ms is quiet where the RMS of its loudest channel is below this; below 0.
    margin_seconds : float
        Kept of the quiet before and after, 0 or more.
    """

    threshold_dbfs: float = DEFAULT_THRESHOLD_DBFS
    margin_seconds: float = DEFAULT_MARGIN_SECONDS

    def __post_init__(self) -> None:
        if not -120.0 <= self.threshold_dbfs < 0.0:
            raise ValueError(f"the threshold is {self.threshold_dbfs} dBFS; expected -120 to below 0")
        if not 0.0 <= self.margin_seconds < float("inf"):
            raise ValueError(f"the margin is {self.margin_seconds} s; expected 0 or more")


@dataclass(frozen=True)
class Trimmed:
    """What trimming did.

    Attributes
    ----------
    index : ClipIndex
        Of the new files; each clip has its `original`, `start_s` and `end_s`.
    left_out : list of str
        Recordings that are quiet all through, or cannot be read, and why.
    seconds_before, seconds_after : float
        Of the recordings that were kept.
    renamed : str
        Which files got a number because their name was taken, for people; '' where none did.
    """

    index: ClipIndex
    left_out: list[str]
    seconds_before: float
    seconds_after: float
    renamed: str = ""


def find_sound(samples: np.ndarray, sample_rate: int, settings: TrimSettings) -> tuple[int, int] | None:
    """Return the first sample to keep and the one after the last, None where all is quiet.

    Parameters
    ----------
    samples : np.ndarray
        float32 (n_samples, n_channels).
    sample_rate : int
        Hz.
    settings : TrimSettings
    """
    length = max(1, round(FRAME_SECONDS * sample_rate))
    starts = np.arange(0, len(samples), length)
    sums = np.add.reduceat(np.square(samples, dtype=np.float64), starts, axis=0)
    counts = np.diff(np.r_[starts, len(samples)])
    power = (sums / counts[:, None]).max(axis=1)
    loud = np.flatnonzero(power >= 10.0 ** (settings.threshold_dbfs / 10.0))
    if loud.size == 0:
        return None
    margin = round(settings.margin_seconds * sample_rate)
    first = max(0, int(starts[loud[0]]) - margin)
    last = min(len(samples), int(starts[loud[-1]] + counts[loud[-1]]) + margin)
    return first, last


@dataclass(frozen=True)
class _Reading:
    """What one reading of a recording tells: where it sounds, how high it goes, and whether 16 bits hold it."""

    sound: tuple[int, int] | None
    peak: float
    is_sixteen_bit: bool


def _read_through(recording: DecodedBlocks, settings: TrimSettings) -> _Reading:
    """Read a recording once, in blocks of whole frames, so that they are judged as those of the whole would be."""
    length = max(1, round(FRAME_SECONDS * recording.sample_rate))
    no_margin = replace(settings, margin_seconds=0.0)
    found: list[tuple[int, int]] = []
    start, peak, is_sixteen_bit = 0, 0.0, True
    for frames in recording.frames(length * _FRAMES_AT_ONCE):
        if (sound := find_sound(frames, recording.sample_rate, no_margin)) is not None:
            found.append((start + sound[0], start + sound[1]))
        peak = max(peak, float(np.abs(frames).max()))
        is_sixteen_bit = is_sixteen_bit and _subtype(frames) == "PCM_16"
        start += len(frames)
    if not found:
        return _Reading(None, peak, is_sixteen_bit)
    margin = round(settings.margin_seconds * recording.sample_rate)
    return _Reading((max(0, found[0][0] - margin), min(start, found[-1][1] + margin)), peak, is_sixteen_bit)


def trim_clips(
    index: ClipIndex,
    folder: Path,
    settings: TrimSettings,
    *,
    force: bool = False,
    tell: Tell | None = None,
    say: Callable[[str], None] | None = None,
) -> Trimmed:
    """Write every clip without the quiet at its ends as FLAC, at its own rate and channels, and the index beside them.

    Parameters
    ----------
    index : ClipIndex
    folder : Path
        To be filled, never one that holds the originals.
    settings : TrimSettings
    force : bool
        Empty the folder first, if earproof filled it.
    tell : callable, optional
        Called with the number of clips done.
    say : callable, optional
        Called with which recordings were turned down, as they went above full scale.

    Raises
    ------
    FileExistsError
        The folder has content and `force` is not set, or the content is not earproof's.
    ValueError
        The folder holds the originals, or nothing is left, of all or of a label.
    """
    refuse_originals(folder, (index.root / clip.path for clip in index.clips))
    wanted = [_new_name(clip) for clip in index.clips]
    names = unique_paths(wanted)
    claim_folder(folder, force=force)
    kept: list[Clip] = []
    left_out: list[str] = []
    seconds = np.zeros(2)
    turned_down = TurnedDown()
    for done, (clip, name) in enumerate(zip(index.clips, names, strict=True), start=1):
        try:
            cut, lengths = _trim_clip(clip, index.root, folder, name, settings, turned_down)
        except AudioError as error:
            left_out.append(str(error))
        else:
            kept.append(cut)
            seconds += lengths
        if tell:
            tell(done)
    if say and turned_down.factors:
        say(turned_down.describe())
    if not kept:
        raise AudioError(f"none of the {counted(len(index.clips), 'recording')} is left; the first: {left_out[0]}")
    _refuse_lost_labels(index, kept, settings, folder)
    check_all_written(folder, [clip.path for clip in kept])
    trimmed = replace(index, root=folder, clips=tuple(kept))
    write_index(folder / INDEX_FILE_NAME, trimmed)
    return Trimmed(trimmed, left_out, float(seconds[0]), float(seconds[1]), count_renamed(wanted, names))


def _refuse_lost_labels(index: ClipIndex, kept: Sequence[Clip], settings: TrimSettings, folder: Path) -> None:
    """Raise ValueError where nothing is left of a label, such as one silent on purpose; remove what was written."""
    left = {label for clip in kept for label in clip.labels}
    lost = sorted({label for clip in index.clips for label in clip.labels} - left)
    if lost:
        for clip in kept:
            (folder / clip.path).unlink()
            for parent in (folder / clip.path).parents:
                if parent == folder or any(parent.iterdir()):
                    break
                parent.rmdir()
        raise ValueError(
            f"nothing would be left of {', '.join(lost)}: all its recordings are quieter than "
            f"{settings.threshold_dbfs:g} dBFS or cannot be read, so nothing was written; lower --threshold-dbfs, or "
            "trim the other labels alone"
        )


def _new_name(clip: Clip) -> str:
    """The path of a cut clip below the new folder, as long as no other has it."""
    parts = [safe_part(part) for part in Path(clip.path).with_suffix("").parts if part not in ("..", "/")]
    return "/".join(parts) + ".flac"


def _trim_clip(
    clip: Clip, root: Path, folder: Path, name: str, settings: TrimSettings, turned_down: TurnedDown
) -> tuple[Clip, list[float]]:
    """Write one cut clip; return it with the seconds before and after."""
    with DecodedBlocks(root / clip.path) as recording:
        reading, sample_rate = _read_through(recording, settings), recording.sample_rate
        if reading.sound is None:
            raise AudioError(f"{root / clip.path} is quieter than {settings.threshold_dbfs:g} dBFS all through")
        first, last = reading.sound
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        gain = turned_down.gain(clip.path, reading.peak)
        _write_cut(recording, target, (first, last), gain, reading.is_sixteen_bit and gain == 1.0)
        num_samples = recording.num_samples
    begin = float(clip.start_s or 0.0)
    cut = replace(
        clip,
        path=name,
        original=clip.original or clip.path,
        start_s=f"{begin + first / sample_rate:.4f}",
        end_s=f"{begin + last / sample_rate:.4f}",
    )
    return cut, [num_samples / sample_rate, (last - first) / sample_rate]


def _write_cut(recording: DecodedBlocks, target: Path, cut: tuple[int, int], gain: float, sixteen_bits: bool) -> None:
    """Write a stretch of a recording, all its channels, turned down where it went above full scale."""
    import soundfile

    if recording.num_channels > MOST_FLAC_CHANNELS:
        raise recording.fault(
            f"has {counted(recording.num_channels, 'channel')}; FLAC holds {MOST_FLAC_CHANNELS}: mix it down first"
        )
    if recording.sample_rate > HIGHEST_FLAC_RATE:
        raise recording.fault(f"has a rate of {recording.sample_rate} Hz; FLAC holds {HIGHEST_FLAC_RATE}: resample it")
    subtype, start = "PCM_16" if sixteen_bits else "PCM_24", 0
    settings = {"samplerate": recording.sample_rate, "channels": recording.num_channels}
    with soundfile.SoundFile(target, "w", **settings, format="FLAC", subtype=subtype) as file:
        for frames in recording.frames():
            part = frames[max(0, cut[0] - start) : max(0, cut[1] - start)]
            if len(part):
                file.write(part if gain == 1.0 else part * np.float32(gain))
            start += len(frames)
            if start >= cut[1]:
                return


def _subtype(samples: np.ndarray) -> str:
    """16 bits where they hold every sample exactly, as those of a CD do, else 24."""
    steps = samples / _PCM_16_STEP
    return "PCM_16" if np.array_equal(steps, np.round(steps)) and steps.max() <= 32767 else "PCM_24"
