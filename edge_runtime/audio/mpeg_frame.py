"""The header of an MPEG audio frame, of which an MP3 file is made: ISO 11172-3 and 13818-3."""

from __future__ import annotations

from typing import NamedTuple

HEADER_BYTES = 4
KBITS = {
    # Bit rates of header values 1 to 14, by (is MPEG 1, layer).
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44_100, 48_000, 32_000)  # Hz, of MPEG 1
_FIRST, _SECOND, _LOW = 3, 2, 0  # MPEG 1, 2 and 2.5, as a header has them


class MpegFrame(NamedTuple):
    """What a header says.

    Attributes
    ----------
    is_first : bool
        MPEG 1; the others have half its rates, or a quarter.
    layer : int
        1 to 3; MP3 is 3.
    sample_rate : int
        Hz.
    is_mono : bool
    length : int
        Bytes, the header's among them.
    """

    is_first: bool
    layer: int
    sample_rate: int
    is_mono: bool
    length: int

    @property
    def num_samples(self) -> int:
        """Of each channel."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and not self.is_first else 1152

    @property
    def side_bytes(self) -> int:
        """What layer 3 has between the header and the sound."""
        return (17 if self.is_mono else 32) if self.is_first else (9 if self.is_mono else 17)


def read_mpeg_frame(head: bytes) -> MpegFrame | None:
    """Return the frame that begins with these bytes; None where none does."""
    if len(head) < HEADER_BYTES or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    kbits, rate = head[2] >> 4, (head[2] >> 2) & 3
    if version == 1 or layer == 4 or not 0 < kbits < 15 or rate == 3:
        return None
    is_first = version == _FIRST
    hertz = _RATES[rate] // {_FIRST: 1, _SECOND: 2, _LOW: 4}[version]
    bits, padding = KBITS[is_first, layer][kbits - 1] * 1000, (head[2] >> 1) & 1
    if layer == 1:
        length = (12 * bits // hertz + padding) * 4
    else:
        length = (144 if layer == 2 or is_first else 72) * bits // hertz + padding
    return MpegFrame(is_first, layer, hertz, head[3] >> 6 == 3, length)
