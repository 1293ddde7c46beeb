"""What a file or a stream is by its first bytes, whatever its name says, and which sound files can be read."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import NamedTuple

from edge_runtime.audio.mpeg_frame import read_mpeg_frame

AUDIO_SUFFIXES = (
    ".wav",
    ".wave",
    ".rf64",
    ".w64",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aiff",
    ".aif",
    ".aifc",
    ".caf",
    ".au",
    ".snd",
)
WAV_SUFFIXES = AUDIO_SUFFIXES[:3]  # what a device reads
READABLE = "WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF, CAF, AU or W64"  # with the train extra; a device reads WAV alone
SNIFFED_BYTES = 4096  # that `recognise` may want to look at; two frames of MP3 or AAC lie within
_LEAST_TEXT = 8  # bytes that a text has
WAV_KINDS = (b"RIFF", b"RF64", b"BW64")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_W64 = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")


class SoundKind(NamedTuple):
    """What something is.

    Attributes
    ----------
    name : str
        With its article: "a FLAC file".
    what : {"wav", "decoded", "converted", "packed", "no sound"}
        wav: read here; decoded: the train extra reads it; converted: a sound or film file that another program has to
        convert first; packed: holds files; no sound: none at all.
    """

    name: str
    what: str


_WAV = SoundKind("a WAV file", "wav")
_MAGIC: tuple[tuple[int, bytes, SoundKind], ...] = (
    (0, b"fLaC", SoundKind("a FLAC file", "decoded")),
    (28, b"OpusHead", SoundKind("an Opus file", "decoded")),
    (0, b"OggS", SoundKind("an OGG file", "decoded")),
    (0, b"ID3", SoundKind("an MP3 file", "decoded")),
    (8, b"AIFF", SoundKind("an AIFF file", "decoded")),
    (8, b"AIFC", SoundKind("an AIFF file", "decoded")),
    (0, b"caff", SoundKind("a CAF file", "decoded")),
    (0, b".snd\0\0", SoundKind("an AU file", "decoded")),
    (0, b"dns.", SoundKind("an AU file", "decoded")),
    (0, _W64, SoundKind("a W64 file", "decoded")),
    (0, b"RIFX", SoundKind("a big-endian WAV file (RIFX)", "decoded")),
    (0, _ASF, SoundKind("a WMA or ASF file", "converted")),
    (4, b"ftyp", SoundKind("an M4A or MP4 file", "converted")),
    (0, b"\x1a\x45\xdf\xa3", SoundKind("a Matroska or WebM file", "converted")),
    (0, b"#!AMR", SoundKind("an AMR file", "converted")),
    (0, b"wvpk", SoundKind("a WavPack file", "converted")),
    (0, b"MAC ", SoundKind("a Monkey's Audio file", "converted")),
    (0, b"DSD ", SoundKind("a DSF file", "converted")),
    (0, b"FLV\x01", SoundKind("a Flash video", "converted")),
    (8, b"AVI ", SoundKind("an AVI film", "converted")),
    (0, b"MThd", SoundKind("a MIDI file, notes without sound", "no sound")),
    (0, b"\x1f\x8b\x08", SoundKind("a gzip archive", "packed")),
    (0, b"PK\x03\x04", SoundKind("a ZIP archive", "packed")),
    (0, b"BZh", SoundKind("a bzip2 archive", "packed")),
    (0, b"\xfd7zXZ\0", SoundKind("an xz archive", "packed")),
    (0, b"7z\xbc\xaf\x27\x1c", SoundKind("a 7-Zip archive", "packed")),
    (0, b"Rar!\x1a\x07", SoundKind("a RAR archive", "packed")),
    (0, b"\x28\xb5\x2f\xfd", SoundKind("a Zstandard archive", "packed")),
    (257, b"ustar", SoundKind("a tar archive", "packed")),
    (0, b"%PDF-", SoundKind("a PDF document", "no sound")),
    (0, b"\x89PNG\r\n", SoundKind("a PNG picture", "no sound")),
    (0, b"\xff\xd8\xff", SoundKind("a JPEG picture", "no sound")),
    (0, b"GIF8", SoundKind("a GIF picture", "no sound")),
    (4, b"TFL3", SoundKind("a .tflite model", "no sound")),
    (0, b"\x7fELF", SoundKind("a program", "no sound")),
    (0, b"\x89HDF", SoundKind("an HDF5 file", "no sound")),
    (0, b"\x93NUMPY", SoundKind("a NumPy array", "no sound")),
)


def recognise(head: bytes, is_file: bool = False) -> SoundKind | None:
    """Return what begins with these bytes, `SNIFFED_BYTES` of them or all there are; None where nothing is known.

    Raw samples have no sign of their own, so None is all that can be said of them. In a file they do not come, so
    that there one frame of MP3 is enough to tell it.
    """
    if head[:4] in WAV_KINDS and head[8:12] == b"WAVE":
        return _WAV
    for place, magic, kind in _MAGIC:
        if head[place : place + len(magic)] == magic and (magic not in (b"AIFF", b"AIFC") or head[:4] == b"FORM"):
            return kind
    if _two_frames(head, _mpeg_frame_bytes) or (is_file and _mpeg_frame_bytes(head)):
        return SoundKind("an MP3 file", "decoded")
    if _two_frames(head, _adts_frame_bytes):
        return SoundKind("an AAC file", "converted")
    return _text_kind(head)


def refusal(kind: SoundKind | None, head: bytes) -> str:
    """Say what a file is that cannot be read, and what to do about it; the text goes on after the file's name."""
    if not head:
        return f"is empty (0 bytes); expected {READABLE}"
    if kind is None or kind.what in ("wav", "decoded"):
        what = kind.name if kind else f"no sound file that is known here (it begins with {head[:4]!r})"
        return f"is {what}; expected {READABLE}: convert it to 16-bit PCM WAV, such as: ffmpeg -i FILE NEW.wav"
    if kind.what == "converted":
        return f"is {kind.name}, which is not decoded here; convert it: ffmpeg -i FILE NEW.wav"
    if kind.what == "packed":
        return f"is {kind.name}, no sound file; unpack it first"
    return f"is {kind.name}, no sound file; was it downloaded or saved under the wrong name?"


