// A whole clip, window by window, without blocking the page.

import type { Clip } from "../audio/decoding";
import type { Interpreter } from "./interpreter";
import type { Latency } from "./latency";
import { joined, Resampler } from "../audio/resampling";
import type { Scored } from "./scores";
import { cutWindow, windowStarts } from "../audio/windows";

const BLOCK = 1 << 15; // samples resampled between two looks at the page
const BUSY_MS = 25; // worked at most between two looks

type Progress = (done: number, total: number) => void;

const resampled = new WeakMap<Clip, Map<number, Float32Array>>(); // a clip is heard by one model after the other

// The clip's samples at another rate.
export async function resampledClip(clip: Clip, rate: number, progress: Progress): Promise<Float32Array> {
  if (clip.sampleRate === rate) return clip.samples;
  const known = resampled.get(clip)?.get(rate);
  if (known) return known;
  const resampler = new Resampler(clip.sampleRate, rate);
  const pieces: Float32Array[] = [];
  const breathe = breather();
  for (let begin = 0; begin < clip.samples.length; begin += BLOCK) {
    pieces.push(resampler.push(clip.samples.subarray(begin, begin + BLOCK)));
    progress(begin, clip.samples.length);
    await breathe();
  }
  const samples = joined([...pieces, resampler.finish()]);
  resampled.set(clip, (resampled.get(clip) ?? new Map<number, Float32Array>()).set(rate, samples));
  return samples;
}

// The scores of every window; `stopped` is asked between two of them.
export async function scoreClip(
  interpreter: Interpreter,
  samples: Float32Array,
  hop: number,
  latency: Latency,
  progress: Progress,
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
