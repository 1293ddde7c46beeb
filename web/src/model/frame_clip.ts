// A recording of which a model scores frames, as `earproof timeline` finds events in it.

import type { Clip } from "../audio/decoding";
import { averagedRows, medianRows, type FramePlan } from "./frame_grid";
import type { HeardClip, Moment } from "./heard_clip";
import type { Heard } from "./interpreter";
import { decide, type Rules } from "./rules";
import { eventsOf, highest, type LabelledEvent, type Run } from "./runs";
import type { Spec } from "./spec";

export class FrameClip implements HeardClip {
  readonly notes: string[];
  readonly numWindows: number;
  private readonly grid: Float32Array; // frame by frame, a score a label
  private smoothed: { width: number; grid: Float32Array };

  constructor(
    readonly clip: Clip,
    readonly samples: Float32Array,
    readonly spec: Spec,
    windows: readonly Heard[],
    private readonly plan: FramePlan,
  ) {
    this.numWindows = windows.length;
    this.grid = averagedRows(windows, plan, spec.labels.length);
    this.smoothed = { width: 1, grid: this.grid };
    const borrowed = "no thresholds of frames in the file: those of its windows are taken";
    this.notes = [...plan.notes, ...(spec.frames!.thresholds.length ? [] : [borrowed])];
  }

  rows(): Float32Array[] {
    return Array.from({ length: this.plan.numRows }, (_, row) => this.row(this.grid, row));
  }

  // Stretches in which a label reaches its threshold; the score of each is its highest.
  events(rules: Rules): LabelledEvent[] {
    const { labels } = this.spec;
    const grid = this.grids(rules);
    const runs = labels.map((_, label) => this.runs(grid, label, Math.fround(rules.thresholds[label])));
    return eventsOf(runs, labels, rules, highest, this.samples.length / this.spec.sample_rate);
  }

  at(seconds: number, rules: Rules): Moment {
    const row = Math.min(Math.floor((seconds * this.spec.sample_rate) / this.plan.rowLength), this.plan.numRows - 1);
    const scores = this.row(this.grids(rules), row);
    return { scores, counting: decide(scores, this.spec, rules) };
  }

  verdict(rules: Rules): string {
    const seconds = new Map<string, number>();
    for (const { label, start, end } of this.events(rules)) seconds.set(label, (seconds.get(label) ?? 0) + end - start);
    const said = [...seconds].sort(([, one], [, other]) => other - one).map(([label, sum]) => `${label} ${sum.toFixed(1)} s`);
    return `On the whole: ${said.join(", ") || "no label reaches its threshold"}`;
  }

  private row(grid: Float32Array, row: number): Float32Array {
    const { length } = this.spec.labels;
    return grid.subarray(row * length, (row + 1) * length);
  }

  private grids({ medianFrames }: Rules): Float32Array {
    if (this.smoothed.width !== medianFrames) {
      this.smoothed = { width: medianFrames, grid: medianRows(this.grid, this.spec.labels.length, medianFrames) };
    }
    return this.smoothed.grid;
  }

  private runs(grid: Float32Array, label: number, threshold: number): Run[] {
    const { length } = this.spec.labels;
    const seconds = this.plan.rowLength / this.spec.sample_rate;
    const runs: Run[] = [];
    for (let row = 0, going = false; row < this.plan.numRows; row++) {
      const score = grid[row * length + label];
      const reached = score >= threshold;
      if (reached && going) {
        const run = runs.at(-1)!;
        Object.assign(run, { end: (row + 1) * seconds, score: Math.max(run.score, score), count: run.count + 1 });
      } else if (reached) {
        runs.push({ start: row * seconds, end: (row + 1) * seconds, score, count: 1 });
      }
      going = reached;
    }
    return runs;
  }
}

// The scores of the newest second of a window, each label's highest frame: what is heard now.
export function newestSecond({ frames }: Heard, spec: Spec): Float32Array {
  const { hop_length, num_frames } = spec.frames!;
  const count = Math.min(num_frames, Math.max(1, Math.round(spec.sample_rate / hop_length)));
  const numLabels = spec.labels.length;
  return Float32Array.from(spec.labels, (_, label) => {
    let most = 0;
    for (let row = num_frames - count; row < num_frames; row++) most = Math.max(most, frames![row * numLabels + label]);
    return most;
  });
}
