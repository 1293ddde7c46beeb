// The mel spectrogram that scrolls: the newest sound is on the right.

import { peakOf } from "../audio/peak";
import { make } from "./elements";
import type { Frames } from "../model/front_end";
import { brightness, PICTURE_BANDS, pictureFrames } from "../model/picture_frames";

const COLUMNS_A_SECOND = 100;
const LEAST_PEAK = 0.3; // of what is drawn whole
const MOST_COLUMNS = 4000; // of a whole recording
const STOPS = [[4, 5, 24], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];

export class SpectrogramPicture {
  private readonly context: CanvasRenderingContext2D;
  private readonly frames: Frames;
  private readonly step: number;
  private rest = new Float32Array(0); // samples that coming columns still need
  readonly seconds: number;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    sampleRate: number,
    step = sampleRate / COLUMNS_A_SECOND, // samples between columns
  ) {
    this.frames = pictureFrames(sampleRate);
    this.step = step;
    canvas.height = PICTURE_BANDS;
    this.seconds = canvas.width / COLUMNS_A_SECOND;
    this.context = canvas.getContext("2d", { willReadFrequently: true })!;
    this.clear();
  }

  clear(): void {
    this.rest = new Float32Array(0);
    this.context.fillStyle = `rgb(${STOPS[0]})`;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  // Draws samples that follow those drawn before.
  push(samples: Float32Array): void {
    const nFft = this.frames.frontEnd.n_fft;
    const all = new Float32Array(this.rest.length + samples.length);
    all.set(this.rest);
    all.set(samples, this.rest.length);
    const count = Math.max(0, Math.floor((all.length - nFft) / this.step) + 1);
    const drawn = Math.min(count, this.canvas.width);
    if (drawn) this.draw(all, count - drawn, drawn);
    this.rest = all.slice(Math.round(count * this.step));
  }

  // Draws a whole recording, its first sample in the middle of the first column, its last in the last one.
  drawWhole(samples: Float32Array): void {
    const nFft = this.frames.frontEnd.n_fft;
    const padded = new Float32Array(nFft + Math.ceil(this.canvas.width * this.step));
    padded.set(samples.subarray(0, padded.length - nFft / 2), nFft / 2);
    this.clear();
    this.draw(padded, 0, this.canvas.width);
  }

  private draw(samples: Float32Array, first: number, count: number): void {
    const { width, height } = this.canvas;
    this.context.drawImage(this.canvas, -count, 0);
    const image = this.context.createImageData(count, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = new Uint32Array(colourTable().buffer);
    for (let column = 0; column < count; column++) {
      const bands = this.frames.compute(samples, Math.round((first + column) * this.step));
      bands.forEach((band, place) => {
        pixels[(height - 1 - place) * count + column] = colours[Math.round(255 * brightness(band, this.frames))];
      });
    }
    this.context.putImageData(image, width - count, 0);
  }
}

// The mel spectrogram of a whole recording, on a canvas of its own; a quiet one is drawn as if it were louder.
export function wholeSpectrogram(samples: Float32Array, sampleRate: number): HTMLCanvasElement {
  const width = Math.max(1, Math.round((samples.length / sampleRate) * COLUMNS_A_SECOND));
  const canvas = make("canvas", { width: Math.min(width, MOST_COLUMNS) });
  new SpectrogramPicture(canvas, sampleRate, width > MOST_COLUMNS ? samples.length / MOST_COLUMNS : undefined).drawWhole(louder(samples));
  return canvas;
}

// Samples with a peak of at least LEAST_PEAK; silence stays as it is.
function louder(samples: Float32Array): Float32Array {
  const peak = peakOf(samples);
  return peak === 0 || peak >= LEAST_PEAK ? samples : samples.map((sample) => (sample * LEAST_PEAK) / peak);
}

let table: Uint8ClampedArray<ArrayBuffer> | null = null;

// 256 colours from quiet to loud, RGBA one after the other.
export function colourTable(): Uint8ClampedArray<ArrayBuffer> {
  table ??= Uint8ClampedArray.from(Array.from({ length: 256 }, (_, level) => colour(level / 255)).flat());
  return table;
}

function colour(share: number): [number, number, number, number] {
  const place = share * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  const part = place - low;
  const mixed = (channel: number) => STOPS[low][channel] + part * (STOPS[low + 1][channel] - STOPS[low][channel]);
  return [mixed(0), mixed(1), mixed(2), 255];
}
