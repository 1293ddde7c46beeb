// How scores become decisions: what the file says, unless it is changed on the page. Names and meaning are those of
// the options of `earproof classify` and `earproof timeline`.

import { frameThresholds, type Spec } from "./spec";

export const MERGES = ["mean", "union", "maximum"] as const;

export interface Rules {
  thresholds: number[]; // one a label: of frames where the model scores them, else of windows
  merge: (typeof MERGES)[number];
  silenceBelow: number | null; // dBFS: windows below are left out
  gap: number; // seconds: events of a label with at most this between are one
  shortest: number; // seconds: shorter events are left out
  medianFrames: number; // odd: scores of frames are smoothed by the median of so many
}

// What holds where nothing is changed.
export function ownRules(spec: Spec): Rules {
  const thresholds = [...(spec.frames ? frameThresholds(spec) : spec.thresholds)];
  return { thresholds, merge: "mean", silenceBelow: null, gap: 0, shortest: 0, medianFrames: 1 };
}

// Whether thresholds say anything: where one label is decided, the highest, only a union asks for them.
export function thresholdsCount(spec: Spec, rules: Rules): boolean {
  return spec.frames !== undefined || spec.activation === "sigmoid" || rules.merge === "union";
}

// Places of the labels that scores of a window or of a frame stand for.
export function decide(scores: Float32Array, spec: Spec, rules: Rules): number[] {
  if (!thresholdsCount(spec, rules)) return [scores.indexOf(Math.max(...scores))];
  // In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
  return [...scores.keys()].filter((label) => scores[label] >= Math.fround(rules.thresholds[label]));
}

// Whether a window is left out for its level.
export function isSilent(level: number, { silenceBelow }: Rules): boolean {
  return silenceBelow !== null && level < silenceBelow;
}
