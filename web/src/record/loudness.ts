// How loud a take is, and what to say of it.

import { peakOf } from "../audio/peak";

const QUIET_DBFS = -40; // peak of a sound that one meant to record
const CLIPPED = 0.999;

// What is wrong with a take, in words; nothing for a good one.
export function faultOf(samples: Float32Array): string {
  const peak = peakOf(samples);
  if (peak === 0) return "it holds no sound; see whether the microphone is muted";
  const decibels = Math.round(20 * Math.log10(peak));
  if (decibels < QUIET_DBFS) return `quiet, peak ${decibels} dBFS: come nearer, unless this label is quiet`;
  return peak >= CLIPPED ? "clipped: go away from the microphone, or turn it down" : "";
}
