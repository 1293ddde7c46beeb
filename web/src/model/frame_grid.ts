// Scores of frames on one grid in time, from windows that overlap: edge_runtime/segments/score_stream.py.

import type { Heard } from "./interpreter";
import type { Spec } from "./spec";

const ROUNDING = 1e-9; // rows by which a hop may lie beside the number that was meant

export interface FramePlan {
  rowLength: number; // samples that a row stands for
  hopRows: number; // from one window to the next
  numRows: number;
  starts: number[]; // first sample of each window
  notes: string[]; // what was rounded
}

// Which rows a recording has, and the windows that they come from, so many samples apart.
export function framePlan(spec: Spec, numSamples: number, hop: number): FramePlan {
  const { num_frames, hop_length } = spec.frames!;
  const exact = hop / hop_length;
  const whole = Math.floor(exact + ROUNDING);
  const hopRows = Math.max(1, Math.min(whole, Math.floor(spec.window_length / hop_length), num_frames));
  const numRows = Math.ceil(numSamples / hop_length);
  const numWindows = 1 + Math.max(0, Math.ceil((numRows - num_frames) / hopRows));
  const starts = Array.from({ length: numWindows }, (_, place) => place * hopRows * hop_length);
  const seconds = ((hopRows * hop_length) / spec.sample_rate).toPrecision(6);
  const rounded = Math.abs(hopRows - exact) > ROUNDING ? [`windows begin every ${+seconds} s, a whole number of frames`] : [];
  return { rowLength: hop_length, hopRows, numRows, starts, notes: rounded };
}

// The mean of the windows that score a row, row by row.
export function averagedRows(windows: readonly Heard[], plan: FramePlan, numLabels: number): Float32Array {
  const sums = new Float64Array(plan.numRows * numLabels);
  const counts = new Uint32Array(plan.numRows);
  windows.forEach(({ frames }, window) => {
    const first = window * plan.hopRows;
    const own = Math.min(frames!.length / numLabels, plan.numRows - first);
    for (let place = 0; place < own * numLabels; place++) sums[first * numLabels + place] += frames![place];
    for (let row = 0; row < own; row++) counts[first + row]++;
  });
  return Float32Array.from(sums, (sum, place) => sum / counts[Math.floor(place / numLabels)]);
}

// The median of `width` rows around each, an odd number; at the ends the outermost row is repeated.
export function medianRows(rows: Float32Array, numLabels: number, width: number): Float32Array {
  if (width === 1) return rows;
  const numRows = rows.length / numLabels;
  const around = new Float32Array(width);
  return rows.map((_, place) => {
    const [row, label] = [Math.floor(place / numLabels), place % numLabels];
    for (let at = 0; at < width; at++) {
      const from = Math.min(Math.max(row + at - (width - 1) / 2, 0), numRows - 1);
      around[at] = rows[from * numLabels + label];
    }
    return around.sort()[(width - 1) / 2];
  });
}
