// A file of sound to one channel at its own rate.

import type { OneChannel } from "../engine/engine";
import type { RemoteEngine } from "../engine/remote_engine";
import { readSource } from "./containers/source";
import { checkCount } from "./cut_off";
import { overshootNotes } from "./level";
import { checkLength } from "./longest";
import { isWav } from "./wav";

export interface Clip {
  name: string;
  samples: Float32Array; // one channel, in [-1, 1]
  sampleRate: number; // Hz, the file's own
  notes: string[]; // what was averaged or assumed
}

const ASSUMED_RATE = 48000;

// Decodes a file; an error says what is wrong with it and what would do. `asShorts`: it is kept as 16-bit integers.
export async function decodeFile(file: File, engine: RemoteEngine, asShorts = false): Promise<Clip> {
  const bytes = new Uint8Array(await contentOf(file));
  if (!bytes.length) throw new Error(`${file.name} is empty; choose a recording with sound`);
  try {
    const { samples, sampleRate, peak, notes } = isWav(bytes) ? await engine.readWav(bytes) : await decoded(bytes, engine);
    return { name: file.name, samples, sampleRate, notes: [...notes, ...overshootNotes(peak, asShorts)] };
  } catch (error) {
    throw new Error(`${file.name}: ${(error as Error).message}`);
  }
}

async function contentOf(file: File): Promise<ArrayBuffer> {
  try {
    return await file.arrayBuffer();
  } catch {
    const size = `${(file.size / 1e6).toFixed(0)} MB`;
    throw new Error(`${file.name} (${size}) cannot be read: it was moved, or is too big for this browser; earproof classify hears any length`);
  }
}

async function decoded(bytes: Uint8Array<ArrayBuffer>, engine: RemoteEngine): Promise<OneChannel> {
  const source = readSource(bytes);
  const sampleRate = source.sampleRate ?? ASSUMED_RATE;
  const context = contextAt(sampleRate);
  let buffer: AudioBuffer;
  try {
    buffer = await context.decodeAudioData(bytes.buffer);
  } catch {
    throw new Error(
      "this browser cannot decode it. WAV, FLAC, MP3, Ogg, Opus and M4A usually can be; to make one: ffmpeg -i FILE new.wav",
    );
  }
  if (!buffer.length) throw new Error("it holds no samples; choose a recording with sound");
  checkCount(buffer.length, source.numSamples);
  checkLength(buffer.length, buffer.numberOfChannels, sampleRate);
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel).slice());
  const whole = await engine.toOne(channels, sampleRate);
  const assumed = source.sampleRate ? [] : [`its rate was not found, so the browser decoded it at ${ASSUMED_RATE} Hz`];
  return { ...whole, notes: [...assumed, ...source.notes, ...whole.notes] };
}

function contextAt(sampleRate: number): OfflineAudioContext {
  try {
    return new OfflineAudioContext(1, 1, sampleRate);
  } catch {
    throw new Error(`this browser decodes nothing at ${sampleRate} Hz, its rate; to make a WAV of it: ffmpeg -i FILE new.wav`);
  }
}
