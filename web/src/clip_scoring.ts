// A whole clip, window by window, without blocking the page.

import type { Clip } from "./decoding";
import type { Interpreter } from "./interpreter";
import type { Latency } from "./latency";
import { joined, Resampler } from "./resampling";
import type { Scored } from "./scores";
import { cutWindow, windowStarts } from "./windows";

const BLOCK = 1 << 15; // samples resampled between two looks at the page
const BUSY_MS = 25; // worked at most between two looks

// The clip's samples at another rate.
export async function resampledClip(clip: Clip, rate: number): Promise<Float32Array> {
  if (clip.sampleRate === rate) return clip.samples;
  const resampler = new Resampler(clip.sampleRate, rate);
  const pieces: Float32Array[] = [];
  const breathe = breather();
  for (let begin = 0; begin < clip.samples.length; begin += BLOCK) {
    pieces.push(resampler.push(clip.samples.subarray(begin, begin + BLOCK)));
    await breathe();
  }
  return joined([...pieces, resampler.finish()]);
}

// The scores of every window; `stopped` is asked between two of them.
export async function scoreClip(
  interpreter: Interpreter,
  samples: Float32Array,
  hop: number,
  latency: Latency,
  progress: (done: number, total: number) => void,
  stopped: () => boolean,
): Promise<Scored[]> {
  const length = interpreter.spec.window_length;
  const starts = windowStarts(samples.length, length, hop);
  const scored: Scored[] = [];
  const breathe = breather();
  for (const start of starts) {
    if (stopped()) break;
    const scores = await latency.time(() => interpreter.scores(cutWindow(samples, start, length)));
    scored.push({ start, scores });
    progress(scored.length, starts.length);
    await breathe();
  }
  return scored;
}

function breather(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < BUSY_MS) return;
    await new Promise((done) => setTimeout(done));
    since = performance.now();
  };
}
