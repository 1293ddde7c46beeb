// A whole clip, window by window.

import type { Clip } from "../audio/decoding";
import type { RemoteEngine } from "../engine/remote_engine";
import type { Watch } from "../engine/engine";
import type { Ear } from "./ear";
import { FrameClip } from "./frame_clip";
import { framePlan } from "./frame_grid";
import type { HeardClip } from "./heard_clip";
import type { Scored } from "./scores";
import { WindowClip } from "./window_clip";
import { cutWindow, windowStarts } from "../audio/windows";

const IN_FLIGHT = 2; // windows: while one is scored the next is on its way

const resampled = new WeakMap<Clip, Map<number, Float32Array>>(); // a clip is heard by one model after the other

// The clip's samples at another rate; of a job that was stopped, those so far.
export async function resampledClip(clip: Clip, rate: number, engine: RemoteEngine, watch: Watch): Promise<Float32Array> {
  if (clip.sampleRate === rate) return clip.samples;
  const known = resampled.get(clip)?.get(rate);
  if (known) return known;
  const samples = await engine.resample(clip.samples, clip.sampleRate, rate, watch);
  if (!watch.stopped()) resampled.set(clip, (resampled.get(clip) ?? new Map<number, Float32Array>()).set(rate, samples));
  return samples;
}

// Hears a clip in windows that begin so many samples apart; null where it was stopped.
export async function hearClip(ear: Ear, clip: Clip, samples: Float32Array, hop: number, watch: Watch): Promise<HeardClip | null> {
  const { spec } = ear;
  if (spec.frames) {
    const plan = framePlan(spec, samples.length, hop);
    const windows = await scoreWindows(ear, samples, plan.starts, watch);
    return watch.stopped() ? null : new FrameClip(clip, samples, spec, windows, plan);
  }
  const windows = await scoreWindows(ear, samples, windowStarts(samples.length, spec.window_length, hop), watch);
  return watch.stopped() ? null : new WindowClip(clip, samples, spec, windows, hop);
}

// What the model says about the windows that begin at these samples; `stopped` is asked between two of them.
async function scoreWindows(ear: Ear, samples: Float32Array, starts: readonly number[], watch: Watch): Promise<Scored[]> {
  const scored: Scored[] = [];
  const waiting: Promise<Scored>[] = [];
  const score = async (start: number): Promise<Scored> => ({ start, ...(await ear.hear(cutWindow(samples, start, ear.spec.window_length))) });
  for (let next = 0; scored.length < starts.length && !watch.stopped(); ) {
    while (next < starts.length && waiting.length < IN_FLIGHT) waiting.push(score(starts[next++]));
    scored.push(await waiting.shift()!);
    watch.progress(scored.length, starts.length);
  }
  for (const one of waiting) one.catch(() => undefined); // of a job that was stopped
  return scored;
}
