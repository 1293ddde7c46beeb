"""One recording, any format and rate, as the waveform a model hears: float32, mono, at the asked sample rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
RESAMPLE_QUALITY = "HQ"  # soxr's quality name


class AudioError(ValueError):
    """A recording that cannot be used; the text names the file and the reason."""


def decode(path: str | Path, sample_rate: int) -> np.ndarray:
    """Read a recording as one channel at `sample_rate`.

    Parameters
    ----------
    path : str or Path
        WAV, FLAC, OGG or MP3, any rate and channel count.
    sample_rate : int
        Hz of the returned waveform.

    Returns
    -------
    np.ndarray
        float32 (n_samples,), channels averaged; integers are scaled as libsndfile does (int16 by 1/32768).

    Raises
    ------
    AudioError
        The file is empty, cannot be decoded, is cut off, has no samples, or holds NaN or infinite samples.
    """
    samples, file_rate = read_file(path)
    return to_waveform(samples, file_rate, sample_rate)


def read_file(path: str | Path) -> tuple[np.ndarray, int]:
    """Return the samples as stored, float32 (n_samples, n_channels), and the file's rate in Hz."""
    import soundfile

    path = Path(path)
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes)")
    refuse_cut_off(path)
    try:
        with soundfile.SoundFile(str(path)) as file:
            promised, file_rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"{path} cannot be decoded ({error}); expected WAV, FLAC, OGG or MP3 audio") from error
    if len(samples) < promised:
        raise AudioError(f"{path} is cut off: {len(samples)} of {promised} samples can be read; copy it again")
    if samples.size == 0:
        raise AudioError(f"{path} has no samples")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path} holds NaN or infinite samples; export it again")
    return samples, file_rate


def duration(path: str | Path) -> float:
    """Return the length in seconds that a recording's header tells, without decoding it; raises AudioError."""
    return float(_header(path).duration)


def stored_rate(path: str | Path) -> int:
    """Return the rate in Hz that a recording's header tells, without decoding it; raises AudioError."""
    return int(_header(path).samplerate)


def _header(path: str | Path) -> Any:
    """What soundfile reads of a recording without decoding it."""
    import soundfile

    path = Path(path)
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is empty (0 bytes)")
    try:
        return soundfile.info(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"{path} cannot be decoded ({error}); expected WAV, FLAC, OGG or MP3 audio") from error


def to_waveform(samples: np.ndarray, file_rate: int, sample_rate: int) -> np.ndarray:
    """Average the channels and resample with soxr, float32 (n_samples,)."""
    mono = samples.mean(axis=1, dtype=np.float32)
    if file_rate != sample_rate:
        import soxr

        mono = soxr.resample(mono, file_rate, sample_rate, quality=RESAMPLE_QUALITY)
    if mono.size == 0:
        raise AudioError(f"nothing is left of {len(samples)} samples at {file_rate} Hz after resampling")
    return np.ascontiguousarray(mono, dtype=np.float32)


def refuse_cut_off(path: Path) -> None:
    """Refuse a WAV shorter than its header says and an Ogg without its last page: libsndfile reads both quietly."""
    with path.open("rb") as file:
        head = file.read(12)
        size = path.stat().st_size
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            promised = _wav_data_end(file)
            if promised > size:
                raise AudioError(f"{path} is cut off: {size} of {promised} bytes are there; copy it again")
        elif head[:4] == b"OggS":
            file.seek(max(0, size - 65_536))  # an Ogg page is smaller than this
            tail = file.read()
            last = tail.rfind(b"OggS")
            if last < 0 or not _is_whole_last_page(tail[last:]):
                raise AudioError(f"{path} is cut off: its last page is missing; copy it again")


def _is_whole_last_page(page: bytes) -> bool:
    """Whether an Ogg page is complete and marked as the last one of its stream."""
    header = 27  # bytes, then one length a segment
    if len(page) < header or len(page) < header + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= header + page[26] + sum(page[header : header + page[26]])


def _wav_data_end(file) -> int:
    """Offset at which the data chunk of a WAV ends according to its header, 0 where it gives none."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":
            # 0 and 0xFFFFFFFF come from programs that write to a pipe and never learn the length
            return 0 if size in (0, 0xFFFFFFFF) else file.tell() + size
        file.seek(size + size % 2, 1)
    return 0
