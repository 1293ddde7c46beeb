// What a model file says about itself, as a list of terms.

import { counted, make } from "./elements";
import type { Entry, LoadedModel } from "../model/models";
import { frameThresholds, windowSeconds, type Spec } from "../model/spec";

const MOST_LABELS = 12;

export function showMetadata(list: HTMLElement, { entry, file, spec }: LoadedModel): void {
  const rows = describe(spec).concat([
    ["author", file.about["author"] ?? ""],
    ["licence", file.about["license"] ?? ""],
    ["size", `${(file.bytes.length / 1000).toLocaleString("en", { maximumFractionDigits: 0 })} kB`],
    ["files inside", file.files.join(", ")],
    ["notes", entry.notes.join("; ")],
    ["opens in", loaders(entry, true)],
    ["refused by", loaders(entry, false)],
  ]);
  const shown = rows.filter(([, value]) => value);
  list.replaceChildren(...shown.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function loaders({ loaders }: Entry, taken: boolean): string {
  const some = loaders.filter((loader) => loader.taken === taken);
  return some.map(({ name, findings }) => (taken ? name : `${name}: ${findings[0]?.reason ?? "no reason told"}`)).join(taken ? ", " : "; ");
}

function describe(spec: Spec): [string, string][] {
  const labels = spec.labels.slice(0, MOST_LABELS).join(", ");
  const more = spec.labels.length - MOST_LABELS;
  const thresholds = [...new Set(spec.frames ? frameThresholds(spec) : spec.thresholds)].map((value) => value.toFixed(2));
  return [
    ["name", `${spec.name}, version ${spec.version}`],
    ["description", spec.description],
    ["takes", `${windowSeconds(spec)} s at ${spec.sample_rate.toLocaleString("en")} Hz (${counted(spec.window_length, "sample")})`],
    ["input", describeInput(spec)],
    ["scores", describeFrames(spec)],
    ["labels", more > 0 ? `${labels} and ${more} more` : labels],
    ["decides", spec.activation === "softmax" ? "one label, the highest score" : "every label that reaches its threshold"],
    [spec.frames ? "frame thresholds" : "thresholds", thresholds.length === 1 ? thresholds[0] : `${thresholds.sort()[0]} to ${thresholds.sort().at(-1)}, one a label`],
    ["recipe", spec.recipe],
    ["seed", spec.provenance?.data_sha256 ? String(spec.provenance.seed) : ""],
    ["data", spec.provenance?.data_sha256 ? `SHA-256 ${spec.provenance.data_sha256.slice(0, 16)} …` : ""],
  ];
}

function describeFrames({ frames, sample_rate }: Spec): string {
  if (!frames) return "";
  const milliseconds = (1000 * frames.hop_length) / sample_rate;
  return `of a window, and of its ${counted(frames.num_frames, "frame")} of ${+milliseconds.toPrecision(4)} ms each`;
}

function describeInput({ front_end }: Spec): string {
  if (front_end.kind === "waveform") return "waveform";
  const kind = front_end.kind === "mel" ? "mel spectrogram" : "STFT";
  return front_end.inside_model ? `waveform; its ${kind} is inside` : `${kind}, which this page computes`;
}
