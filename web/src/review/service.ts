// What the server says of the takes, and what it is told.

import { ask, askFor } from "../server";

export interface TakeModel {
  name: string;
  sha256: string;
  activation: "softmax" | "sigmoid";
  labels: string[];
  thresholds: number[];
  assumed: boolean; // activation and thresholds, for takes of an earlier version
}

export interface Take {
  path: string;
  session: string;
  seconds: number; // of its stream, at its end
  why: string;
  margin: number;
  model: number; // place among the models
  said: string[]; // what the model decided
  scores: number[];
}

export type Action = "keep" | "correct" | "discard";

export interface Decision {
  action: Action;
  labels: string[];
}

export interface Table {
  clips: number;
  path: string;
  written: boolean; // whether the file is as the decisions have it
  aside: { path: string; written: boolean; clips: number; labels: string[]; why: string }[]; // what the next build cannot take
  discarded: number;
  commands: string[]; // for the clips of classifiers; none where there are none
  detectors: Annotating | null;
}

// What takes of a detector need: a build of recordings with annotations takes others of that kind alone.
export interface Annotating {
  clips: number;
  path: string;
  written: boolean;
  why: string;
  steps: string[];
  commands: string[];
  otherwise: string;
}

export interface News {
  revision: number;
  decisions: Record<string, Decision | null>; // what changed
  table: Table;
  warning: string; // what went wrong with the table
  faults: string[]; // what is left out
}

export interface State extends News {
  folder: string;
  none: string; // the label of what is none of the labels
  longest_label: number; // characters of a new label
  models: TakeModel[];
  takes: Take[];
  order: string[]; // takes as they were decided
}

export const readState = (): Promise<State> => askFor<State>("api/review");

export const readNews = (revision: number): Promise<News> => askFor<News>(`api/review/news?since=${revision}`);

export function save(take: string, action: Action | "undo", labels: string[], revision: number): Promise<News> {
  const body = JSON.stringify({ take, action, labels, revision });
  return askFor<News>("api/review/decisions", { method: "POST", body, headers: { "content-type": "application/json" } });
}

export async function readSound(take: string): Promise<ArrayBuffer> {
  return (await ask(`api/review/sound?take=${encodeURIComponent(take)}`)).arrayBuffer();
}
