// The mel scale and its triangular filters, as edge_runtime/front_end/mel_filters.py has them.

import type { MelFrontEnd } from "./spec";

const HZ_PER_MEL = 200 / 3; // Slaney's scale: linear below 1 kHz, logarithmic above
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

export interface Triangle {
  first: number; // number of the first frequency
  weights: Float64Array;
}

function hzToMel(hz: number, scale: string): number {
  if (scale === "htk") return 2595 * Math.log10(1 + hz / 700);
  return hz < BREAK_HZ ? hz / HZ_PER_MEL : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

function melToHz(mel: number, scale: string): number {
  if (scale === "htk") return 700 * (10 ** (mel / 2595) - 1);
  return mel < BREAK_MEL ? mel * HZ_PER_MEL : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

// One triangle a band, from the lowest on.
export function melFilters(frontEnd: MelFrontEnd, sampleRate: number): Triangle[] {
  const low = hzToMel(frontEnd.fmin, frontEnd.mel_scale);
  const high = hzToMel(frontEnd.fmax, frontEnd.mel_scale);
  const corner = (place: number) => melToHz(low + ((high - low) * place) / (frontEnd.n_mels + 1), frontEnd.mel_scale);
  const step = sampleRate / frontEnd.n_fft;
  return Array.from({ length: frontEnd.n_mels }, (_, band) => {
    const [left, centre, right] = [corner(band), corner(band + 1), corner(band + 2)];
    const area = frontEnd.mel_norm === "slaney" ? 2 / (right - left) : 1;
    const first = Math.max(0, Math.ceil(left / step));
    const last = Math.min(frontEnd.n_fft / 2, Math.floor(right / step));
    const weights = Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => {
      const hz = (first + place) * step;
      return Math.fround(Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre))) * area);
    });
    return { first, weights };
  });
}
