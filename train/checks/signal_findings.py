"""Faults of the recordings themselves, and shortcuts: properties that give a label away without its sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from edge_runtime.audio.sound_frames import OVERSHOOT_DB
from metadata.plural import counted
from metadata.signed import signed
from train.checks.clip_measures import WINDOW_SECONDS, ClipMeasures, to_dbfs
from train.checks.findings import Finding
from train.recordings.clip_index import ClipIndex
from train.recordings.source_notes import ABOVE_FULL_SCALE
from train.recordings.trim import DEFAULT_THRESHOLD_DBFS as SILENT_DBFS

MOST_MEANT_SILENCE = 0.5  # share of a label's windows; a label with more of it is called so on purpose
MOST_DC = 0.01  # of full scale
QUIET_DBFS = -70.0  # RMS
MOST_IMBALANCE = 4.0  # seconds of the largest label over those of the smallest
MODEL_SAMPLE_RATE = 16_000  # Hz: what lies above half of it, no model here but the published event detector gets
_LEAST_GAP_HZ = 1_000.0
_LEAST_GAP_DB = 3.0
_LEAST_CLIPS = 2  # of a label, for a range to mean anything

Measures = Sequence[ClipMeasures]


def find_signal_faults(index: ClipIndex, measures: Measures) -> list[Finding]:
    """Return what is wrong with the recordings; `measures` are those of the index' clips, in their order."""
    return [
        *_clipping(index, measures),
        *_overshoot(index, measures),
        *_cancellation(index, measures),
        *_offset(index, measures),
        *_quiet(index, measures),
        *_rates(index, measures),
        *_bandwidth_shortcut(index, measures),
        *_level_shortcut(index, measures),
        *_lengths(measures),
        # What a window of an annotated recording is learned as, its events say, and they are counted apart.
        *([] if index.events is not None else [*_silent_windows(index, measures), *_imbalance(index, measures)]),
    ]


def by_label(index: ClipIndex, measures: Measures, value: Callable[[ClipMeasures], float]) -> dict[str, np.ndarray]:
    """Return one value of every clip, by label; a clip with several labels counts under each."""
    values = list(zip(index.clips, map(value, measures), strict=True))
    return {label: np.array([number for clip, number in values if label in clip.labels]) for label in index.labels}


def model_bandwidth(measures: ClipMeasures) -> float:
    """Return a clip's bandwidth in Hz, up to half the model's sample rate."""
    return min(measures.bandwidth_hz, MODEL_SAMPLE_RATE / 2)


