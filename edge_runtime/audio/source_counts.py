"""How many recordings differ from a model's input: of another rate, or of several channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from metadata.plural import counted


def describe_sources(sources: Iterable[tuple[int, int]], sample_rate: int) -> str:
    """Return in one line what was resampled and made one channel; empty where nothing was.

    Parameters
    ----------
    sources : iterable of (int, int)
        Rate in Hz and channels of each recording.
    sample_rate : int
        Hz that they are resampled to.
    """
    sources = list(sources)
    rates = Counter(rate for rate, _ in sources if rate != sample_rate)
    channels = Counter(count for _, count in sources if count > 1)
    parts = []
    if rates:
        parts.append(f"{rates.total()} resampled to {sample_rate} Hz ({_listed(rates, '{} Hz')})")
    if channels:
        parts.append(f"{channels.total()} of several channels made one ({_listed(channels, '{} channels')})")
    return f"of {counted(len(sources), 'recording')}: {'; '.join(parts)}" if parts else ""


def _listed(counts: Counter[int], text: str) -> str:
    """Return values with how many recordings have them."""
    return ", ".join(f"{text.format(value)}: {count}" for value, count in sorted(counts.items()))
