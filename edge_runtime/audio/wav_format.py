"""What a WAV file says about its samples, and the samples: the part that needs no file.

Notes
-----
Microsoft's "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE), the RIFF rule that an odd
chunk is followed by one padding byte, and EBU Tech 3306 (RF64) and ITU-R BS.2088 (BW64), whose chunk ds64
holds the lengths that 32 bits cannot. PCM 8, 16, 24, 32 bit, float 32, 64, and A-law and mu-law (ITU-T G.711).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.sound_kinds import READABLE, WAV_KINDS, recognise, refusal
from metadata.plural import counted

FloatArray = npt.NDArray[np.float32]
UNKNOWN_LENGTH = 0xFFFFFFFF  # a 32-bit length that stands elsewhere (RF64) or was never filled in (a pipe)
LOWEST_RATE, HIGHEST_RATE = 100, 2_000_000  # Hz; outside, a header is damaged or the file is no sound
HIGHEST_SAMPLE = 1e10  # 32-bit integers saved as float are below; what is above would overflow later, in a square
# What programs write into the header of a stream whose length they do not know: sox 0x7FFFF000, arecord 0x7FFFFFFF
# or 0x80000000, each less or more the header; ffmpeg 0xFFFFFFFF. No file is taken for one that holds so many bytes.
_PLACEHOLDERS = ((0x7FFF0000, 0x80010000), (0xFFFF0000, 0x100000000))
_CHUNKS_AFTER_SAMPLES = frozenset(
    (
        *(b"LIST", b"id3 ", b"ID3 ", b"fact", b"cue ", b"smpl", b"inst", b"bext", b"iXML", b"PEAK"),
        *(b"JUNK", b"PAD ", b"DISP", b"_PMX", b"afsp", b"plst", b"cart", b"acid", b"FLLR", b"levl"),
    )
)
_LISTS = (b"INFO", b"adtl")  # what a LIST chunk behind the samples holds
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_ENCODINGS = {  # (tag, bits)
    *((_PCM, bits) for bits in (8, 16, 24, 32)),
    *((_FLOAT, bits) for bits in (32, 64)),
    *((law, 8) for law in (_A_LAW, _MU_LAW)),
}
_CODEC_NAMES = {
    _PCM: "PCM",
    0x0002: "Microsoft ADPCM",
    _FLOAT: "float",
    _A_LAW: "A-law",
    _MU_LAW: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0040: "G.721 ADPCM",
    0x0050: "MPEG",
    0x0055: "MP3",
    0x0161: "Windows Media Audio",
    _EXTENSIBLE: "WAVE_FORMAT_EXTENSIBLE without a known subtype",
}
# The last 14 bytes of KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT; the first two are the format tag.
_SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_LONGEST_CHUNK_READ = 40  # bytes of a fmt or ds64 chunk that are looked at


class UnknownCodecError(ValueError):
    """A WAV file whose samples are packed in a way that needs a decoder."""


@dataclass(frozen=True)
class WavFormat:
    """What the fmt chunk says."""

    tag: int  # 1 integer PCM, 3 IEEE float, 6 A-law, 7 mu-law; others need a decoder
    num_channels: int
    sample_rate: int  # Hz
    bits: int  # of one sample in the file
    block_bytes: int  # of one sample of every channel, as the header says

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel, of the encodings that are read here."""
        return self.num_channels * self.bits // 8


@dataclass(frozen=True)
class WavHeader:
    """Everything before the samples; `data_bytes` is None where the writer never filled it in."""

    kind: bytes  # one of WAV_KINDS
    format: WavFormat
    data_start: int  # bytes from the beginning
    data_bytes: int | None


