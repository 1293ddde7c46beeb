// The file in this browser against the trained model and against Python, on golden vectors.

import { askFor } from "../server";
import type { Ear } from "./ear";
import { decide, ownRules } from "./rules";
import type { Heard } from "./interpreter";
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
  trained_frames: string | null; // of a model that scores frames: float32 in base64, one frame after the other
  python_frames: string | null;
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
  const found: Heard[] = [];
  for (const window of windows) {
    found.push(await ear.hear(window));
    progress(found.length, windows.length);
  }
  const { limits } = golden;
  const rows = (expected: number[][], frames: string | null, against: string, limit: Limits) => [
    compare(against, "window", expected, found.map(({ scores }) => scores), limit, { ...spec, frames: undefined }),
    ...(frames ? [compare(against, "frame", framesIn(frames, spec), found.flatMap((one) => framesOf(one, spec)), limit, spec)] : []),
  ];
  return [
    ...rows(golden.trained_scores, golden.trained_frames, "the trained model", limits.trained),
    ...rows(golden.python_scores, golden.python_frames, "Python on the computer that made this page", limits.python),
  ];
}

// The frames of a window one by one.
function framesOf({ frames }: Heard, { labels }: Spec): Float32Array[] {
  return cut(frames!, labels.length);
}

function framesIn(content: string, { labels }: Spec): Float32Array[] {
  return cut(new Float32Array(bytesOf(content).buffer), labels.length);
}

function cut(values: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: values.length / length }, (_, place) => values.slice(place * length, (place + 1) * length));
}

function bytesOf(content: string): Uint8Array {
  return Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
}

function goldenWindows({ dtype, windows }: Golden, length: number): Float32Array[] {
  const { buffer } = bytesOf(windows);
  const values =
    dtype === "int16"
      ? Float32Array.from(new Int16Array(buffer), (value) => value / 32768)
      : new Float32Array(buffer);
  return cut(values, length);
}

function compare(
  ...[against, unit, expected, found, limits, spec]: [string, string, ArrayLike<number>[], Float32Array[], Limits, Spec]
): ParityRow {
  const rules = ownRules(spec);
  let maxAbsError = 0;
  found.forEach((scores, row) =>
    scores.forEach((score, label) => {
      const error = Math.abs(score - expected[row][label]);
      if (!(error <= maxAbsError)) maxAbsError = error; // a NaN stays
    }),
  );
  const same = found.filter((scores, row) => `${decide(scores, spec, rules)}` === `${decide(Float32Array.from(expected[row]), spec, rules)}`);
  const agreement = same.length / found.length;
  // Of a few windows one may differ: a share of 99.5 % of 50 would otherwise be all of them.
  const enough = agreement >= limits.decision_agreement || (limits.max_abs_error === null && found.length - same.length <= 1);
  const passed = enough && (limits.max_abs_error === null || maxAbsError <= limits.max_abs_error);
  return { against, passed, maxAbsError, agreement, limits, count: found.length, unit };
}
