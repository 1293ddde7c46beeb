// A recording heard window by window, as `earproof classify` does it.

import type { Clip } from "../audio/decoding";
import { levelDbfs } from "../audio/level";
import { durationOf, type HeardClip, type Moment } from "./heard_clip";
import { decide, isSilent, type Rules } from "./rules";
import { eventsOf, mean, type LabelledEvent, type Run } from "./runs";
import type { Scored } from "./scores";
import type { Spec } from "./spec";

export class WindowClip implements HeardClip {
  readonly notes: string[] = [];
  private readonly ends: number[]; // seconds
  private readonly levels: number[]; // dBFS, of the samples that are there

  constructor(
    readonly clip: Clip,
    readonly samples: Float32Array,
    readonly spec: Spec,
    private readonly windows: readonly Scored[],
    hop: number,
  ) {
    const reach = (spec.window_length + hop) / 2;
    const last = windows.length - 1;
    // A window speaks for the hop around its middle, so that no second is told twice.
    this.ends = windows.map(({ start }, place) => (place === last ? durationOf(this) : (start + reach) / spec.sample_rate));
    this.levels = windows.map(({ start }) => levelDbfs(samples.subarray(start, start + spec.window_length)));
  }

  get numWindows(): number {
    return this.windows.length;
  }

  rows(): Float32Array[] {
    return this.windows.map(({ scores }) => scores);
  }

  // Windows one after the other with the same label make one event, whose score is their mean.
  events(rules: Rules): LabelledEvent[] {
    const runs: Run[][] = this.spec.labels.map(() => []);
    this.windows.forEach(({ scores }, place) => {
      const [start, end] = [place ? this.ends[place - 1] : 0, this.ends[place]];
      for (const label of this.decision(place, rules)) runs[label].push({ start, end, score: scores[label], count: 1 });
    });
    return eventsOf(runs, this.spec.labels, rules, mean, durationOf(this));
  }

  at(seconds: number, rules: Rules): Moment {
    const found = this.ends.findIndex((end) => seconds < end);
    const place = found < 0 ? this.windows.length - 1 : found;
    return { scores: this.windows[place].scores, counting: this.decision(place, rules) };
  }

  verdict(rules: Rules): string {
    const { scores, reached, numSilent } = mergeWindows(this.rows(), this.levels, this.spec, rules);
    const said = reached.map((label) => `${this.spec.labels[label]} (${scores[label].toFixed(3)})`);
    const none = numSilent === this.windows.length ? "silence alone" : "no label reaches its threshold";
    const silent = numSilent ? `; ${numSilent} of ${this.windows.length} windows silent` : "";
    return `On the whole: ${said.join(", ") || none}${silent}`;
  }

  private decision(place: number, rules: Rules): number[] {
    return isSilent(this.levels[place], rules) ? [] : decide(this.windows[place].scores, this.spec, rules);
  }
}

export interface Merged {
  scores: Float32Array; // of the clip, one a label
  reached: number[]; // places of the labels that count
  numSilent: number;
}

// The clip of its windows, as edge_runtime/model/clip_merge.py has it.
export function mergeWindows(rows: readonly Float32Array[], levels: readonly number[], spec: Spec, rules: Rules): Merged {
  const heard = rows.filter((_, place) => !isSilent(levels[place], rules));
  const scores = Float32Array.from(spec.labels, (_, label) => {
    if (!heard.length) return 0;
    if (rules.merge === "maximum") return heard.reduce((most, row) => Math.max(most, row[label]), -Infinity);
    const limit = Math.fround(rules.thresholds[label]);
    const votes = (row: Float32Array) => (rules.merge === "mean" ? row[label] : Number(row[label] >= limit));
    return heard.reduce((sum, row) => sum + votes(row), 0) / heard.length;
  });
  const numSilent = rows.length - heard.length;
  if (!heard.length) return { scores, reached: [], numSilent };
  const union = rules.merge === "union";
  const reached = union ? [...scores.keys()].filter((label) => scores[label] > 0) : decide(scores, spec, rules);
  return { scores, reached, numSilent };
}
