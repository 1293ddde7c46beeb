// The microphone's sound through the model: the newest window, again and again.

import type { Ear } from "./ear";
import type { Heard } from "./interpreter";
import { levelDbfs } from "../audio/level";
import { joined, Resampler } from "../audio/resampling";

const EVERY_MS = 250;
const KEPT_SECONDS = 600; // of the recording

export class LiveScoring {
  private readonly resampler: Resampler;
  private readonly window: Float32Array; // as a phone's ring buffer: zeros at first, the newest samples kept
  private pieces: Float32Array[] = [];
  private numSamples = 0;
  private busy = false;
  private last = 0;

  constructor(
    private readonly ear: Ear,
    readonly sampleRate: number,
    private readonly show: (samples: Float32Array, heard: Heard | null, level: number) => void,
    private readonly failed: (error: Error) => void,
  ) {
    this.resampler = new Resampler(sampleRate, ear.spec.sample_rate);
    this.window = new Float32Array(ear.spec.window_length);
  }

  take(samples: Float32Array): void {
    if (this.numSamples < KEPT_SECONDS * this.sampleRate) this.pieces.push(samples);
    this.numSamples += samples.length;
    const converted = this.resampler.push(samples);
    const newest = converted.subarray(Math.max(0, converted.length - this.window.length));
    this.window.copyWithin(0, newest.length);
    this.window.set(newest, this.window.length - newest.length);
    this.show(converted, null, -Infinity);
    if (!this.busy && performance.now() - this.last >= EVERY_MS) void this.score();
  }

  // What of it was not kept.
  get notes(): string[] {
    return this.numSamples > KEPT_SECONDS * this.sampleRate ? [`the first ${KEPT_SECONDS / 60} min of what was heard`] : [];
  }

  // What was heard, at the microphone's rate.
  recording(): Float32Array {
    return joined(this.pieces);
  }

  private async score(): Promise<void> {
    this.busy = true;
    this.last = performance.now();
    try {
      const level = levelDbfs(this.window);
      this.show(new Float32Array(0), await this.ear.hear(this.window.slice()), level);
    } catch (error) {
      this.failed(error as Error);
    } finally {
      this.busy = false;
    }
  }
}
