"""What the user says about a model file, which counts more than what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata.spec import FrontEnd


@dataclass(frozen=True, kw_only=True)
class SaidFields:
    """Each field is None or empty where nothing is said.

    Attributes
    ----------
    name, version, description : str or None
    labels : sequence of str or None
        In output order.
    sample_rate, window_length : int or None
        Hz, samples.
    activation : str or None
    front_end : WaveformFrontEnd, StftFrontEnd, MelFrontEnd or None
    default_name, default_version : str
        Where neither the user nor the file names any.
    source : str
        Name of the file that a new one is made of, to be written into it.
    faults : tuple of str
        What is wrong with what is said.
    insists : bool
        The user describes the file himself: of what is merely odd he is told.
    """

    name: str | None = None
    version: str | None = None
    description: str | None = None
    labels: Sequence[str] | None = None
    sample_rate: int | None = None
    window_length: int | None = None
    activation: str | None = None
    front_end: FrontEnd | None = None
    default_name: str = "unnamed model"
    default_version: str = "unknown"
    source: str = ""
    faults: tuple[str, ...] = ()
    insists: bool = False
