"""A recording of any format, decoded block by block, so that its length costs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.sound_frames import BLOCK_LENGTH, SoundFrames
from edge_runtime.audio.sound_kinds import READABLE, SNIFFED_BYTES, recognise, refusal
from edge_runtime.audio.wav_file import WavFile, is_wav
from edge_runtime.audio.wav_format import UnknownCodecError, check_numbers, check_rate
from train.recordings.decoding.cut_off import refuse_cut_off
from train.recordings.decoding.mp3_frames import with_frame_count

_LONGEST = 2**48  # samples; libsndfile gives 2 ** 63 - 1 where the header holds no length


class AudioError(ValueError):
    """A recording that cannot be used; the text names the file and the reason."""


class DecodedBlocks(SoundFrames):
    """An open recording of any format that libsndfile decodes; a context manager.

    A WAV file is read by `edge_runtime`'s `WavFile`, the device's own reader, but for codecs that need a decoder. So
    header, lengths and channels mean the same to training and to every device.

    Attributes
    ----------
    sample_rate, num_channels, num_samples, channel, peak
        As for `SoundFrames`.

    Raises
    ------
    FileNotFoundError
        No such file.
    AudioError
        The file is empty, cannot be decoded, is cut off, has no samples, or does not say how many.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            what = "is a folder" if self.path.is_dir() else "does not exist"
            raise FileNotFoundError(f"{self.path} {what}; expected a sound file")
        self._wav: WavFile | None = None
        self._file: Any = None
        self._was_read = False
        if is_wav(self.path):
            self._wav = self._open_wav()
        source: Any = self._wav
        if self._wav is None:
            source = self._file = self._open_decoder()
        self.sample_rate = source.sample_rate if self._wav else source.samplerate
        self.num_channels = source.num_channels if self._wav else source.channels
        self.num_samples = source.num_samples if self._wav else source.frames

    def __enter__(self) -> DecodedBlocks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; also what `with` does."""
        if self._wav is not None:
            self._wav.__exit__(None, None, None)
        if self._file is not None:
            self._file.close()

    def frames(self, block_length: int = BLOCK_LENGTH) -> Iterator[np.ndarray]:
        """Yield the file from its beginning; see `SoundFrames.frames`.

        Raises
        ------
        AudioError
            The file is cut off, damaged, or holds NaN or infinity.
        """
        if self._wav is None:
            yield from self._decoded(block_length)
            return
        try:
            yield from self._wav.frames(block_length)
        except ValueError as error:
            raise AudioError(str(error)) from error

    def fault(self, text: str) -> AudioError:
        """Return an error that names the file."""
        return AudioError(f"{self.path} {text}")

    def _open_wav(self) -> WavFile | None:
        """Open a WAV file by our own reader; None where its codec needs libsndfile."""
        try:
            return WavFile(self.path)
        except UnknownCodecError:
            return None
        except ValueError as error:
            raise AudioError(str(error)) from error

    def _open_decoder(self) -> Any:
        """Open the file by libsndfile, after a look at what it is."""
        import soundfile

        with self.path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
        kind = recognise(head, is_file=True)
        if not head or (kind is not None and kind.what not in ("wav", "decoded")):
            raise self.fault(refusal(kind, head))
        try:
            refuse_cut_off(self.path)
            decoder = _forward_file(self.path)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise self._undecodable(error) from error
        except ValueError as error:
            raise self.fault(str(error)) from error
        try:
            self._check(decoder, head)
        except ValueError:
            decoder.close()
            raise
        return decoder

    def _check(self, decoder: Any, head: bytes) -> None:
        """Refuse what libsndfile opens and is no recording."""
        if decoder.format == "RAW":  # it takes what it does not know for raw samples, by the suffix alone
            raise self.fault(refusal(None, head))
        try:
            check_rate(decoder.samplerate)
        except ValueError as error:
            raise self.fault(str(error)) from error
        if decoder.frames == 0:
            raise self.fault("holds no samples")
        if not 0 < decoder.frames < _LONGEST:
            raise self.fault("does not say how many samples it holds; convert it to 16-bit PCM WAV")

    def _decoded(self, block_length: int) -> Iterator[np.ndarray]:
        """Yield what libsndfile decodes."""
        import soundfile

        if self._was_read:  # opened again, as not every codec can go back
            self._file.close()
            self._file = _forward_file(self.path)
        self._was_read = True
        for first in range(0, self.num_samples, block_length):
            count = min(block_length, self.num_samples - first)
            try:
                samples = self._file.read(count, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise self._undecodable(error) from error
            if len(samples) < count:
                raise self.fault(
                    f"is truncated: {first + len(samples)} of {self.num_samples} samples can be read; "
                    "was the recording or the copy interrupted? Copy it again"
                )
            try:
                yield check_numbers(samples, first)
            except ValueError as error:
                raise self.fault(str(error)) from error

    def _undecodable(self, error: Exception) -> AudioError:
        """Return an error that names the file and what would be read."""
        return self.fault(f"cannot be decoded ({error}); expected {READABLE}")


def _forward_file(path: Path) -> Any:
    """Open a file that is only read forward.

    soundfile seeks to where it is after every read of a seekable file, and an MP3 decoder that seeks
    starts without the bits that earlier frames keep for later ones: the sound is another.
    """
    import soundfile

    class ForwardFile(soundfile.SoundFile):
        """A file that says it cannot seek."""

        def seekable(self) -> bool:
            return False

    found = ForwardFile(str(path))
    counted = with_frame_count(path, found.frames) if found.format == "MP3" else None
    if counted is None:
        return found
    found.close()
    return ForwardFile(counted)