def _clipping(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Clips whose peaks are cut off."""
    hit = [
        (measured.clipped_samples / measured.seconds, f"{clip.path}: {measured.clipped_samples} samples")
        for clip, measured in zip(index.clips, measures, strict=True)
        if measured.clipped_samples and measured.overshoot_db < OVERSHOOT_DB  # what goes beyond was not cut off there
    ]
    if hit:
        clips = tuple(text for _, text in sorted(hit, reverse=True))
        yield Finding(
            "warning", "clipping", f"{counted(len(hit), 'clip has', 'clips have')} peaks cut off at full scale", clips
        )


def _overshoot(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Float files with samples above full scale: a microphone clips there, so a phone never delivers them."""
    hit = [
        (measured.overshoot_db, f"{clip.path}: {measured.overshoot_db:.1f} dB")
        for clip, measured in zip(index.clips, measures, strict=True)
        if measured.overshoot_db >= OVERSHOOT_DB
    ]
    if hit:
        yield Finding(
            "warning",
            "above_full_scale",
            f"{counted(len(hit), 'clip has', 'clips have')} {ABOVE_FULL_SCALE}",
            tuple(text for _, text in sorted(hit, reverse=True)),
        )


def _cancellation(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Clips whose channels cancel when averaged: those reduced to one channel, and those averaged anyway."""
    for mostly, kind, what in (
        (True, "channels_cancel", "are in opposite phase; their loudest channel is used, not the average"),
        (False, "channels_cancel_in_part", "cancel in part when averaged, and are averaged"),
    ):
        clips = tuple(
            f"{clip.path}: {measured.cancellation.describe()}"
            + (f", channel {measured.cancellation.loudest + 1} is used" if mostly else "")
            for clip, measured in zip(index.clips, measures, strict=True)
            if measured.cancellation.describe() and measured.cancellation.mostly == mostly
        )
        if clips:
            yield Finding("warning", kind, f"the channels of {counted(len(clips), 'clip')} {what}", clips)


def _silent_windows(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Windows without sound, by label: what a model is taught under that label all the same."""
    there, silent = (
        {label: int(held.sum()) for label, held in by_label(index, measures, value).items()}
        for value in (lambda measured: measured.windows, lambda measured: measured.silent_windows)
    )
    if not any(silent.values()):
        return
    # A label that is silent for the most part is meant to be; one that is sometimes teaches silence as that sound.
    mixed = [label for label in there if 0 < silent[label] <= MOST_MEANT_SILENCE * there[label]]
    of_label = tuple(f"{label}: {silent[label]} of {there[label]}" for label in there if silent[label])
    yield Finding(
        "warning" if mixed else "note",
        "silent_windows",
        f"{sum(silent.values())} of {counted(sum(there.values()), 'window')} of {WINDOW_SECONDS:g} s are below "
        f"{SILENT_DBFS:g} "
        "dBFS, and are learned as what their clip is called; `earproof data trim` cuts quiet off both ends of a clip",
        of_label,
    )


def _offset(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Clips that do not swing around zero."""
    clips = tuple(
        f"{clip.path}: {signed(measured.dc, 3)}"
        for clip, measured in zip(index.clips, measures, strict=True)
        if abs(measured.dc) > MOST_DC
    )
    if clips:
        yield Finding(
            "warning",
            "dc",
            f"{counted(len(clips), 'clip has', 'clips have')} an offset above {MOST_DC:.0%} of full scale",
            clips,
        )


def _quiet(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Clips of nothing, and clips that are far quieter than the others of their label."""
    levels = by_label(index, measures, lambda measured: measured.rms_dbfs)
    usual = {label: np.median(held) for label, held in levels.items() if held.size}
    empty, quiet = [], []
    for clip, measured in zip(index.clips, measures, strict=True):
        if measured.bandwidth_hz == 0.0 and measured.peak_dbfs < to_dbfs(2.0**-15):
            empty.append(clip.path)
        elif measured.rms_dbfs < QUIET_DBFS and max((usual[label] for label in clip.labels), default=0.0) >= QUIET_DBFS:
            quiet.append(f"{clip.path}: {signed(measured.rms_dbfs, 0, plus=False)} dBFS")
    if empty:
        yield Finding(
            "warning",
            "empty",
            f"{counted(len(empty), 'clip holds', 'clips hold')} nothing at all, every sample alike",
            tuple(empty),
        )
    if quiet:
        yield Finding(
            "warning",
            "quiet",
            f"{counted(len(quiet), 'clip is', 'clips are')} below {QUIET_DBFS:.0f} dBFS while their label usually is "
            "not",
            tuple(quiet),
        )


def _rates(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """File rates that differ from label to label."""
    rates = by_label(index, measures, lambda measured: measured.sample_rate)
    told = {label: set(values.astype(int)) for label, values in rates.items() if values.size}
    listed = tuple(f"{label}: {_counted(rates[label])}" for label in told)
    apart = [
        label
        for label in told
        if len(told) > 1 and not any(told[label] & told[other] for other in told if other != label)
    ]
    if apart:
        yield Finding(
            "warning",
            "rate_by_label",
            f"the sample rate of the files tells {', '.join(apart)}; make all recordings alike, or look whether the "
            "bandwidth tells it too",
            listed,
        )
    elif len(set().union(*told.values())) > 1:
        yield Finding("note", "rates", "the files have several sample rates", listed)


def _counted(rates: np.ndarray) -> str:
    """Rates with how many files have them."""
    return ", ".join(f"{rate:.0f} Hz in {count}" for rate, count in sorted(Counter(rates.tolist()).items()))


def _bandwidth_shortcut(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Labels that end at another frequency than all others: a model learns that instead of the sound."""
    for text, low, high in _separated(by_label(index, measures, model_bandwidth), _LEAST_GAP_HZ):
        yield Finding(
            "error",
            "bandwidth_by_label",
            f"the bandwidth alone tells {text}: nothing above {low:.0f} Hz on one side, something up to {high:.0f} Hz "
            "in every clip of the other; low-pass all recordings alike, or find others",
        )


def _level_shortcut(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Labels whose level does not overlap with that of any other."""
    for text, low, high in _separated(by_label(index, measures, lambda measured: measured.rms_dbfs), _LEAST_GAP_DB):
        yield Finding(
            "warning",
            "level_by_label",
            f"the level alone tells {text}: at most {signed(low, 0, plus=False)} dBFS on one side, at least "
            f"{signed(high, 0, plus=False)} dBFS on the other",
        )


def _separated(values: dict[str, np.ndarray], least_gap: float) -> Iterable[tuple[str, float, float]]:
    """Labels all of whose clips lie below, or above, those of every other label, and the gap."""
    judged = {label: held for label, held in values.items() if held.size >= _LEAST_CLIPS}
    if len(judged) < 2:
        return
    reported = set()
    for label, held in judged.items():
        others = np.concatenate([judged[other] for other in judged if other != label])
        for low, high in ((held.max(), others.min()), (others.max(), held.min())):
            if high - low >= least_gap and (low, high) not in reported:
                reported.add((low, high))
                yield label if len(judged) > 2 else " from ".join(judged), float(low), float(high)


def _imbalance(index: ClipIndex, measures: Measures) -> Iterable[Finding]:
    """Labels with far less sound than others."""
    seconds = {label: held.sum() for label, held in by_label(index, measures, lambda m: m.seconds).items() if held.size}
    least, most = min(seconds, key=seconds.__getitem__), max(seconds, key=seconds.__getitem__)
    if seconds[most] > MOST_IMBALANCE * seconds[least]:
        yield Finding(
            "warning",
            "imbalance",
            f"{most} has {seconds[most]:.0f} s, {least} only {seconds[least]:.0f} s; training draws labels equally "
            "often, so that the few recordings come again and again",
        )


def _lengths(measures: Measures) -> Iterable[Finding]:
    """Clips of different lengths."""
    seconds = np.array([measured.seconds for measured in measures])
    if seconds.max() > 1.01 * seconds.min():
        yield Finding(
            "note",
            "lengths",
            f"clips last {seconds.min():.2f} to {seconds.max():.2f} s, the median {np.median(seconds):.2f} s",
        )
