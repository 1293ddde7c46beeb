// What a model file says about itself: model_spec.json, as metadata/spec.py writes it.

export interface SpectrogramFrontEnd {
  kind: "mel" | "stft";
  inside_model: boolean;
  n_fft: number;
  hop_length: number;
  win_length: number;
  power: number;
  pad_mode: "reflect" | "constant" | "none";
}

export interface MelFrontEnd extends SpectrogramFrontEnd {
  kind: "mel";
  n_mels: number;
  fmin: number;
  fmax: number;
  mel_scale: "slaney" | "htk";
  mel_norm: "slaney" | "none";
  log: "none" | "log10" | "ln_plus";
  log_floor: number;
}

export type FrontEnd = { kind: "waveform"; inside_model: true } | SpectrogramFrontEnd | MelFrontEnd;

export interface FrameScores {
  num_frames: number; // of a window
  hop_length: number; // samples: frame i stands for those from i * hop_length on
  thresholds: number[]; // one a label; none: those of the window
}

export interface Spec {
  name: string;
  version: string;
  description: string;
  sample_rate: number; // Hz
  window_length: number; // samples
  labels: string[];
  activation: "softmax" | "sigmoid";
  thresholds: number[]; // one a label
  front_end: FrontEnd;
  recipe: string;
  frames?: FrameScores | undefined; // what a second output holds
  score_transform?: "none" | "exp" | "softmax" | "sigmoid";
  provenance: { seed: number; training: Record<string, unknown>; packages: Record<string, string>; data_sha256: string };
}

// A spec from the text of its file; an error says what it lacks.
export function parseSpec(text: string): Spec {
  const spec = JSON.parse(text) as Spec;
  const missing = ["sample_rate", "window_length", "labels", "activation", "thresholds", "front_end"].filter(
    (name) => !(name in spec),
  );
  if (missing.length) throw new Error(`model_spec.json lacks ${missing.join(", ")}; was it written by earproof?`);
  return spec;
}

// Length of one model input in seconds.
export function windowSeconds(spec: Spec): number {
  return spec.window_length / spec.sample_rate;
}

// The scores from which labels count in a frame: the frames' own, else those of the window.
export function frameThresholds({ frames, thresholds }: Spec): number[] {
  return frames?.thresholds.length ? frames.thresholds : thresholds;
}
