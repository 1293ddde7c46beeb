// Ogg (RFC 3533): the rate in the first packet, and whether all pages are there.

import { truncated } from "../cut_off";
import { viewOf, wordAt } from "./bytes";
import { readFlac } from "./flac";
import type { Source } from "./source";

const OPUS_RATE = 48000; // whatever went in, Opus decodes to this
const HEAD = 27; // bytes of a page, then one length a segment
const LAST = 4; // flag of the last page of a stream
const FIRST_PACKET = 28; // of a page with one segment, which the first one is

// Reads an Ogg file; one without its last page, or with a gap between its pages, is refused.
export function readOgg(bytes: Uint8Array): Source {
  checkPages(bytes);
  const unknown = { sampleRate: null, numSamples: null, notes: [] };
  if (bytes.length < FIRST_PACKET + 16) return unknown;
  if (wordAt(bytes, FIRST_PACKET, 8) === "OpusHead") return { ...unknown, sampleRate: OPUS_RATE };
  const view = viewOf(bytes);
  if (wordAt(bytes, FIRST_PACKET + 1, 6) === "vorbis") return { ...unknown, sampleRate: view.getUint32(FIRST_PACKET + 12, true) || null };
  return wordAt(bytes, FIRST_PACKET + 9) === "fLaC" ? readFlac(view, FIRST_PACKET + 9) : unknown;
}

function checkPages(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const numbers = new Map<number, number>(); // of the newest page of each stream
  let isLast = false;
  for (let place = 0; place < bytes.length; ) {
    if (wordAt(bytes, place) !== "OggS") {
      if (isLast) return; // what follows is a tag
      throw truncated(`at byte ${place} a page is missing`);
    }
    const body = place + HEAD + (bytes[place + HEAD - 1] ?? Infinity); // behind the lengths of its segments
    const end = body <= bytes.length ? bytes.subarray(place + HEAD, body).reduce((sum, length) => sum + length, body) : Infinity;
    if (end > bytes.length) throw truncated("its last page is missing");
    const [stream, number] = [view.getUint32(place + 14, true), view.getUint32(place + 18, true)];
    const lost = number - (numbers.get(stream) ?? number) - 1;
    if (lost > 0) throw truncated(`before byte ${place} ${lost} of its pages are missing`);
    numbers.set(stream, number);
    isLast = (bytes[place + 5] & LAST) !== 0;
    place = end;
  }
  if (!isLast) throw truncated("its last page is missing");
}
