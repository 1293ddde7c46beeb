// FLAC: the block STREAMINFO, which comes first (RFC 9639).

import type { Source } from "./source";

const HEADS = 8; // bytes: the file's mark, and the head of the block

// Reads the stream that begins with `fLaC` at this place.
export function readFlac(view: DataView, place: number): Source {
  const info = place + HEADS;
  if (info + 18 > view.byteLength) return { sampleRate: null, numSamples: null, notes: [] };
  const numSamples = (view.getUint8(info + 13) & 15) * 2 ** 32 + view.getUint32(info + 14);
  // A program that writes to a pipe does not know how many samples there will be, and says 0.
  return { sampleRate: view.getUint32(info + 10) >>> 12 || null, numSamples: numSamples || null, notes: [] };
}
