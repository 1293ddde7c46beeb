"""Where training audio differs from the stored audio, or from that of a microphone.

Of another rate, of several channels, in opposite phase, above full scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_runtime.audio.sound_frames import OVERSHOOT_DB
from edge_runtime.audio.source_counts import describe_sources
from metadata.plural import counted
from train.recordings.store.sound_source import SoundSource

_MOST_NAMED = 3  # files in a note
ABOVE_FULL_SCALE = (
    "samples above full scale, which train and classify use as they are and no microphone delivers; "
    "`earproof data import` and `data trim` turn them down as a whole"
)


def describe_sound_sources(sources: Sequence[tuple[Path, SoundSource]], sample_rate: int) -> list[str]:
    """Return the notes on recordings for a model at `sample_rate`, one line a fact, if any."""
    if not sources:
        return []
    rates = describe_sources([(source.sample_rate, source.num_channels) for _, source in sources], sample_rate)
    mostly: list[str] = []
    partly: list[str] = []
    loud: list[str] = []
    for path, source in sources:
        measured = source.cancellation
        if measured.describe():
            text = f"{path} (channel {measured.loudest + 1})" if measured.mostly else str(path)
            (mostly if measured.mostly else partly).append(text)
        if source.overshoot_db >= OVERSHOOT_DB:
            loud.append(f"{path} ({source.overshoot_db:.1f} dB)")
    notes = (
        rates,
        _named(mostly, "channels that cancel when averaged, so that the loudest is used"),
        _named(partly, "channels that cancel in part, and are averaged all the same"),
        _named(loud, ABOVE_FULL_SCALE),
    )
    return [text for text in notes if text]


def _named(names: Sequence[str], what: str) -> str:
    """Return how many recordings have something, and the first of them; '' for none."""
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{counted(len(names), 'recording has', 'recordings have')} {what}: {', '.join(names[:_MOST_NAMED])}{more}"
