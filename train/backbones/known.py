"""Public backbones that are known here: where their files lie, how they are told from others, who made them."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LOG_OFFSET = 1e-3  # of the published YAMNet


@dataclass(frozen=True)
class KnownBackbone:
    """A file that anybody can fetch.

    Attributes
    ----------
    name : str
        What it is called here.
    address : str
        Of one state of a public repository, so that it stays the same.
    num_bytes : int
    sha256 : str
    licence, source : str
    log_offset : float
        What its training added to mel magnitudes before the logarithm.
    help : str
    """

    name: str
    address: str
    num_bytes: int
    sha256: str
    licence: str
    source: str
    log_offset: float
    help: str

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return self.address.rsplit("/", 1)[-1]


_ST = "https://github.com/STMicroelectronics/stm32ai-modelzoo-services/raw/46924c0a8b7617672c12895fa76b0ee202738355"
_SUPPORT = "https://github.com/tensorflow/tflite-support/raw/dd3362ea685bb7ab1f7268c81ec567d3b720ae57"

KNOWN = (
    KnownBackbone(
        name="yamnet_256",
        address=f"{_ST}/audio_event_detection/src/models/yamnet/yamnet_256_f32.h5",
        num_bytes=610_472,
        sha256="dfa6066b3f3bece880e9813b05cffb6a8328fe3da832f62401ce553dd380d2b3",
        licence="Apache-2.0",
        source="STMicroelectronics/stm32ai-modelzoo-services 46924c0: YAMNet of Google LLC, slimmed; the data it was "
        "slimmed with are not said",
        log_offset=1e-4,
        help="small: 135,104 parameters, 256 features",
    ),
    KnownBackbone(
        name="yamnet_1024",
        address=f"{_SUPPORT}/tensorflow_lite_support/cc/test/testdata/task/audio/"
        "yamnet_audio_classifier_with_metadata.tflite",
        num_bytes=4_126_810,
        sha256="10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
        licence="Apache-2.0",
        source="tensorflow/tflite-support dd3362e: YAMNet of Google LLC, trained on AudioSet, weights of 8 bits",
        log_offset=DEFAULT_LOG_OFFSET,
        help="the published network: 3.2 million parameters, 1024 features",
    ),
)


def known_by_digest(sha256: str) -> KnownBackbone | None:
    """Return the known backbone with this digest, None where there is none."""
    return next((one for one in KNOWN if one.sha256 == sha256), None)


def known_by_size(num_bytes: int) -> KnownBackbone | None:
    """Return the known backbone of this many bytes, None where there is none."""
    return next((one for one in KNOWN if one.num_bytes == num_bytes), None)


def known_by_name(name: str) -> KnownBackbone | None:
    """Return the known backbone of this name, None where there is none."""
    return next((one for one in KNOWN if one.name == name), None)
