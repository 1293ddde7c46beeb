// A file of sound to one channel at its own rate.

import type { OneChannel } from "../engine/engine";
import type { RemoteEngine } from "../engine/remote_engine";
import { checkLength } from "./longest";
import { sourceRate } from "./source_rate";
import { isWav } from "./wav";

export interface Clip {
  name: string;
  samples: Float32Array; // one channel, in [-1, 1]
  sampleRate: number; // Hz, the file's own
  notes: string[]; // what was averaged or assumed
}

const ASSUMED_RATE = 48000;

// Decodes a file; an error says what is wrong with it and what would do.
export async function decodeFile(file: File, engine: RemoteEngine): Promise<Clip> {
  const bytes = new Uint8Array(await contentOf(file));
  if (!bytes.length) throw new Error(`${file.name} is empty; choose a recording with sound`);
  const notes: string[] = [];
  try {
    const { samples, sampleRate, note } = isWav(bytes) ? await engine.readWav(bytes) : await decoded(bytes, engine, notes);
    return { name: file.name, samples, sampleRate, notes: note ? [...notes, note] : notes };
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

async function decoded(bytes: Uint8Array<ArrayBuffer>, engine: RemoteEngine, notes: string[]): Promise<OneChannel> {
  const found = sourceRate(bytes);
  if (!found) notes.push(`rate not found in the file, decoded at ${ASSUMED_RATE} Hz`);
  const sampleRate = found ?? ASSUMED_RATE;
  let buffer: AudioBuffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes.buffer);
  } catch {
    throw new Error(
      "this browser cannot decode it. WAV, FLAC, MP3, Ogg, Opus and M4A usually can be; to make one: ffmpeg -i FILE new.wav",
    );
  }
  if (!buffer.length) throw new Error("it holds no samples; choose a recording with sound");
  checkLength(buffer.length, buffer.numberOfChannels, sampleRate);
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel).slice());
  return engine.toOne(channels, sampleRate);
}
