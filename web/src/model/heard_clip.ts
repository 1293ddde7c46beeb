// A recording with what a model said about it; decisions are made of it again and again, without the model.

import type { Clip } from "../audio/decoding";
import type { Rules } from "./rules";
import type { LabelledEvent } from "./runs";
import type { Spec } from "./spec";

export interface Moment {
  scores: Float32Array; // one a label
  counting: number[]; // places of the labels that count
}

export interface HeardClip {
  readonly clip: Clip;
  readonly samples: Float32Array; // at the model's rate
  readonly spec: Spec; // of the model that heard it
  readonly numWindows: number;
  readonly notes: string[]; // what was rounded or assumed
  rows(): Float32Array[]; // scores as they are told: of windows, or of frames
  events(rules: Rules): LabelledEvent[];
  at(seconds: number, rules: Rules): Moment;
  verdict(rules: Rules): string;
}

export function durationOf({ clip }: Pick<HeardClip, "clip">): number {
  return clip.samples.length / clip.sampleRate;
}
