// A file of sound to one channel at its own rate.

import { toMono } from "./downmix";
import { sourceRate } from "./source_rate";
import { decodeWav, isWav, type Recording } from "./wav";

export interface Clip {
  name: string;
  samples: Float32Array; // one channel, in [-1, 1]
  sampleRate: number; // Hz, the file's own
  notes: string[]; // what was averaged or assumed
}

const ASSUMED_RATE = 48000;

// Decodes a file; an error says what is wrong with it and what would do.
export async function decodeFile(file: File): Promise<Clip> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!bytes.length) throw new Error(`${file.name} is empty`);
  const notes: string[] = [];
  const { channels, sampleRate } = isWav(bytes) ? named(file.name, () => decodeWav(bytes)) : await decoded(file, bytes, notes);
  const { samples, note } = toMono(channels, sampleRate);
  if (note) notes.push(note);
  if (!samples.every(Number.isFinite)) throw new Error(`${file.name} holds samples that are no numbers`);
  return { name: file.name, samples, sampleRate, notes };
}

function named<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

async function decoded(file: File, bytes: Uint8Array<ArrayBuffer>, notes: string[]): Promise<Recording> {
  const found = sourceRate(bytes);
  if (!found) notes.push(`rate not found in the file, decoded at ${ASSUMED_RATE} Hz`);
  const sampleRate = found ?? ASSUMED_RATE;
  try {
    const buffer = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes.slice().buffer);
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
    return { channels, sampleRate };
  } catch {
    throw new Error(
      `${file.name} cannot be decoded by this browser. WAV, FLAC, MP3, Ogg, Opus and M4A usually can; ` +
        `to make one: ffmpeg -i ${file.name} new.wav`,
    );
  }
}
