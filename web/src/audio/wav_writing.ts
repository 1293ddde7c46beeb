// Samples as a WAV file, for the browser to play.

const HEADER = 44; // bytes

// One channel of 16-bit samples; what is beyond full scale is clipped, as any loudspeaker has it.
export function wavFile(samples: Float32Array, sampleRate: number): ArrayBuffer {
  const file = new ArrayBuffer(HEADER + 2 * samples.length);
  const view = new DataView(file);
  const write = (place: number, text: string) => [...text].forEach((letter, at) => view.setUint8(place + at, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, file.byteLength - 8, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  const values = new Int16Array(file, HEADER);
  for (let place = 0; place < samples.length; place++) {
    values[place] = Math.min(32767, Math.max(-32768, Math.round(samples[place] * 32768)));
  }
  return file;
}
