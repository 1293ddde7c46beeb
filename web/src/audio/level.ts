// How loud sound is: the RMS in dBFS, as edge_runtime/audio/level.py has it.

// Minus infinity where there is no sound.
export function levelDbfs(samples: Float32Array): number {
  let sum = 0;
  for (let place = 0; place < samples.length; place++) sum += samples[place] * samples[place];
  return 10 * Math.log10(sum / Math.max(1, samples.length));
}
