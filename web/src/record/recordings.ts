// The takes and trainings behind the page, as convert/web/record has them.

import { ask, askFor } from "../server";

export interface Take {
  path: string; // its name
  labels: string[];
  group: string; // its session
  split: string;
  seconds: number | null; // null: it cannot be read
}

export interface TrainedFile {
  file: string;
  recipe: string;
  input: string;
  bytes: number;
  passed: boolean;
}

export interface Training {
  name: string;
  model: string;
  command: string[];
  state: "running" | "finished" | "stopped" | "ended" | "damaged"; // ended: by a fault; damaged: afterwards
  seconds: number;
  share: number; // of it done, 0 to 1, a guess
  step: string;
  history: Record<string, number>[]; // a row an epoch
  error?: string;
  verdict?: string[];
  best?: string;
  files?: TrainedFile[];
  models?: number[]; // places among the models of the page, the best one first
}

export interface State {
  folder: string;
  runs: string;
  labels: string[];
  takes: Take[];
  missing: string[]; // what a training still needs
  model: string; // that a training would make
  trainings: Training[];
  notes?: string[]; // on the folder, such as where new sessions go
}

export interface Finding {
  level: "error" | "warning" | "note";
  text: string;
  clips: string[];
}

const inPath = (path: string) => path.split("/").map(encodeURIComponent).join("/");
const asked = (values: Record<string, string>) => new URLSearchParams(values).toString();

export const readState = () => askFor<State>("api/state");
export const findFaults = () => askFor<Finding[]>("api/findings");
export const addLabel = (label: string) => ask(`api/labels?${asked({ label })}`, { method: "POST" });
export const removeLabel = (label: string) => ask(`api/labels?${asked({ label })}`, { method: "DELETE" });
export const deleteTake = (path: string) => askFor<{ told: string; is_gone: boolean }>(`api/takes/${inPath(path)}`, { method: "DELETE" });
export const restoreTake = (path: string) => ask(`api/deleted/${inPath(path)}`, { method: "POST" });
export const readTrainings = () => askFor<Training[]>("api/trainings");
export const readLog = (name: string) => askFor<string[]>(`api/trainings/${name}/log`);
export const stopTraining = () => ask("api/trainings/running", { method: "DELETE" });

// Keeps a take; returns its path once it is on the disk.
export async function keepTake(label: string, session: string, wav: ArrayBuffer): Promise<string> {
  return (await askFor<{ path: string }>(`api/takes?${asked({ label, session })}`, { method: "POST", body: wav })).path;
}

export async function readTake(path: string): Promise<Blob> {
  return (await ask(`api/takes/${inPath(path)}`)).blob();
}

// Begins a training; of a CNN with at most so many epochs.
export async function startTraining(epochs: number | null): Promise<string> {
  const query = epochs === null ? "" : `?epochs=${epochs}`;
  return (await askFor<{ name: string }>(`api/trainings${query}`, { method: "POST" })).name;
}

export async function readReport(name: string): Promise<Blob> {
  return (await ask(`api/trainings/${name}/report`)).blob();
}

export async function readBundle(name: string, file: string): Promise<Blob> {
  return (await ask(`api/trainings/${name}/bundle?${asked({ file })}`)).blob();
}
