// The file in this browser against the trained model and against Python, on golden vectors.

import { askFor } from "../server";
import type { Ear } from "./ear";
import { decide } from "./scores";
import type { Spec } from "./spec";

interface Limits {
  max_abs_error: number | null; // null: only decisions count
  decision_agreement: number;
}

interface Golden {
  dtype: "int16" | "float32";
  windows: string; // base64, little-endian, one after the other
  trained_scores: number[][];
  python_scores: number[][];
  limits: { trained: Limits; python: Limits };
}

export interface ParityRow {
  against: string;
  passed: boolean;
  maxAbsError: number;
  agreement: number;
  limits: Limits;
  count: number;
  unit: string; // what was counted
}

// Scores every golden window and compares; an error says what is wrong with the vectors.
export async function checkParity(
  ear: Ear,
  address: string,
  progress: (done: number, total: number) => void,
): Promise<ParityRow[]> {
  const golden = await askFor<Golden>(address);
  const { spec } = ear;
  const windows = goldenWindows(golden, spec.window_length);
  const found: Float32Array[] = [];
  for (const window of windows) {
    found.push((await ear.hear(window)).scores);
    progress(found.length, windows.length);
  }
  return [
    compare("the trained model", golden.trained_scores, found, golden.limits.trained, spec),
    compare("Python on the computer that made this page", golden.python_scores, found, golden.limits.python, spec),
  ];
}

function goldenWindows({ dtype, windows }: Golden, length: number): Float32Array[] {
  const bytes = Uint8Array.from(atob(windows), (letter) => letter.charCodeAt(0));
  const values =
    dtype === "int16"
      ? Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32768)
      : new Float32Array(bytes.buffer);
  return Array.from({ length: values.length / length }, (_, place) => values.slice(place * length, (place + 1) * length));
}

function compare(against: string, expected: number[][], found: Float32Array[], limits: Limits, spec: Spec): ParityRow {
  const errors = found.flatMap((scores, row) => Array.from(scores, (score, label) => Math.abs(score - expected[row][label])));
  const maxAbsError = errors.reduce((one, other) => (other <= one ? one : other), 0); // a NaN stays
  const same = found.filter((scores, row) => `${decide(scores, spec)}` === `${decide(Float32Array.from(expected[row]), spec)}`);
  const agreement = same.length / found.length;
  // Of a few windows one may differ: a share of 99.5 % of 50 would otherwise be all of them.
  const enough = agreement >= limits.decision_agreement || (limits.max_abs_error === null && found.length - same.length <= 1);
  const passed = enough && (limits.max_abs_error === null || maxAbsError <= limits.max_abs_error);
  return { against, passed, maxAbsError, agreement, limits, count: found.length, unit: "window" };
}
