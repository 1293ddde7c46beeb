// What a compressed file says about itself, read before the browser decodes it: its rate, and whether it is whole.
//
// A browser resamples whatever it decodes to the rate of its audio context; at the file's own rate it changes nothing.
// It also decodes what is left of a file that was cut off, without a word.

import { viewOf, wordAt } from "./bytes";
import { readFlac } from "./flac";
import { readMatroska } from "./matroska";
import { readMp4 } from "./mp4";
import { readAdts, readMp3, skipTags } from "./mpeg";
import { readOgg } from "./ogg";

export interface Source {
  sampleRate: number | null; // Hz; null where the file does not say it in a way that is known here
  numSamples: number | null; // of a channel, that were promised; null where the browser's count need not be checked
  notes: string[]; // what is odd about it
}

const UNKNOWN: Source = { sampleRate: null, numSamples: null, notes: [] };
const MATROSKA = 0x1a45dfa3;

// Reads a file by its own header; an error says that it is not whole.
export function readSource(bytes: Uint8Array): Source {
  const view = viewOf(bytes);
  const begin = skipTags(bytes);
  if (begin + 8 > bytes.length) return UNKNOWN;
  if (wordAt(bytes, begin) === "fLaC") return readFlac(view, begin);
  if (wordAt(bytes, 0) === "OggS") return readOgg(bytes);
  if (wordAt(bytes, 4) === "ftyp") return readMp4(view);
  if (view.getUint32(0) === MATROSKA) return readMatroska(bytes);
  return readMp3(bytes, begin) ?? readAdts(bytes, begin) ?? UNKNOWN;
}
