// The sample rate that a compressed file was made at, read from its first bytes.
//
// A browser resamples whatever it decodes to the rate of its audio context; at the file's own rate it changes nothing.

const MP3_RATES: Record<number, number[]> = { 3: [44100, 48000, 32000], 2: [22050, 24000, 16000], 0: [11025, 12000, 8000] };
const OPUS_RATE = 48000; // whatever went in, Opus decodes to this
const SEARCHED = 1 << 16; // bytes of an MP3 file, behind its tag

// The rate in Hz; null where the file does not say it in a way that is known here.
export function sourceRate(bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begins = (word: string, at = 0) => [...word].every((letter, place) => bytes[at + place] === letter.charCodeAt(0));
  if (bytes.length < 48) return null;
  if (begins("fLaC")) return view.getUint32(18) >>> 12;
  if (begins("OggS")) {
    if (begins("OpusHead", 28)) return OPUS_RATE;
    if (begins("vorbis", 29)) return view.getUint32(40, true);
    return begins("fLaC", 37) ? view.getUint32(55) >>> 12 : null; // FLAC in Ogg: 13 bytes before its stream
  }
  if (begins("ftyp", 4)) return mp4Rate(view);
  return mp3Rate(bytes, begins("ID3") ? 10 + tagLength(bytes) : 0);
}

function tagLength(bytes: Uint8Array): number {
  return (bytes[6] << 21) | (bytes[7] << 14) | (bytes[8] << 7) | bytes[9];
}

function mp3Rate(bytes: Uint8Array, begin: number): number | null {
  const stop = Math.min(bytes.length - 2, begin + SEARCHED);
  for (let place = begin; place < stop; place++) {
    if (bytes[place] === 0xff && bytes[place + 1] >= 0xe0) {
      const rate = MP3_RATES[(bytes[place + 1] >> 3) & 3]?.[(bytes[place + 2] >> 2) & 3];
      if (rate) return rate;
    }
  }
  return null;
}

// The rate in the description of the first sound track: `mp4a`, 16.16 fixed point, 24 bytes behind its name.
function mp4Rate(view: DataView): number | null {
  for (let place = 0; place + 32 < view.byteLength; place++) {
    if (view.getUint32(place) === 0x6d703461) return view.getUint32(place + 28) >>> 16 || null;
  }
  return null;
}