def read_header(read: Callable[[int], bytes], skip: Callable[[int], object]) -> WavHeader:
    """Read a WAV file from its beginning up to its samples.

    Parameters
    ----------
    read : callable
        Returns so many bytes, fewer at the end of the file.
    skip : callable
        Goes on by so many bytes.

    Raises
    ------
    ValueError
        Not a WAV file, or a broken chunk; the text has no file name in it.
    """
    head = read(12)
    if head[:4] not in WAV_KINDS or head[8:12] != b"WAVE":
        raise ValueError(not_a_wav(head))
    wav_format, long_data, position = None, None, 12
    while len(chunk := read(8)) == 8:
        name, length = struct.unpack("<4sI", chunk)
        position += 8
        if name == b"data":
            if wav_format is None:
                raise ValueError("has a data chunk before any fmt chunk; the file is damaged")
            return WavHeader(head[:4], wav_format, position, long_data if length == UNKNOWN_LENGTH else length)
        content = read(min(length, _LONGEST_CHUNK_READ)) if name in (b"fmt ", b"ds64") else b""
        if name == b"fmt ":
            wav_format = _parse_format(content)
        elif name == b"ds64":
            long_data = _parse_ds64(content)
        length += length % 2  # an odd chunk has one padding byte that its length leaves out
        skip(length - len(content))
        position += length
    raise ValueError(
        f"has no {'data' if wav_format else 'fmt'} chunk in its {position} bytes; it is truncated or damaged"
    )


def check_codec(wav_format: WavFormat) -> None:
    """Refuse what `decode` cannot read.

    Raises
    ------
    UnknownCodecError
        Another codec; the text has no file name in it.
    ValueError
        Frames of another size than channels and bits make.
    """
    if (wav_format.tag, wav_format.bits) not in _ENCODINGS:
        codec = _CODEC_NAMES.get(wav_format.tag, "unknown codec")
        raise UnknownCodecError(
            f"has format tag 0x{wav_format.tag:04X} ({codec}) with {wav_format.bits} bits; expected PCM of 8, 16, "
            "24 or 32 bits, float of 32 or 64, A-law or mu-law; convert it to 16-bit PCM (ffmpeg -i FILE -c:a "
            "pcm_s16le NEW.wav), or install what decodes it: ./setup.sh in earproof's repository"
        )
    if wav_format.block_bytes != wav_format.frame_bytes:
        raise ValueError(
            f"has {counted(wav_format.num_channels, 'channel')} of {wav_format.bits} bits in frames of "
            f"{wav_format.block_bytes} "
            f"bytes; expected {wav_format.frame_bytes} bytes a frame"
        )


def is_placeholder(length: int) -> bool:
    """Return whether a 32-bit length is one that programs write which do not know how long a stream will be."""
    return any(first <= length < end for first, end in _PLACEHOLDERS)


def begins_chunk(head: bytes) -> bool:
    """Return whether these bytes, behind a data chunk that says 0, are another chunk and not the samples."""
    return head[:4] in _CHUNKS_AFTER_SAMPLES


def count_sample_bytes(header: WavHeader, held: int, head: bytes, tail: bytes) -> int:
    """Return how many bytes of a file are samples.

    Parameters
    ----------
    header : WavHeader
    held : int
        Bytes that follow the header.
    head, tail : bytes
        The first of them, four at least, and the last ones, a mebibyte or all.

    Raises
    ------
    ValueError
        Fewer bytes follow than the header promises; the text has no file name in it.
    """
    length = header.data_bytes
    if length == 0 and held and not begins_chunk(head):
        length = None  # never filled in
    if length is not None and length > held and header.kind == b"RIFF" and is_placeholder(length):
        length = None
    if length is None:
        list_chunk = find_list_chunk(tail)
        return held if list_chunk is None else held - len(tail) + list_chunk
    if length > held:
        raise ValueError(
            f"is truncated: its data chunk should have {length} bytes and {held} are there; "
            "was the recording or the copy interrupted? Copy it again"
        )
    return length


def find_list_chunk(content: bytes) -> int | None:
    """Return where a LIST chunk begins behind samples of unknown length; None where there is none."""
    place = content.find(b"LIST")
    while place >= 0 and content[place + 8 : place + 12] not in _LISTS:
        place = content.find(b"LIST", place + 1)
    return place if place >= 0 else None


def decode(content: bytes, wav_format: WavFormat, first: int = 0) -> FloatArray:
    """Return whole frames, float32, shape (n_samples, n_channels); integers divided by 2 ** (bits - 1).

    Raises
    ------
    ValueError
        NaN, infinity or beyond `HIGHEST_SAMPLE`; `first` is the number of the first sample, for the text.
    """
    samples = _decode(content, wav_format).reshape(-1, wav_format.num_channels)
    return check_numbers(samples, first) if wav_format.tag == _FLOAT else samples.astype(np.float32, copy=False)


