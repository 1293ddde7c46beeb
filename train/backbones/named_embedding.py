"""A backbone of any network, whose embedding is a layer or tensor that the user names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata import MelFrontEnd, WaveformFrontEnd
from train.backbones.backbone import Backbone
from train.backbones.patch_input import PatchInput, check_rate


@dataclass(frozen=True)
class Asked:
    """What the user says of a file.

    Attributes
    ----------
    embedding : str, optional
        A layer or a tensor.
    sample_rate : int, optional
        Hz.
    front_end : Path, optional
        A JSON file.
    log_offset : float, optional
        Of a YAMNet.
    """

    embedding: str | None = None
    sample_rate: int | None = None
    front_end: Path | None = None
    log_offset: float | None = None

    def check_named(self) -> None:
        """Refuse what belongs to YAMNet alone."""
        if self.log_offset is not None:
            raise ValueError("--log-offset belongs to YAMNet; put log_floor into the JSON of --front-end")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a kind of backbone read in a file.

    Attributes
    ----------
    content : bytes
        Of the file that is kept.
    suffix : str
    fields : dict
        Those that its kind has beside the ones of all backbones; `num_features` among them.
    licence, source : str
        As the file says, empty where it does not.
    notes : tuple of str
        Sentences for people.
    """

    content: bytes
    suffix: str
    fields: dict[str, Any]
    licence: str = ""
    source: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class NamedEmbedding(Backbone):
    """A network with a layer or tensor that is its embedding.

    Attributes
    ----------
    layer : str
        The name.
    takes : PatchInput
    """

    layer: str
    takes: PatchInput

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.takes.sample_rate

    @property
    def front_end(self) -> MelFrontEnd | WaveformFrontEnd:
        """What is made of samples before the network sees them."""
        return self.takes.front_end

    @property
    def patch_length(self) -> int:
        """Samples in one patch."""
        return self.takes.patch_length

    @property
    def embedding(self) -> str:
        """The layer or tensor."""
        return self.layer

    @property
    def log_is_inside(self) -> bool:
        """Whether the network takes the logarithm itself."""
        return self.takes.log_is_inside

    @abstractmethod
    def network(self) -> Any:
        """Return the network with its weights, from patches to embeddings."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Backbone:
        """Return what JSON kept."""
        return cls(**{**values, "takes": PatchInput.from_dict(values["takes"])})


def known_rate(said: int | None, stated: int | None) -> int:
    """Return the sample rate that the user says, or that the file states.

    Raises
    ------
    ValueError
        Neither does, they differ, or it is no rate.
    """
    rate = stated if said is None else said
    if rate is None:
        raise ValueError("the file does not say its sample rate; say it: --sample-rate HZ")
    if stated is not None and stated != rate:
        raise ValueError(f"the sample rate is stated as {stated} Hz, and --sample-rate says {rate} Hz; leave one out")
    return check_rate(rate, "the recordings")
