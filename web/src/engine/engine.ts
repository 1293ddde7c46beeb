// What is computed beside the page: recordings read and resampled, windows scored.

import { toMono } from "../audio/downmix";
import { peakOf } from "../audio/peak";
import { joined, Resampler } from "../audio/resampling";
import { decodeWav } from "../audio/wav";
import { Interpreter, loadRuntime, type Heard } from "../model/interpreter";
import { brightness, PICTURE_BANDS, pictureFrames } from "../model/picture_frames";
import type { ModelFile } from "../model/model_file";
import type { Spec } from "../model/spec";
import { breather } from "./breathing";

const HIGHEST_SAMPLE = 1e10; // 32-bit integers saved as float are below; what is above would overflow in a square
const BLOCK = 1 << 15; // samples resampled between two looks at what else is asked

// How a long job tells of itself, and learns that nobody waits for it any more.
export interface Watch {
  progress: (done: number, total: number) => void;
  stopped: () => boolean;
}

export interface OneChannel {
  samples: Float32Array;
  sampleRate: number; // Hz
  peak: number; // of any channel
  notes: string[]; // what was done with its channels
}

export class Engine {
  private readonly models = new Map<number, Interpreter>();
  private numOpened = 0;

  // Begins to load LiteRT.js, before a model is there.
  async warm(): Promise<void> {
    await loadRuntime();
  }

  // Opens a model and runs it once, which allocates; returns its number.
  async open(file: ModelFile, spec: Spec): Promise<number> {
    const interpreter = await Interpreter.open(file, spec);
    try {
      await interpreter.hear(new Float32Array(spec.window_length));
    } catch (error) {
      await interpreter.close();
      throw error;
    }
    this.models.set(++this.numOpened, interpreter);
    return this.numOpened;
  }

  async close(model: number): Promise<void> {
    await this.models.get(model)?.close();
    this.models.delete(model);
  }

  async hear(model: number, window: Float32Array): Promise<Heard> {
    const interpreter = this.models.get(model);
    if (!interpreter) throw new Error("the model was closed; choose it again");
    return interpreter.hear(window);
  }

  async readWav(bytes: Uint8Array): Promise<OneChannel> {
    const { channels, sampleRate } = decodeWav(bytes);
    return this.toOne(channels, sampleRate);
  }

  // Several channels made one, all samples of it numbers.
  async toOne(channels: Float32Array[], sampleRate: number): Promise<OneChannel> {
    const peak = Math.max(...channels.map(peakOf));
    const mono = toMono(channels, sampleRate);
    const odd = mono.samples.findIndex((sample) => !(Math.abs(sample) <= HIGHEST_SAMPLE));
    if (odd >= 0) {
      const at = (odd / sampleRate).toFixed(3);
      throw new Error(`its sample at ${at} s is ${mono.samples[odd]}, which is no sound; export the recording again`);
    }
    return { samples: mono.samples, sampleRate, peak, notes: mono.note ? [mono.note] : [] };
  }

  async resample(samples: Float32Array, fromRate: number, toRate: number, watch: Watch): Promise<Float32Array> {
    const resampler = new Resampler(fromRate, toRate);
    const pieces: Float32Array[] = [];
    const breathe = breather();
    for (let begin = 0; begin < samples.length && !watch.stopped(); begin += BLOCK) {
      pieces.push(resampler.push(samples.subarray(begin, begin + BLOCK)));
      watch.progress(begin, samples.length);
      await breathe();
    }
    return joined([...pieces, resampler.finish()]);
  }

  // How bright the bands of a picture's columns are, 0 to 255, column by column, each the most of its frames.
  async paint(samples: Float32Array, sampleRate: number, begins: readonly number[], perColumn: number): Promise<Uint8Array> {
    const frames = pictureFrames(sampleRate);
    const levels = new Uint8Array((begins.length / perColumn) * PICTURE_BANDS);
    const breathe = breather();
    for (let place = 0; place < begins.length; place++) {
      const column = Math.floor(place / perColumn) * PICTURE_BANDS;
      frames.compute(samples, begins[place]).forEach((value, band) => {
        levels[column + band] = Math.max(levels[column + band], Math.round(255 * brightness(value, frames)));
      });
      await breathe();
    }
    return levels;
  }
}
