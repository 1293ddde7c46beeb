// Scores of a window.

import type { Heard } from "./interpreter";

export interface Scored extends Heard {
  start: number; // first sample of the window, at the model's rate
}

// Scores in [0, 1] of what a model puts out.
export function toScores(values: Float32Array, transform: string): Float32Array {
  if (transform === "exp") return values.map(Math.exp);
  if (transform === "sigmoid") return values.map((value) => 1 / (1 + Math.exp(-value)));
  if (transform !== "softmax") return values;
  const highest = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
