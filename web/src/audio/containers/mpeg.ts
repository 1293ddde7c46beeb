// MP3 and AAC as frames one after the other: what a frame says, and whether all frames are there.

import { checkCount, checkEnd } from "../cut_off";
import { viewOf, wordAt } from "./bytes";
import type { Source } from "./source";

const SEARCHED = 1 << 16; // bytes behind a tag, in which the first frame is looked for
const DECODER_DELAY = 529; // samples that an MP3 decoder adds
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const KBITS: Record<string, readonly number[]> = {
  // Bit rates of header values 1 to 14, by MPEG 1 or later, and layer: ISO 11172-3 and 13818-3.
  "1-1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1-2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1-3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2-1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2-2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2-3": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};

interface Frame {
  kind: string; // what is the same in all frames of a file
  length: number; // bytes
  rate: number; // Hz
  numSamples: number;
}

type ReadFrame = (bytes: Uint8Array, place: number) => Frame | null;

// Where sound begins: behind the ID3 tags that a file may begin with, and zeros behind those.
export function skipTags(bytes: Uint8Array): number {
  let place = 0;
  while (wordAt(bytes, place, 3) === "ID3" && place + 10 <= bytes.length) place += tagLength(bytes, place);
  while (bytes[place] === 0 && place < SEARCHED) place++;
  return place < bytes.length && (place === 0 || bytes[place] !== 0) ? place : 0;
}

// An MP3 file; null where it is none.
export function readMp3(bytes: Uint8Array, begin: number): Source | null {
  const first = findFrames(bytes, begin, wordAt(bytes, 0, 3) === "ID3" ? begin + SEARCHED : begin + 1, mpegFrame);
  if (first === null) return null;
  const frame = mpegFrame(bytes, first)!;
  const promised = promise(bytes, first, frame);
  const { count, odd, cut } = walk(bytes, promised ? first + frame.length : first, mpegFrame, frame);
  if (promised && count < promised.numFrames) {
    const { numFrames, delay, padding } = promised;
    checkCount(Math.max(0, count * frame.numSamples - delay - DECODER_DELAY), numFrames * frame.numSamples - delay - padding);
  }
  const notes = [...(odd ? [`${odd} bytes of it are no MP3 frames: it is damaged`] : []), ...(cut ? ["its last MP3 frame is cut short"] : [])];
  return { sampleRate: frame.rate, numSamples: null, notes };
}

// AAC as a stream of its own (ADTS); null where it is none, and an error where its last frame is cut short.
export function readAdts(bytes: Uint8Array, begin: number): Source | null {
  if (findFrames(bytes, begin, begin + 1, adtsFrame) === null) return null;
  const frame = adtsFrame(bytes, begin)!;
  const { odd, cut } = walk(bytes, begin, adtsFrame, frame);
  checkEnd(cut, bytes.length);
  return { sampleRate: frame.rate, numSamples: null, notes: odd ? [`${odd} bytes of it are no AAC frames: it is damaged`] : [] };
}

function tagLength(bytes: Uint8Array, place: number): number {
  const [high, upper, lower, low] = bytes.subarray(place + 6, place + 10);
  const footer = bytes[place + 5] & 0x10 ? 10 : 0;
  return 10 + footer + ((high << 21) | (upper << 14) | (lower << 7) | low);
}

// The first place with two frames in a row that agree; one alone may be chance.
function findFrames(bytes: Uint8Array, begin: number, stop: number, read: ReadFrame): number | null {
  for (let place = begin; place < Math.min(stop, bytes.length); place++) {
    const frame = read(bytes, place);
    if (frame && read(bytes, place + frame.length)?.kind === frame.kind) return place;
  }
  return null;
}

