// The mel spectrogram of a whole recording under its timeline: it scrolls and zooms with it.

import type { RemoteEngine } from "../engine/remote_engine";
import { PICTURE_BANDS, pictureFrames } from "../model/picture_frames";
import { colourTable } from "./spectrogram_picture";

const OVERVIEW_COLUMNS = 1200;
const MOST_COLUMNS = 2000; // of what is visible
const MOST_FRAMES = 3; // a column: of the stretch that it stands for, the loudest
const SETTLED_MS = 120; // so long nothing moves before it is drawn sharply

interface Picture {
  canvas: HTMLCanvasElement;
  start: number; // seconds
  end: number;
}

export class WholeSpectrogram {
  private readonly context: CanvasRenderingContext2D;
  private samples: Float32Array = new Float32Array(0);
  private sampleRate = 1;
  private turn = 0; // of the recording that is there
  private overview: Picture | null = null;
  private sharp: Picture | null = null;
  private visible: [number, number] = [0, 0]; // seconds
  private timer = 0;
  private painting = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly engine: Promise<RemoteEngine>,
    private readonly failed: (error: Error) => void,
  ) {
    this.context = canvas.getContext("2d")!;
    canvas.height = PICTURE_BANDS;
  }

  // Forgets what was drawn.
  clear(): void {
    this.turn++;
    this.samples = new Float32Array(0);
    this.overview = this.sharp = null;
    this.draw();
  }

  // Draws another recording.
  async open(samples: Float32Array, sampleRate: number): Promise<void> {
    const turn = ++this.turn;
    this.samples = samples;
    this.sampleRate = sampleRate;
    this.overview = this.sharp = null;
    const overview = await this.paint(0, samples.length / sampleRate, OVERVIEW_COLUMNS);
    if (turn !== this.turn) return;
    this.overview = overview;
    this.show(...this.visible);
  }

  // Shows from one second to another: at once what is there, sharply as soon as nothing moves.
  show(start: number, end: number): void {
    this.visible = [start, end];
    this.draw();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.sharpen().catch(this.failed), SETTLED_MS);
  }

  private async sharpen(): Promise<void> {
    const [start, end] = this.visible;
    if (!this.overview || this.painting || end <= start) return;
    if (this.sharp?.start === start && this.sharp.end === end && this.sharp.canvas.width === this.columns()) return;
    if (end - start >= this.overview.end && this.columns() <= OVERVIEW_COLUMNS) return;
    const turn = this.turn;
    this.painting = true;
    try {
      const picture = await this.paint(start, end, this.columns());
      if (turn !== this.turn) return;
      this.sharp = picture;
    } finally {
      this.painting = false;
    }
    this.show(...this.visible); // it may have moved since
  }

  private columns(): number {
    return Math.min(MOST_COLUMNS, Math.max(1, Math.round(this.canvas.clientWidth * devicePixelRatio)));
  }

  private draw(): void {
    const { canvas, context, visible } = this;
    canvas.width = this.columns(); // which clears it
    context.fillStyle = `rgb(${colourTable().slice(0, 3)})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const scale = canvas.width / (visible[1] - visible[0]);
    if (!Number.isFinite(scale)) return;
    for (const picture of [this.overview, this.sharp]) {
      if (picture) context.drawImage(picture.canvas, (picture.start - visible[0]) * scale, 0, (picture.end - picture.start) * scale, canvas.height);
    }
  }

  // A picture of a stretch, computed by the engine from the samples that its columns need.
  private async paint(start: number, end: number, columns: number): Promise<Picture> {
    const { samples, sampleRate } = this;
    const nFft = pictureFrames(sampleRate).frontEnd.n_fft;
    const step = ((end - start) * sampleRate) / columns;
    const perColumn = Math.min(MOST_FRAMES, Math.max(1, Math.ceil(step / nFft)));
    const count = columns * perColumn;
    const begins = Array.from({ length: count }, (_, place) => Math.round(start * sampleRate + ((place + 0.5) * step) / perColumn - nFft / 2));
    const [first, last] = [begins[0], begins[count - 1] + nFft];
    let needed: Float32Array;
    if (last - first <= count * nFft) {
      needed = cut(samples, first, last);
      begins.forEach((begin, place) => (begins[place] = begin - first));
    } else {
      needed = new Float32Array(count * nFft);
      begins.forEach((begin, place) => needed.set(cut(samples, begin, begin + nFft), place * nFft));
      begins.forEach((_, place) => (begins[place] = place * nFft));
    }
    const levels = await (await this.engine).paint(needed, sampleRate, begins, perColumn);
    return { canvas: coloured(levels, columns), start, end };
  }
}

// Samples from one place to another; what reaches beyond the recording is zero.
function cut(samples: Float32Array, first: number, last: number): Float32Array {
  const piece = new Float32Array(last - first);
  piece.set(samples.subarray(Math.max(0, first), Math.max(0, last)), Math.max(0, -first));
  return piece;
}

function coloured(levels: Uint8Array, columns: number): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: PICTURE_BANDS });
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(columns, PICTURE_BANDS);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(colourTable().buffer);
  for (let column = 0; column < columns; column++) {
    for (let band = 0; band < PICTURE_BANDS; band++) {
      pixels[(PICTURE_BANDS - 1 - band) * columns + column] = colours[levels[column * PICTURE_BANDS + band]];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
