"""What the rule for the end of a clip leaves out: the samples after its last whole window."""

from __future__ import annotations

from edge_runtime.audio.windows import window_starts
from metadata.plural import counted
from train.recordings.store.clip_store import LoadedClips


def unheard_samples(num_samples: int, window_length: int, window_hop: int, tail: str) -> int:
    """Return how many samples at the end of a clip are in no window; arguments as for `window_starts`."""
    last = int(window_starts(num_samples, window_length, window_hop, tail)[-1])
    return max(0, num_samples - last - window_length)


def describe_unheard(
    clips: LoadedClips, split: str, what: str, sample_rate: int, window_length: int, window_hop: int, tail: str
) -> str:
    """Return in words how much of the sound of one side is not used; empty where all of it is.

    Parameters
    ----------
    clips : LoadedClips
    split : str
        train, val or test.
    what : str
        What leaves it out, such as "validation".
    sample_rate : int
        Hz.
    window_length, window_hop, tail
        As for `window_starts`; a hop of 0 is the window length.
    """
    hop = window_hop or window_length
    lengths = [len(clips.waveforms[place]) for place in clips.places(split)]
    unheard = [unheard_samples(length, window_length, hop, tail) for length in lengths]
    if not any(unheard):
        return ""
    return (
        f"{what} leaves out the last stretch of {sum(map(bool, unheard))} of {counted(len(lengths), 'clip')}, which "
        "is shorter "
        f"than a window: {sum(unheard) / sample_rate:.1f} s, {sum(unheard) / sum(lengths):.1%} of its sound"
    )
