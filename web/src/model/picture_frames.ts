// The mel frames of which pictures of sound are made, and how bright each of their bands is.

import { Frames } from "./front_end";
import type { MelFrontEnd } from "./spec";

export const PICTURE_BANDS = 80;
export const LOWEST_HZ = 40;
const [QUIET_DB, LOUD_DB] = [-95, -25]; // of a band, where a sine at full scale has 0

// Frames of about 50 ms.
export function pictureFrames(sampleRate: number): Frames {
  const nFft = 2 ** Math.ceil(Math.log2(sampleRate * 0.05));
  const frontEnd: MelFrontEnd = {
    ...{ kind: "mel", inside_model: false, n_fft: nFft, hop_length: 1, win_length: nFft, power: 2, pad_mode: "none" },
    ...{ n_mels: PICTURE_BANDS, fmin: LOWEST_HZ, fmax: sampleRate / 2, mel_scale: "slaney", mel_norm: "none" },
    ...{ log: "log10", log_floor: 1e-12 },
  };
  return new Frames(frontEnd, sampleRate);
}

// How bright a band is, from 0 to 1.
export function brightness(band: number, frames: Frames): number {
  const fullScale = 20 * Math.log10(frames.frontEnd.n_fft / 4);
  return Math.min(Math.max((10 * band - fullScale - QUIET_DB) / (LOUD_DB - QUIET_DB), 0), 1);
}