// How many whole frames there are, how many bytes between them are none, and where a frame that is cut short would end.
function walk(bytes: Uint8Array, begin: number, read: ReadFrame, { kind }: Frame): { count: number; odd: number; cut: number } {
  let [count, odd, place] = [0, 0, begin];
  while (place < bytes.length) {
    const frame = read(bytes, place);
    if (frame?.kind === kind) {
      if (place + frame.length > bytes.length) return { count, odd, cut: place + frame.length };
      count++;
      place += frame.length;
    } else if (wordAt(bytes, place, 3) === "ID3" && place + 10 <= bytes.length) {
      place += tagLength(bytes, place);
    } else if (isEnd(bytes, place)) {
      break;
    } else {
      const next = findFrames(bytes, place + 1, bytes.length, read) ?? bytes.length;
      odd += next - place;
      place = next;
    }
  }
  return { count, odd, cut: 0 };
}

// Whether tags or zeros alone follow.
function isEnd(bytes: Uint8Array, place: number): boolean {
  const isTag = wordAt(bytes, place, 3) === "TAG" || wordAt(bytes, place, 8) === "APETAGEX" || wordAt(bytes, place, 11) === "LYRICSBEGIN";
  return isTag || bytes.subarray(place).every((byte) => byte === 0);
}

// How many frames the first one says that follow it, and what of their samples is no sound; null where it says nothing.
function promise(bytes: Uint8Array, first: number, { kind }: Frame): { numFrames: number; delay: number; padding: number } | null {
  const isMono = bytes[first + 3] >> 6 === 3;
  const side = kind.startsWith("1") ? (isMono ? 17 : 32) : isMono ? 9 : 17; // bytes of what a frame's bits are for
  const xing = first + 4 + side;
  const view = viewOf(bytes);
  if (!["Xing", "Info"].includes(wordAt(bytes, xing)) || xing + 144 > bytes.length || !(bytes[xing + 7] & 1)) return null;
  const gaps = ["LAME", "Lavf", "Lavc"].includes(wordAt(bytes, xing + 120)) ? view.getUint32(xing + 140) & 0xffffff : 0;
  return { numFrames: view.getUint32(xing + 8), delay: gaps >>> 12, padding: gaps & 0xfff };
}

// The MPEG audio frame that begins here, as edge_runtime/audio/sound_kinds.py reads it.
function mpegFrame(bytes: Uint8Array, place: number): Frame | null {
  if (place + 4 > bytes.length || bytes[place] !== 0xff || (bytes[place + 1] & 0xe0) !== 0xe0) return null;
  const [version, layer] = [(bytes[place + 1] >> 3) & 3, 4 - ((bytes[place + 1] >> 1) & 3)];
  const [step, rate] = [bytes[place + 2] >> 4, (bytes[place + 2] >> 2) & 3];
  if (version === 1 || layer === 4 || step < 1 || step > 14 || rate === 3) return null;
  const isFirst = version === 3;
  const hertz = [44100, 48000, 32000][rate] / (isFirst ? 1 : version === 2 ? 2 : 4);
  const bits = KBITS[`${isFirst ? 1 : 2}-${layer}`][step - 1] * 1000;
  const padding = (bytes[place + 2] >> 1) & 1;
  const numSamples = layer === 1 ? 384 : layer === 3 && !isFirst ? 576 : 1152;
  const length = layer === 1 ? (Math.floor((12 * bits) / hertz) + padding) * 4 : Math.floor(((numSamples / 8) * bits) / hertz) + padding;
  return { kind: `${isFirst ? 1 : 2}-${layer} at ${hertz} Hz`, length, rate: hertz, numSamples };
}

// The AAC frame that begins here.
function adtsFrame(bytes: Uint8Array, place: number): Frame | null {
  if (place + 7 > bytes.length || bytes[place] !== 0xff || (bytes[place + 1] & 0xf6) !== 0xf0) return null;
  const rate = AAC_RATES[(bytes[place + 2] >> 2) & 15];
  const length = ((bytes[place + 3] & 3) << 11) | (bytes[place + 4] << 3) | (bytes[place + 5] >> 5);
  return rate && length > 7 ? { kind: `AAC at ${rate} Hz`, length, rate, numSamples: 1024 } : null;
}
