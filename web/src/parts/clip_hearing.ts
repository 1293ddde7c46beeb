// Hears a whole recording and shows what the model says about it.

import type { Clip } from "../audio/decoding";
import { windowStarts } from "../audio/windows";
import type { RemoteEngine } from "../engine/remote_engine";
import { resampledClip, scoreClip } from "../model/clip_scoring";
import type { Spec } from "../model/spec";
import { clock, counted, element } from "../views/elements";
import type { ClipView } from "../views/clip_view";
import type { SpectrogramPicture } from "../views/spectrogram_picture";
import type { ModelChoice } from "./model_choice";
import type { Teller } from "./teller";
import type { Turns } from "./turns";

export class ClipHearing {
  clip: Clip | null = null;
  private readonly hop = element<HTMLSelectElement>("hop");

  constructor(
    private readonly engine: Promise<RemoteEngine>,
    private readonly models: ModelChoice,
    private readonly view: ClipView,
    private readonly picture: () => SpectrogramPicture,
    private readonly teller: Teller,
    private readonly turns: Turns,
  ) {
    this.hop.addEventListener("change", () => teller.ask(() => this.again()));
  }

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
    await this.view.open(clip);
    this.teller.say(`Listening to ${clip.name} …`);
    const { spec } = ear;
    const hop = Math.max(1, Math.round(spec.window_length / +this.hop.value));
    const samples = await resampledClip(clip, spec.sample_rate, await this.engine, watch);
    if (stopped()) return;
    const windows = await scoreClip(ear, samples, windowStarts(samples.length, spec.window_length, hop), watch);
    if (stopped()) return;
    this.view.show({ clip, samples, windows, hop, spec }, this.picture());
    this.teller.say(describe(clip, samples.length, windows.length, spec));
    document.body.dataset["scores"] = JSON.stringify(windows.map(({ scores }) => Array.from(scores)));
  }
}

// What was done with a clip.
function describe(clip: Clip, numSamples: number, numWindows: number, spec: Spec): string {
  const duration = clip.samples.length / clip.sampleRate;
  const length = duration < 60 ? `${duration.toFixed(1)} s` : `${clock(duration)} min`;
  const resampled = clip.sampleRate === spec.sample_rate ? [] : [`resampled from ${clip.sampleRate.toLocaleString("en")} Hz`];
  const padded = numSamples < spec.window_length ? ["padded with zeros to a window"] : [];
  return `${[`${counted(numWindows, "window")} in ${length}`, ...resampled, ...clip.notes, ...padded].join(", ")}.`;
}
