// WAV files as edge_runtime/audio/wav_file.py reads them: whole numbers divided by a power of two, nothing clipped.

import { viewOf, wordAt } from "./containers/bytes";
import { truncated } from "./cut_off";
import { checkLength } from "./longest";

export interface Recording {
  channels: Float32Array[]; // in [-1, 1], one a channel
  sampleRate: number; // Hz
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const KINDS = ["RIFF", "RF64", "BW64"];
const UNKNOWN_LENGTH = 0xffffffff; // it stands in the chunk ds64, or was never filled in
// What programs write into the header of a stream whose length they do not know; see edge_runtime/audio/wav_format.py.
const PLACEHOLDERS = [[0x7fff0000, 0x80010000], [0xffff0000, 0x100000000]];
const TAIL = 1 << 20; // bytes of a file without a length, in which a chunk behind the samples is looked for
const BEHIND = [
  ...["LIST", "id3 ", "ID3 ", "fact", "cue ", "smpl", "inst", "bext", "iXML", "PEAK"],
  ...["JUNK", "PAD ", "DISP", "_PMX", "afsp", "plst", "cart", "acid", "FLLR", "levl"],
];

const [LOWEST_RATE, HIGHEST_RATE] = [100, 2_000_000]; // Hz; outside, a header is damaged or the file is no sound

interface Format {
  code: number;
  numChannels: number;
  sampleRate: number;
  bits: number;
  frameBytes: number; // of a sample of every channel, as the header says
}

// Whether the bytes begin as a WAV file does.
export function isWav(bytes: Uint8Array): boolean {
  return KINDS.includes(wordAt(bytes, 0)) && wordAt(bytes, 8) === "WAVE";
}

// The recording of a WAV file; an error says what is wrong with it.
export function decodeWav(bytes: Uint8Array): Recording {
  const view = viewOf(bytes);
  let format: Format | undefined;
  let long: number | null = null; // length of the samples in bytes, where 32 bits cannot hold it
  for (let place = 12; place + 8 <= bytes.length; ) {
    const size = view.getUint32(place + 4, true);
    const begin = place + 8;
    const name = wordAt(bytes, place);
    if (name === "fmt ") format = readFormat(view, begin, size);
    if (name === "ds64" && begin + 16 <= bytes.length) long = Number(view.getBigUint64(begin + 8, true));
    if (name === "data") {
      if (!format) throw new Error("the WAV file has its samples before their format; write it again");
      return readSamples(view, begin, sampleBytes(bytes, begin, size === UNKNOWN_LENGTH ? long : size), format);
    }
    place = begin + size + (size % 2);
  }
  throw new Error("the WAV file has no samples (no data chunk); is it complete?");
}

// How many bytes behind the header are samples; null promised: the header does not say. Fewer than promised are refused.
function sampleBytes(bytes: Uint8Array, begin: number, promised: number | null): number {
  const held = bytes.length - begin;
  if (!wasFilledIn(bytes, begin, promised)) return listChunk(bytes, begin) - begin;
  if (promised > held) throw truncated(`its data chunk should have ${promised} bytes and ${held} are there`);
  return promised;
}

// Whether a length is one that the writer knew.
function wasFilledIn(bytes: Uint8Array, begin: number, promised: number | null): promised is number {
  if (promised === null) return false;
  if (promised === 0) return BEHIND.includes(wordAt(bytes, begin));
  const isPlaceholder = PLACEHOLDERS.some(([first, end]) => promised >= first && promised < end);
  return !(isPlaceholder && promised > bytes.length - begin && wordAt(bytes, 0) === "RIFF");
}

// Where a LIST chunk begins behind samples of unknown length; the end of the file where there is none.
function listChunk(bytes: Uint8Array, begin: number): number {
  for (let place = Math.max(begin, bytes.length - TAIL); place + 12 <= bytes.length; place++) {
    if (bytes[place] === 0x4c && wordAt(bytes, place) === "LIST" && ["INFO", "adtl"].includes(wordAt(bytes, place + 8))) return place;
  }
  return bytes.length;
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
    frameBytes: view.getUint16(begin + 12, true),
  };
  if (!format.numChannels) throw new Error("it has 0 channels; expected at least one: is its header damaged?");
  if (format.sampleRate < LOWEST_RATE || format.sampleRate > HIGHEST_RATE) {
    throw new Error(`it has a sample rate of ${format.sampleRate} Hz; expected ${LOWEST_RATE} to ${HIGHEST_RATE}: is its header damaged?`);
  }
  return format;
}

function readSamples(view: DataView, begin: number, size: number, format: Format): Recording {
  const read = sampleReader(view, format);
  const width = format.bits / 8;
  const expected = width * format.numChannels;
  if (format.frameBytes !== expected) {
    const channels = `${format.numChannels} channel${format.numChannels === 1 ? "" : "s"} of ${format.bits} bits`;
    throw new Error(`it has ${channels} in frames of ${format.frameBytes} bytes; expected ${expected} bytes a frame`);
  }
  const length = Math.floor(size / expected);
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
