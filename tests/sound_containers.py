"""Sound files of containers that no library here writes, as far as their headers go."""

import struct

import numpy as np


def element(number, content, known=True):
    """One element of Matroska; without a known length as programs write it that record live."""
    length = struct.pack(">Q", 1 << 56 | len(content)) if known else b"\x01" + b"\xff" * 7
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + length + content


def matroska(codec, rate, known=True):
    """A film with one sound track behind its picture, and a block in which MP3 frames seem to begin."""
    picture = element(0xAE, element(0x83, b"\x01") + element(0x86, b"V_VP8"))
    said = b"" if rate is None else element(0xB5, struct.pack(">d", rate))
    audio = element(0xE1, said + element(0x9F, b"\x01"))
    sound = element(0xAE, element(0x83, b"\x02") + element(0x86, codec) + audio)
    cluster = element(0x1F43B675, element(0xE7, b"\0") + element(0xA3, mp3_like()), known)
    return element(0x1A45DFA3, element(0x4282, b"webm")) + element(
        0x18538067, element(0x1654AE6B, picture + sound) + cluster, known
    )


def box(name, content):
    """One box of MP4."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def mp4(rate):
    """A film whose first track is a picture; the name of the sound's codec stands before its description too."""
    entry = box(b"mp4a", bytes(16) + struct.pack(">HHI", 1, 16, 0) + struct.pack(">I", rate << 16))
    tracks = [_track(b"vide", box(b"avc1", bytes(78))), _track(b"soun", entry)]
    return box(b"ftyp", b"isommp4a") + box(b"moov", b"".join(tracks)) + box(b"mdat", mp3_like())


def _track(handler, entry):
    described = box(b"stsd", bytes(4) + struct.pack(">I", 1) + entry)
    media = box(b"hdlr", bytes(8) + handler + bytes(13)) + box(b"minf", box(b"stbl", described))
    return box(b"trak", box(b"mdia", media))


def adts(rate_place, count=4):
    """AAC frames of silence."""
    length = 107
    head = bytes((0xFF, 0xF1, 0x40 | rate_place << 2, length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
    return (head + bytes(length - 7)) * count


def mp3_like():
    """Bytes among which one frame of MP3 seems to begin, at 48 kHz."""
    noise = np.random.default_rng(0).integers(0, 200, 4_000).astype(np.uint8).tobytes()
    return noise[:100] + bytes((0xFF, 0xFB, 0x94, 0x00)) + noise
