// Stretches of time in which a label counts, and the events that they amount to: edge_runtime/segments/score_grid.py.

import type { Rules } from "./rules";

const ROUNDING = 1e-9; // by which times may lie beside the number that was meant

export interface LabelledEvent {
  label: string;
  index: number; // of the label
  start: number; // seconds
  end: number;
  score: number;
}

export interface Run {
  start: number; // seconds, as rows have them
  end: number;
  score: number;
  count: number; // of rows
}

type Join = (one: Run, other: Run) => number; // the score of two runs together

export const highest: Join = (one, other) => Math.max(one.score, other.score);
export const mean: Join = (one, other) => (one.score * one.count + other.score * other.count) / (one.count + other.count);

// The events of each label's runs by their onsets; gaps are closed first, then short ones left out.
export function eventsOf(runs: readonly Run[][], labels: readonly string[], rules: Rules, join: Join, end: number): LabelledEvent[] {
  const events = runs.flatMap((ofLabel, index) =>
    closedRuns(ofLabel, rules.gap, join)
      .filter((run) => run.end - run.start + ROUNDING >= rules.shortest && run.start < end)
      .map((run) => ({ label: labels[index], index, start: run.start, end: Math.min(run.end, end), score: run.score })),
  );
  return events.sort((one, other) => one.start - other.start || one.end - other.end || (one.label < other.label ? -1 : 1));
}

function closedRuns(runs: readonly Run[], gap: number, join: Join): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (!last || run.start - last.end > gap + ROUNDING) joined.push({ ...run });
    else Object.assign(last, { end: run.end, score: join(last, run), count: last.count + run.count });
  }
  return joined;
}
