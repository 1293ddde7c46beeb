"""What a backbone is to all who train on it, whatever its file holds."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from metadata import MelFrontEnd, WaveformFrontEnd

FOLDER_VARIABLE = "EARPROOF_BACKBONES"


@dataclass(frozen=True, kw_only=True)
class Backbone(ABC):
    """A backbone on this machine.

    Attributes
    ----------
    name : str
    file : str
        Its name in the folder.
    sha256 : str
        Of the file.
    licence, source : str
        Empty where nobody said.
    num_features : int
        Values of an embedding; 0 where an earlier version did not record it.
    """

    kind: ClassVar[str]
    name: str
    file: str
    sha256: str
    licence: str
    source: str
    num_features: int = 0

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """Hz of the recordings that it was trained on."""

    @property
    @abstractmethod
    def front_end(self) -> MelFrontEnd | WaveformFrontEnd:
        """What is made of samples before the network sees them."""

    @property
    @abstractmethod
    def patch_length(self) -> int:
        """Samples in one patch, what the network takes at once."""

    @property
    @abstractmethod
    def embedding(self) -> str:
        """The layer or tensor whose values are the embedding."""

    @property
    def log_is_inside(self) -> bool:
        """Whether the network takes the logarithm of a mel spectrogram itself."""
        return False

    @property
    def takes_roots(self) -> bool:
        """Whether the head is given square roots of the features: none is below 0, and it tells labels better."""
        return False

    @abstractmethod
    def network(self) -> Any:
        """Return the network with its weights.

        Returns
        -------
        keras.Model
            From patches, (batch, frames, bands, 1) or (batch, samples, 1), to embeddings (batch, num_features).

        Raises
        ------
        FileNotFoundError, ValueError
            The file is gone, or is another than the one that was added.
        """

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return backbone_folder() / self.file

    def content(self) -> bytes:
        """Return the bytes of the file, which are those that were added.

        Raises
        ------
        FileNotFoundError, ValueError
            The file is gone, or was changed.
        """
        if not self.path.is_file():
            raise FileNotFoundError(
                f"{self.path} is gone; add the file of {self.name} again: earproof backbone add FILE"
            )
        content = self.path.read_bytes()
        if sha256_of(content) != self.sha256:
            raise ValueError(f"{self.path} was changed since it was added; add the file of {self.name} again")
        return content

    @property
    def described(self) -> str:
        """What it takes and gives, in one line."""
        features = f"{self.num_features} features" if self.num_features else "features not recorded, add it again"
        return (
            f"{self.kind}: {features} of {self.embedding}, from {self.front_end.kind} at {self.sample_rate} Hz, "
            f"{self.patch_length / self.sample_rate:.4g} s at once"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON keeps of it."""
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Backbone:
        """Return what JSON kept."""
        return cls(**values)


def backbone_folder() -> Path:
    """Return the folder of backbones, there or not."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "earproof" / "backbones"


def sha256_of(content: bytes) -> str:
    """Return the digest of a file's content."""
    return hashlib.sha256(content).hexdigest()
