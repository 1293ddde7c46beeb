// Where the windows of a clip begin, as edge_runtime/audio/windows.py has it with its default, tail "align".

// First sample of every window; a clip shorter than a window gives one.
export function windowStarts(numSamples: number, windowLength: number, hop: number): number[] {
  if (numSamples <= windowLength) return [0];
  const numFull = 1 + Math.floor((numSamples - windowLength) / hop);
  const starts = Array.from({ length: numFull }, (_, place) => place * hop);
  const last = numSamples - windowLength; // the last window ends with the clip
  return starts[numFull - 1] === last ? starts : [...starts, last];
}

// The samples of one window; what reaches beyond the clip is zero.
export function cutWindow(samples: Float32Array, start: number, windowLength: number): Float32Array {
  const window = new Float32Array(windowLength);
  window.set(samples.subarray(start, Math.min(start + windowLength, samples.length)));
  return window;
}
