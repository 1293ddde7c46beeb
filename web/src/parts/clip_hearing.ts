// Hears a whole recording and shows what the model says about it.

import type { Clip } from "../audio/decoding";
import type { RemoteEngine } from "../engine/remote_engine";
import { hearClip, resampledClip } from "../model/clip_scoring";
import type { HeardClip } from "../model/heard_clip";
import { clock, counted } from "../views/elements";
import type { ClipView } from "../views/clip_view";
import type { SpectrogramPicture } from "../views/spectrogram_picture";
import type { HopChoice } from "./hop_choice";
import type { ModelChoice } from "./model_choice";
import type { Teller } from "./teller";
import type { Turns } from "./turns";

export class ClipHearing {
  clip: Clip | null = null;

  constructor(
    private readonly engine: Promise<RemoteEngine>,
    private readonly models: ModelChoice,
    private readonly hop: HopChoice,
    private readonly view: ClipView,
    private readonly picture: () => SpectrogramPicture,
    private readonly teller: Teller,
    private readonly turns: Turns,
  ) {}

  // Hears the same recording with what was chosen since.
  async again(): Promise<void> {
    if (this.clip) await this.hear(this.clip);
  }

  // Scores a whole clip and shows its events.
  async hear(clip: Clip): Promise<void> {
    const { ear } = this.models.chosen;
    const stopped = this.turns.begin();
    const watch = { progress: (done: number, total: number) => this.teller.progress(done, total), stopped };
    this.clip = clip;
    this.teller.say(`Listening to ${clip.name} …`);
    const { spec } = ear;
    const hop = this.hop.samples;
    const resampled = this.engine.then((engine) => resampledClip(clip, spec.sample_rate, engine, watch));
    const [samples] = await Promise.all([resampled, this.view.open(clip)]); // the worker and the page at once
    if (stopped()) return;
    this.view.draw(samples, spec.sample_rate).catch((error: Error) => this.teller.fail(error));
    const heard = await hearClip(ear, clip, samples, hop, watch);
    if (!heard) return;
    this.view.show(heard, this.picture());
    this.teller.say(describe(heard));
    document.dispatchEvent(new CustomEvent("heard", { detail: heard }));
    document.body.dataset["heard"] = clip.name;
  }
}

// What was done with a clip.
function describe({ clip, samples, numWindows, spec, notes }: HeardClip): string {
  const duration = clip.samples.length / clip.sampleRate;
  const length = duration < 60 ? `${duration.toFixed(1)} s` : `${clock(duration)} min`;
  const resampled = clip.sampleRate === spec.sample_rate ? [] : [`resampled from ${clip.sampleRate.toLocaleString("en")} Hz`];
  const padded = samples.length < spec.window_length ? ["padded with zeros to a window"] : [];
  return `${[`${counted(numWindows, "window")} in ${length}`, ...resampled, ...clip.notes, ...padded, ...notes].join(", ")}.`;
}
