// Matroska and WebM (RFC 9559): the rate of the first sound track, and where the elements end.

import { checkEnd } from "../cut_off";
import { viewOf, wordAt } from "./bytes";
import type { Source } from "./source";

const OPUS_RATE = 48000; // whatever went in, Opus decodes to this
const RATE_UNSAID = 8000; // Hz, what holds where SamplingFrequency is missing
const SOUND = 2; // type of a track
const [SEGMENT, TRACKS, TRACK] = [0x18538067, 0x1654ae6b, 0xae];
const [TYPE, CODEC, AUDIO, RATE, OUTPUT_RATE] = [0x83, 0x86, 0xe1, 0xb5, 0x78b5];

interface Element {
  id: number;
  begin: number; // of what it holds
  end: number; // infinite where the writer did not know its length
}

export function readMatroska(bytes: Uint8Array): Source {
  let sampleRate: number | null = null;
  for (const one of elements(bytes, 0, bytes.length)) {
    if (one.end !== Infinity) checkEnd(one.end, bytes.length);
    if (one.id === TRACKS) sampleRate ??= rateOf(bytes, one);
  }
  return { sampleRate, numSamples: null, notes: [] };
}

function rateOf(bytes: Uint8Array, tracks: Element): number | null {
  for (const { id, begin, end } of elements(bytes, tracks.begin, tracks.end)) {
    const parts = new Map([...elements(bytes, begin, end)].map((one) => [one.id, one]));
    const type = parts.get(TYPE);
    if (id !== TRACK || !type || bytes[type.end - 1] !== SOUND) continue;
    const codec = parts.get(CODEC);
    if (codec && wordAt(bytes, codec.begin, 6) === "A_OPUS") return OPUS_RATE;
    const audio = parts.get(AUDIO);
    const about = new Map(audio && [...elements(bytes, audio.begin, audio.end)].map((one) => [one.id, one]));
    const said = about.get(OUTPUT_RATE) ?? about.get(RATE); // the first is what comes out of a codec that doubles it
    return said ? Math.round(float(bytes, said)) || null : RATE_UNSAID;
  }
  return null;
}

// The elements from one byte to another, as far as the file has them. Those of a segment, and of what has no length,
// come after it.
function* elements(bytes: Uint8Array, begin: number, end: number): Generator<Element> {
  for (let place = begin; place < Math.min(end, bytes.length); ) {
    const id = number(bytes, place, true);
    const length = id && number(bytes, place + id.width, false);
    if (!id || !length) return;
    const start = place + id.width + length.width;
    yield { id: id.value, begin: start, end: start + length.value };
    place = id.value === SEGMENT || length.value === Infinity ? start : start + length.value;
  }
}

// A number of one to eight bytes; the zeros that it begins with say how many. A length of ones alone is not known.
function number(bytes: Uint8Array, place: number, isId: boolean): { value: number; width: number } | null {
  const width = Math.clz32(bytes[place]) - 23;
  if (width > 8 || place + width > bytes.length) return null;
  const most = 2 ** (8 - width) - 1; // of the first byte, without its mark
  let value = isId ? bytes[place] : bytes[place] & most;
  let isUnknown = (bytes[place] & most) === most;
  for (const byte of bytes.subarray(place + 1, place + width)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 255;
  }
  return { value: isUnknown && !isId ? Infinity : value, width };
}

function float(bytes: Uint8Array, { begin, end }: Element): number {
  if (end > bytes.length) return 0;
  return end - begin === 4 ? viewOf(bytes).getFloat32(begin) : end - begin === 8 ? viewOf(bytes).getFloat64(begin) : 0;
}