def check_numbers(samples: npt.NDArray[np.floating], first: int = 0) -> FloatArray:
    """Return frames as float32 after checking that they are numbers; see `decode`."""
    good = (np.abs(samples) <= HIGHEST_SAMPLE).all(axis=1)
    if not good.all():
        place = int(np.argmin(good))
        what = (
            f"a value of {np.abs(samples[place]).max():.3g}" if np.isfinite(samples[place]).all() else "NaN or infinity"
        )
        raise ValueError(f"holds {what} at sample {first + place}; expected numbers around -1 to 1: export it again")
    return samples.astype(np.float32, copy=False)


def check_rate(sample_rate: int) -> None:
    """Refuse a sample rate, in Hz, that no sound has; the text goes on after a file's name."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(
            f"has a sample rate of {sample_rate} Hz; expected {LOWEST_RATE} to {HIGHEST_RATE}: is its header damaged?"
        )


def not_a_wav(head: bytes) -> str:
    """Say what a file is instead of a WAV file, and what to do about it; `head` are its first bytes."""
    if not head:
        return "is empty (0 bytes); expected a WAV file"
    kind = recognise(head, is_file=True)
    if kind is not None and kind.what not in ("wav", "decoded"):
        return refusal(kind, head)
    return (
        f"is {kind.name if kind and kind.what == 'decoded' else 'not a WAV file'} (it begins with {head[:4]!r}); a "
        "device reads WAV only: convert it to 16-bit PCM WAV (ffmpeg -i FILE NEW.wav), or install what decodes "
        f"{READABLE}: ./setup.sh in earproof's repository"
    )


def _parse_format(chunk: bytes) -> WavFormat:
    """Read the fmt chunk, through WAVE_FORMAT_EXTENSIBLE to the format under it."""
    if len(chunk) < 16:
        raise ValueError(f"has a fmt chunk of {len(chunk)} bytes; expected at least 16")
    tag, num_channels, sample_rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == _EXTENSIBLE and len(chunk) >= 40 and chunk[26:40] == _SUBTYPE_TAIL:
        (tag,) = struct.unpack("<H", chunk[24:26])
    if num_channels < 1:
        raise ValueError("has 0 channels; expected at least one: is its header damaged?")
    check_rate(sample_rate)
    return WavFormat(tag, num_channels, sample_rate, bits, frame_bytes)


def _parse_ds64(chunk: bytes) -> int | None:
    """Return the length of the data chunk that a ds64 chunk holds, None where it was never filled in."""
    if len(chunk) < 28:
        raise ValueError(f"has a ds64 chunk of {len(chunk)} bytes; expected at least 28")
    data_bytes: int = struct.unpack("<Q", chunk[8:16])[0]
    return data_bytes if 0 < data_bytes < 2**64 - 1 else None


def _decode(content: bytes, wav_format: WavFormat) -> npt.NDArray[np.floating]:
    """Return the samples of all channels, interleaved, float32 or float64."""
    if wav_format.tag == _FLOAT:
        return np.frombuffer(content, f"<f{wav_format.bits // 8}")
    if wav_format.tag in (_A_LAW, _MU_LAW):
        return _law_table(wav_format.tag)[np.frombuffer(content, np.uint8)]
    if wav_format.bits == 8:  # the only unsigned width
        return (np.frombuffer(content, np.uint8).astype(np.float32) - np.float32(128.0)) / np.float32(128.0)
    if wav_format.bits == 16:
        return np.frombuffer(content, "<i2").astype(np.float32) * np.float32(2.0**-15)
    if wav_format.bits == 24:
        wide = np.zeros((len(content) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1) / 2.0**31
    return np.frombuffer(content, "<i4") / 2.0**31


@lru_cache(maxsize=2)
def _law_table(tag: int) -> FloatArray:
    """Return what each byte of A-law or mu-law stands for, float32 (256,), after G.711's tables of 13 and 14 bits."""
    codes = np.arange(256)
    if tag == _A_LAW:
        codes = codes ^ 0x55
        step, mantissa, positive = codes >> 4 & 7, codes & 15, codes >= 128
        size = np.where(step == 0, 16 * mantissa + 8, (16 * mantissa + 264) << np.maximum(step - 1, 0))
    else:
        codes = ~codes & 0xFF
        step, mantissa, positive = codes >> 4 & 7, codes & 15, codes < 128
        size = ((8 * mantissa + 132) << step) - 132
    table: FloatArray = (np.where(positive, size, -size) / 32768.0).astype(np.float32)
    table.flags.writeable = False
    return table
