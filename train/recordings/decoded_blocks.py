"""A recording of any format, decoded block by block, so that its length costs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from train.recordings.decode import AudioError, refuse_cut_off

BLOCK_LENGTH = 65_536  # samples of a channel decoded at once
_LONGEST = 2**48  # samples; libsndfile gives 2 ** 63 - 1 where the header holds no length


class DecodedBlocks:
    """An open WAV, FLAC, OGG or MP3 file; a context manager with the interface of `edge_runtime`'s `WavFile`.

    Attributes
    ----------
    sample_rate : int
        Hz, of the file.
    num_samples : int
        Per channel.

    Raises
    ------
    FileNotFoundError
        No such file.
    AudioError
        The file is empty, cannot be decoded, is cut off, has no samples, or does not say how many.
    """

    def __init__(self, path: str | Path) -> None:
        import soundfile

        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path} does not exist; expected a sound file")
        if self.path.stat().st_size == 0:
            raise AudioError(f"{self.path} is empty (0 bytes)")
        refuse_cut_off(self.path)
        try:
            self._file = _forward_file(self.path)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise self._undecodable(error) from error
        self.sample_rate, self.num_samples = self._file.samplerate, self._file.frames
        if not 0 < self.num_samples < _LONGEST:
            self._file.close()
            raise AudioError(f"{self.path} has no samples, or does not say how many; convert it to 16-bit PCM WAV")

    def __enter__(self) -> DecodedBlocks:
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def blocks(self, block_length: int = BLOCK_LENGTH) -> Iterator[np.ndarray]:
        """Yield the file from its beginning as mono float32 blocks, channels averaged as `WavFile` averages them.

        Raises
        ------
        AudioError
            The file is cut off, damaged, or holds NaN or infinity.
        """
        import soundfile

        self._file.seek(0)
        for first in range(0, self.num_samples, block_length):
            count = min(block_length, self.num_samples - first)
            try:
                samples = self._file.read(count, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise self._undecodable(error) from error
            if len(samples) < count:
                read = first + len(samples)
                raise AudioError(f"{self.path} is cut off: {read} of {self.num_samples} samples can be read")
            if not np.isfinite(samples).all():
                raise AudioError(f"{self.path} holds NaN or infinite samples after sample {first}; export it again")
            yield samples.mean(axis=1, dtype=np.float64).astype(np.float32)

    def _undecodable(self, error: Exception) -> AudioError:
        """Return an error that names the file."""
        return AudioError(f"{self.path} cannot be decoded ({error}); expected WAV, FLAC, OGG or MP3 audio")


def _forward_file(path: Path):
    """Open a file that is only read forward.

    soundfile seeks to where it is after every read of a seekable file, and an MP3 decoder that seeks
    starts without the bits that earlier frames keep for later ones: the sound is another.
    """
    import soundfile

    class ForwardFile(soundfile.SoundFile):
        """A file that says it cannot seek."""

        def seekable(self) -> bool:
            return False

    return ForwardFile(str(path))
