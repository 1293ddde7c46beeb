// The mel spectrogram that scrolls: the newest sound is on the right.

import type { Frames } from "../model/front_end";
import { brightness, PICTURE_BANDS, pictureFrames } from "../model/picture_frames";

const COLUMNS_A_SECOND = 100;
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
  ) {
    this.frames = pictureFrames(sampleRate);
    this.step = sampleRate / COLUMNS_A_SECOND;
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
