// Spectrograms: what a model takes whose front end is outside, and what the page draws.

import FFT from "fft.js";
import { melFilters, type Triangle } from "./mel_filters";
import type { MelFrontEnd, Spec, SpectrogramFrontEnd } from "./spec";

// Computes single frames of a front end; of n_fft a power of two.
export class Frames {
  readonly size: number; // values in a frame: mel bands, or frequencies
  private readonly fft: InstanceType<typeof FFT>;
  private readonly window: Float64Array;
  private readonly windowed: number[];
  private readonly spectrum: number[];
  private readonly power: Float64Array;
  private readonly triangles: Triangle[] | null;

  constructor(
    readonly frontEnd: SpectrogramFrontEnd | MelFrontEnd,
    sampleRate: number,
  ) {
    const { n_fft } = frontEnd;
    if (n_fft < 2 || (n_fft & (n_fft - 1)) !== 0) {
      throw new Error(`its spectrogram takes transforms of ${n_fft} samples; this page computes powers of two only`);
    }
    this.fft = new FFT(n_fft);
    this.window = hann(frontEnd.win_length, n_fft);
    this.windowed = new Array<number>(n_fft).fill(0);
    this.spectrum = this.fft.createComplexArray();
    this.power = new Float64Array(1 + n_fft / 2);
    this.triangles = frontEnd.kind === "mel" ? melFilters(frontEnd as MelFrontEnd, sampleRate) : null;
    this.size = this.triangles ? this.triangles.length : this.power.length;
  }

  // The frame whose n_fft samples begin at a place.
  compute(samples: Float32Array | Float64Array, begin: number): Float64Array {
    const { n_fft, power } = this.frontEnd;
    for (let place = 0; place < n_fft; place++) this.windowed[place] = (samples[begin + place] ?? 0) * this.window[place];
    this.fft.realTransform(this.spectrum, this.windowed);
    for (let bin = 0; bin < this.power.length; bin++) {
      const squared = this.spectrum[2 * bin] ** 2 + this.spectrum[2 * bin + 1] ** 2;
      this.power[bin] = power === 2 ? squared : squared ** (power / 2);
    }
    return this.triangles ? this.bands(this.triangles) : this.power.slice();
  }

  private bands(triangles: Triangle[]): Float64Array {
    const { log, log_floor } = this.frontEnd as MelFrontEnd;
    return Float64Array.from(triangles, ({ first, weights }) => {
      let sum = 0;
      for (let place = 0; place < weights.length; place++) sum += weights[place] * this.power[first + place];
      if (log === "log10") return Math.log10(Math.max(sum, log_floor));
      return log === "ln_plus" ? Math.log(sum + log_floor) : sum;
    });
  }
}

// What a model takes for one window: the window itself, or its spectrogram, frequency first.
export function modelInput(window: Float32Array, frames: Frames | null): Float32Array {
  if (!frames) return window;
  const padded = padEnds(window, frames.frontEnd);
  const { n_fft, hop_length } = frames.frontEnd;
  const count = 1 + Math.floor((padded.length - n_fft) / hop_length);
  const input = new Float32Array(frames.size * count);
  for (let frame = 0; frame < count; frame++) {
    frames.compute(padded, frame * hop_length).forEach((value, band) => (input[band * count + frame] = value));
  }
  return input;
}

// The front end that a model leaves to whoever runs it; null where it takes the waveform.
export function outsideFrames(spec: Spec): Frames | null {
  const { front_end } = spec;
  if (front_end.kind === "waveform" || front_end.inside_model) return null;
  return new Frames(front_end, spec.sample_rate);
}

function hann(length: number, size: number): Float64Array {
  const window = new Float64Array(size);
  const left = Math.floor((size - length) / 2);
  for (let place = 0; place < length; place++) {
    window[left + place] = 0.5 - 0.5 * Math.cos((2 * Math.PI * place) / length);
  }
  return window;
}

// Padded so that frame t is centred on sample t * hop_length; of the padding "none" its Hann window begins there.
function padEnds(samples: Float32Array, { n_fft, win_length, pad_mode }: SpectrogramFrontEnd): Float64Array {
  const none = Math.floor((n_fft - win_length) / 2);
  const [before, behind] = pad_mode === "none" ? [none, n_fft - win_length - none] : [n_fft / 2, n_fft / 2];
  const padded = new Float64Array(before + samples.length + behind);
  padded.set(samples, before);
  if (pad_mode === "reflect") {
    for (let place = 1; place <= before; place++) padded[before - place] = samples[place];
    for (let place = 0; place < behind; place++) {
      padded[before + samples.length + place] = samples[samples.length - 2 - place];
    }
  }
  return padded;
}
