// How loud sound is: the RMS in dBFS, as edge_runtime/audio/level.py has it.

// Minus infinity where there is no sound.
export function levelDbfs(samples: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < samples.length; place++) sum += samples[place] * samples[place];
  return 10 * Math.log10(sum / Math.max(1, samples.length));
}

const OVERSHOOT_DB = 1; // above full scale; lossy decoders and float editors go so far without anything being wrong

// What is to be told of samples above full scale, as edge_runtime/audio/sound_frames.py has it; nothing of a peak below.
// `asShorts`: they are kept as 16-bit integers, which end at full scale.
export function overshootNotes(peak: number, asShorts: boolean): string[] {
  const overshoot = 20 * Math.log10(peak);
  if (!(overshoot >= OVERSHOOT_DB)) return [];
  const peaks = asShorts ? "clipped there, as a microphone does" : "used as they are: a microphone would clip them";
  return [`its samples go ${overshoot.toFixed(1)} dB above full scale and are ${peaks}`];
}
