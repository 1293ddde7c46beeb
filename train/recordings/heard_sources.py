"""What training hears otherwise than it is stored: of another rate, of several channels, in opposite phase."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge_runtime.source_counts import describe_sources
from metadata.plural import counted
from train.recordings.decoded_blocks import AudioError, DecodedBlocks

MOST_SCANNED_SECONDS = 3600.0  # of sound of several channels, whose phase is looked at once more to tell of it
_MOST_NAMED = 3  # files in a note


def describe_heard(paths: Iterable[Path], sample_rate: int) -> list[str]:
    """Return what to tell of recordings that a model hears at `sample_rate`, one line a fact, if anything.

    The rates and channels are those of the headers. Which recordings cancel when averaged takes a reading of them: of
    an hour in all it is done, of more `earshot data check` says it.
    """
    sources, several, seconds = [], [], 0.0
    for path in paths:
        try:
            with DecodedBlocks(path) as recording:
                sources.append((recording.sample_rate, recording.num_channels))
                if recording.num_channels > 1:
                    several.append(path)
                    seconds += recording.num_samples / recording.sample_rate
        except (AudioError, FileNotFoundError):  # left out with its reason by whoever decodes it
            continue
    told = [describe_sources(sources, sample_rate)] if sources else []
    if several and seconds > MOST_SCANNED_SECONDS:
        told.append(
            f"{counted(len(several), 'recording')} of several channels last {seconds / 3600:.1f} h; where their "
            "channels cancel, "
            "the loudest is heard: earshot data check says in which"
        )
    elif several:
        told += _describe_cancelled(several)
    return [text for text in told if text]


def _describe_cancelled(paths: list[Path]) -> list[str]:
    """Name the recordings whose channels cancel."""
    mostly, partly = [], []
    for path in paths:
        try:
            with DecodedBlocks(path) as recording:
                measured = recording.cancellation()
        except AudioError:
            continue
        if measured.describe():
            text = f"{path} (channel {measured.loudest + 1})" if measured.mostly else str(path)
            (mostly if measured.mostly else partly).append(text)
    lines = []
    for names, what in (
        (mostly, "channels that cancel when averaged, so that the loudest is heard"),
        (partly, "channels that cancel in part, and are averaged all the same"),
    ):
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            count = counted(len(names), "recording has", "recordings have")
            lines.append(f"{count} {what}: {', '.join(names[:_MOST_NAMED])}{more}")
    return lines
