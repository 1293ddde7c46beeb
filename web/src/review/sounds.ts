// The sound of takes with its picture, fetched before it is wanted.

import type { Clip } from "../audio/decoding";
import { toMono } from "../audio/downmix";
import { decodeWav, isWav } from "../audio/wav";
import { wholeSpectrogram } from "../views/spectrogram_picture";
import { readSound } from "./service";

const MOST_KEPT = 8; // takes: the one shown, the next ones, and some of those before

export interface Sound {
  clip: Clip;
  picture: HTMLCanvasElement;
}

export class Sounds {
  private readonly kept = new Map<string, Promise<Sound>>();

  // The sound of a take; what fails is asked for again the next time.
  get(path: string): Promise<Sound> {
    const found = this.kept.get(path) ?? open(path);
    this.kept.delete(path);
    this.kept.set(path, found); // the latest is last
    found.catch(() => this.kept.get(path) === found && this.kept.delete(path));
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MOST_KEPT) break;
      this.kept.delete(oldest);
    }
    return found;
  }

  // Fetches takes that may be wanted next.
  prepare(paths: readonly string[]): void {
    for (const path of paths) this.get(path).catch(() => undefined); // told when the take is shown
  }
}

async function open(path: string): Promise<Sound> {
  const bytes = new Uint8Array(await readSound(path));
  if (!isWav(bytes)) throw new Error(`${path} is no WAV file`);
  const { channels, sampleRate } = decodeWav(bytes);
  const { samples } = toMono(channels, sampleRate);
  return { clip: { name: path, samples, sampleRate, notes: [] }, picture: wholeSpectrogram(samples, sampleRate) };
}
