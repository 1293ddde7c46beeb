// WAV files as edge_runtime/audio/wav_file.py reads them: whole numbers divided by a power of two, nothing clipped.

import { checkLength } from "./longest";

export interface Recording {
  channels: Float32Array[]; // in [-1, 1], one a channel
  sampleRate: number; // Hz
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

interface Format {
  code: number;
  numChannels: number;
  sampleRate: number;
  bits: number;
}

// Whether the bytes begin as a WAV file does.
export function isWav(bytes: Uint8Array): boolean {
  return text(bytes, 0) === "RIFF" && text(bytes, 8) === "WAVE";
}

// The recording of a WAV file; an error says what is wrong with it.
export function decodeWav(bytes: Uint8Array): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  for (let place = 12; place + 8 <= bytes.length; ) {
    const size = view.getUint32(place + 4, true);
    const begin = place + 8;
    if (text(bytes, place) === "fmt ") format = readFormat(view, begin, size);
    if (text(bytes, place) === "data") {
      if (!format) throw new Error("the WAV file has its samples before their format; write it again");
      return readSamples(view, begin, Math.min(size, bytes.length - begin), format);
    }
    place = begin + size + (size % 2);
  }
  throw new Error("the WAV file has no samples (no data chunk); is it complete?");
}

function text(bytes: Uint8Array, place: number): string {
  return String.fromCharCode(...bytes.subarray(place, place + 4));
}

function readFormat(view: DataView, begin: number, size: number): Format {
  if (size < 16 || begin + 16 > view.byteLength) throw new Error("the WAV file's format chunk is cut short");
  const stored = view.getUint16(begin, true);
  const code = stored === EXTENSIBLE && size >= 26 ? view.getUint16(begin + 24, true) : stored;
  const format = {
    code,
    numChannels: view.getUint16(begin + 2, true),
    sampleRate: view.getUint32(begin + 4, true),
    bits: view.getUint16(begin + 14, true),
  };
  if (!format.numChannels || !format.sampleRate) {
    throw new Error(`the WAV file has ${format.numChannels} channels at ${format.sampleRate} Hz; expected at least 1`);
  }
  return format;
}

function readSamples(view: DataView, begin: number, size: number, format: Format): Recording {
  const read = sampleReader(view, format);
  const width = format.bits / 8;
  const length = Math.floor(size / (width * format.numChannels));
  if (!length) throw new Error("the WAV file holds no samples; choose a recording with sound");
  checkLength(length, format.numChannels, format.sampleRate);
  const channels = Array.from({ length: format.numChannels }, () => new Float32Array(length));
  channels.forEach((samples, channel) => {
    for (let place = 0; place < length; place++) samples[place] = read(begin + (place * channels.length + channel) * width);
  });
  return { channels, sampleRate: format.sampleRate };
}

function sampleReader(view: DataView, { code, bits }: Format): (place: number) => number {
  if (code === PCM && bits === 8) return (place) => (view.getUint8(place) - 128) / 128;
  if (code === PCM && bits === 16) return (place) => view.getInt16(place, true) / 32768;
  if (code === PCM && bits === 24) {
    return (place) => ((view.getInt8(place + 2) << 16) | view.getUint16(place, true)) / 8388608;
  }
  if (code === PCM && bits === 32) return (place) => view.getInt32(place, true) / 2147483648;
  if (code === FLOAT && bits === 32) return (place) => view.getFloat32(place, true);
  if (code === FLOAT && bits === 64) return (place) => view.getFloat64(place, true);
  throw new Error(
    `the WAV file has ${bits}-bit samples of format ${code}; expected 8, 16, 24 or 32-bit PCM, or 32 or 64-bit float`,
  );
}