def piped_refusal(kind: SoundKind) -> str:
    """Say why something cannot come through a pipe, and with which command it can; goes on after the pipe's name."""
    if kind.what == "no sound":
        return f"is {kind.name}, no sound; did the command before the pipe fail?"
    if kind.what == "packed":
        unpack = "gunzip -c |" if "gzip" in kind.name else "its program's own command, such as tar -xO or unzip -p"
        return f"is {kind.name}, no sound; unpack it on the way with {unpack}"
    if "MP4" in kind.name:
        return f"is {kind.name}, which cannot be read from a pipe; write instead: ffmpeg -i FILE -f wav - |"
    command = "ffmpeg -i - -f wav - | earproof listen MODEL -"
    return f"is {kind.name}; through a pipe comes WAV; convert it on the way: {command}"


def _two_frames(head: bytes, frame_bytes: Callable[[bytes], int]) -> bool:
    """Whether a frame begins here and another one where it ends; one alone may be chance, in raw samples above all."""
    length = frame_bytes(head)
    return 0 < length < len(head) and frame_bytes(head[length:]) > 0


def _mpeg_frame_bytes(head: bytes) -> int:
    """Length of the MPEG audio frame that begins here, 0 where none does."""
    frame = read_mpeg_frame(head)
    return frame.length if frame else 0


def _adts_frame_bytes(head: bytes) -> int:
    """Length of the AAC frame that begins here, 0 where none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (head[2] >> 2) & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _text_kind(head: bytes) -> SoundKind | None:
    """Tell text of several kinds by what it begins with; samples as printable as that do not occur."""
    if len(head) < _LEAST_TEXT or head[:4] in WAV_KINDS:
        return None
    coding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        # Not final: the last character may have been cut in two.
        text = codecs.getincrementaldecoder(coding)().decode(head)
    except UnicodeDecodeError:
        return None
    printable = all(character.isprintable() or character in "\r\n\t\f" for character in text)
    # Samples may look like letters of another script, two bytes each; like ASCII they do not.
    if not printable or not text.strip() or 2 * sum(character.isascii() for character in text) < len(text):
        return None
    text = text.lstrip().lower()
    if text.startswith(("<!doctype html", "<html", "<head", "<body")):
        return SoundKind("an HTML page", "no sound")
    if text.startswith("<"):
        return SoundKind("an XML document", "no sound")
    if text.startswith(("{", "[")):
        return SoundKind("a JSON document", "no sound")
    if text.startswith("version https://git-lfs"):
        return SoundKind("a Git LFS pointer, of which the sound was not fetched (git lfs pull)", "no sound")
    return SoundKind("text", "no sound")
