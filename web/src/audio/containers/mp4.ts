// MP4 and M4A (ISO/IEC 14496-12): the rate in the description of the first sound track, and where the boxes end.

import { checkEnd } from "../cut_off";
import type { Source } from "./source";

const OPUS_RATE = 48000; // whatever went in, Opus decodes to this
const FULL = 4; // bytes of version and flags of some boxes

interface Box {
  name: string;
  begin: number; // of what it holds
  end: number;
}

export function readMp4(view: DataView): Source {
  const whole = { name: "", begin: 0, end: view.byteLength };
  for (const { end } of boxes(view, whole)) checkEnd(end, view.byteLength);
  return { sampleRate: rateOf(view, whole), numSamples: null, notes: [] };
}

function rateOf(view: DataView, whole: Box): number | null {
  const movie = inside(view, whole, "moov");
  for (const track of movie ? boxes(view, movie) : []) {
    const media = inside(view, track, "mdia");
    const handler = media && inside(view, media, "hdlr");
    if (!handler || word(view, handler.begin + FULL + 4) !== "soun") continue;
    const described = ["minf", "stbl", "stsd"].reduce<Box | null>((box, name) => box && inside(view, box, name), media);
    const [entry] = described ? boxes(view, { ...described, begin: described.begin + FULL + 4 }) : [];
    if (!entry || entry.begin + 28 > view.byteLength) continue;
    return entry.name === "Opus" ? OPUS_RATE : view.getUint32(entry.begin + 24) >>> 16 || null; // 16.16 fixed point
  }
  return null;
}

function inside(view: DataView, box: Box, name: string): Box | null {
  for (const one of boxes(view, box)) if (one.name === name) return one;
  return null;
}

// The boxes in another one, as far as the file has them.
function* boxes(view: DataView, { begin, end }: Box): Generator<Box> {
  for (let place = begin; place + 8 <= Math.min(end, view.byteLength); ) {
    const short = view.getUint32(place);
    const long = short === 1 && place + 16 <= view.byteLength;
    const size = short === 0 ? end - place : long ? Number(view.getBigUint64(place + 8)) : short; // 0: to the end
    if (size < 8) return;
    yield { name: word(view, place + 4), begin: place + (long ? 16 : 8), end: place + size };
    place += size;
  }
}

function word(view: DataView, place: number): string {
  return place + 4 <= view.byteLength ? String.fromCharCode(...[0, 1, 2, 3].map((at) => view.getUint8(place + at))) : "";
}
