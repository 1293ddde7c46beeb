// From scores to decisions and events, as `earproof classify` decides.

import type { Heard } from "./interpreter";
import type { Spec } from "./spec";

export interface Scored extends Heard {
  start: number; // first sample of the window, at the model's rate
}

export interface LabelledEvent {
  label: string;
  index: number; // of the label
  start: number; // seconds
  end: number;
  score: number; // the mean over its windows
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

// Places of the labels that count: of softmax scores the highest, else every one that reaches its threshold.
export function decide(scores: Float32Array, spec: Spec): number[] {
  if (spec.activation === "softmax") return [scores.indexOf(Math.max(...scores))];
  // In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
  return [...scores.keys()].filter((label) => scores[label] >= Math.fround(spec.thresholds[label]));
}

// The scores of a clip: the means over its windows.
export function clipScores(windows: readonly Scored[], numLabels: number): Float32Array {
  return Float32Array.from({ length: numLabels }, (_, label) =>
    windows.length ? windows.reduce((sum, { scores }) => sum + scores[label], 0) / windows.length : 0,
  );
}

// Where each window's seconds end: it speaks for the hop around its middle, so that no second is told twice.
export function spanEnds(windows: readonly Scored[], hop: number, spec: Spec, duration: number): number[] {
  const reach = (spec.window_length + hop) / 2;
  return windows.map(({ start }, place) => (place === windows.length - 1 ? duration : (start + reach) / spec.sample_rate));
}

// Windows one after the other with the same label make one event.
export function findEvents(windows: readonly Scored[], hop: number, spec: Spec, duration: number): LabelledEvent[] {
  const events: LabelledEvent[] = [];
  const open = new Map<number, { event: LabelledEvent; count: number }>();
  const ends = spanEnds(windows, hop, spec, duration);
  windows.forEach(({ scores }, place) => {
    const [start, end] = [place ? ends[place - 1] : 0, ends[place]];
    const decided = decide(scores, spec);
    for (const label of [...open.keys()]) if (!decided.includes(label)) open.delete(label);
    for (const index of decided) {
      const going = open.get(index);
      if (going) {
        going.event.end = end;
        going.event.score += (scores[index] - going.event.score) / ++going.count;
      } else {
        const event = { label: spec.labels[index], index, start, end, score: scores[index] };
        events.push(event);
        open.set(index, { event, count: 1 });
      }
    }
  });
  return events;
}
