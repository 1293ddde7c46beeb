"""A YAMNet or its first blocks as a backbone, read by the names and shapes of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from metadata import MelFrontEnd
from train.backbones.backbone import Backbone
from train.backbones.h5_weights import read_h5
from train.backbones.known import DEFAULT_LOG_OFFSET
from train.backbones.named_embedding import Asked, Found
from train.backbones.tflite_weights import read_tflite
from train.backbones.yamnet import (
    BLOCKS,
    NUM_MELS,
    PATCH_FRAMES,
    PATCH_SAMPLES,
    SAMPLE_RATE,
    YamnetWeights,
    check_weights,
    embed_patches,
    front_end,
    give_weights,
)

_READERS = {".h5": read_h5, ".hdf5": read_h5, ".tflite": read_tflite}


@dataclass(frozen=True, kw_only=True)
class YamnetBackbone(Backbone):
    """A YAMNet; `log_offset` is added to mel magnitudes before the logarithm."""

    kind: ClassVar[str] = "yamnet"
    log_offset: float = DEFAULT_LOG_OFFSET

    def __post_init__(self) -> None:
        if not self.log_offset > 0:
            raise ValueError(f"the offset of the logarithm is {self.log_offset}; expected a value above 0")

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return SAMPLE_RATE

    @property
    def front_end(self) -> MelFrontEnd:
        """The log mel of YAMNet."""
        return front_end(self.log_offset)

    @property
    def patch_length(self) -> int:
        """Samples in one patch."""
        return PATCH_SAMPLES

    @property
    def embedding(self) -> str:
        """The mean over the last map."""
        return "embedding"

    @property
    def takes_roots(self) -> bool:
        """Whether the head is given square roots: on ESC-10 1.6 points more windows of inner folds are right."""
        return True

    @property
    def described(self) -> str:
        """What it takes and gives, in one line."""
        return f"{super().described}, log offset {self.log_offset:g} (--log-offset)"

    def weights(self) -> YamnetWeights:
        """Read the weights; errors as of `network`."""
        self.content()
        return read_weights(self.path)

    def network(self) -> Any:
        """Return the network with its weights, from patches to embeddings."""
        import keras

        weights = self.weights()
        patches = keras.Input((PATCH_FRAMES, NUM_MELS, 1), name="patch")
        network = keras.Model(patches, embed_patches(patches, weights), name=self.name)
        give_weights(network, weights)
        return network

    @classmethod
    def may_read(cls, path: Path, asked: Asked) -> bool:
        """Whether a file could be of this kind: only others have an embedding to name."""
        return not path.is_dir() and path.suffix.lower() in _READERS and asked.embedding is None

    @classmethod
    def read(cls, path: Path, asked: Asked) -> Found:
        """Return what a file holds; errors as of `read_weights`."""
        weights = read_weights(path)
        if asked.front_end is not None or asked.sample_rate not in (None, SAMPLE_RATE):
            raise ValueError(
                f"{path} is a YAMNet, with a front end of its own at {SAMPLE_RATE} Hz; leave --front-end and "
                "--sample-rate out"
            )
        fields = {
            "log_offset": DEFAULT_LOG_OFFSET if asked.log_offset is None else asked.log_offset,
            "num_features": BLOCKS[weights.num_blocks - 1][1],
        }
        return Found(content=path.read_bytes(), suffix=path.suffix.lower(), fields=fields)


def read_weights(path: str | Path) -> YamnetWeights:
    """Read the weights of a backbone file and check their shapes.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Another kind of file, a damaged one, or another network.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; expected a backbone, .h5, .keras or .tflite")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ValueError(f"{path} ends in {path.suffix or 'nothing'}; expected a backbone as .h5, .keras or .tflite")
    weights = read(path)
    check_weights(weights, str(path))
    return weights
