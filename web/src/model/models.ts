// The models of the page: those that it was served with, and those dropped on it.

import { ask, askFor } from "../server";
import { readModelFile, type ModelFile } from "./model_file";
import type { Spec } from "./spec";

export interface Loader {
  name: string;
  taken: boolean | null; // null: not known
  findings: { reason: string }[];
}

export interface Entry {
  file: string;
  model: string; // address relative to the page
  golden: string | null;
  spec: Spec; // as Python takes the file, of somebody else's model too
  notes: string[];
  loaders: Loader[]; // what the linter tells of them
}

export interface LoadedModel {
  entry: Entry;
  file: ModelFile;
  spec: Spec;
}

export interface Served {
  models: Entry[];
  records: boolean; // whether takes can be recorded and trained on here
}

// What the page was served with; with trainings it grows.
export function listServed(): Promise<Served> {
  return askFor<Served>("models.json");
}

export async function loadModel(entry: Entry): Promise<LoadedModel> {
  const response = await ask(entry.model);
  const file = readModelFile(new Uint8Array(await response.arrayBuffer()));
  return { entry, file, spec: file.spec ?? entry.spec };
}

// A model dropped on the page, which must say itself what it is.
export async function droppedModel(dropped: File): Promise<LoadedModel> {
  const file = readModelFile(new Uint8Array(await dropped.arrayBuffer()));
  if (!file.spec) {
    throw new Error(
      `${dropped.name} holds no model_spec.json, so this page does not know its rate and labels; ` +
        `serve it with: earproof web ${dropped.name}`,
    );
  }
  const entry = { file: dropped.name, model: "", golden: null, spec: file.spec, notes: [], loaders: [] };
  return { entry, file, spec: file.spec };
}
