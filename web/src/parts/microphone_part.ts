// The button that hears the microphone; what it heard is then a recording.

import { Microphone } from "../audio/microphone";
import { newestSecond } from "../model/frame_clip";
import type { Moment } from "../model/heard_clip";
import { LiveScoring } from "../model/live_scoring";
import type { Heard } from "../model/interpreter";
import { decide, isSilent, type Rules } from "../model/rules";
import type { Bars } from "../views/bars";
import { showMoment, type ClipView } from "../views/clip_view";
import { element } from "../views/elements";
import type { SpectrogramPicture } from "../views/spectrogram_picture";
import type { ClipHearing } from "./clip_hearing";
import type { ModelChoice } from "./model_choice";
import type { Teller } from "./teller";
import type { Turns } from "./turns";

export class MicrophonePart {
  private readonly button = element<HTMLButtonElement>("microphone");
  private live: { microphone: Microphone; scoring: LiveScoring } | null = null;

  constructor(
    private readonly models: ModelChoice,
    private readonly clips: ClipHearing,
    private readonly view: ClipView,
    private readonly bars: Bars,
    private readonly rules: Rules,
    private readonly picture: () => SpectrogramPicture,
    private readonly teller: Teller,
    private readonly turns: Turns,
  ) {
    this.button.addEventListener("click", () => teller.ask(() => (this.live ? this.stop() : this.start())));
  }

  get listening(): boolean {
    return this.live !== null;
  }

  private async start(): Promise<void> {
    const { ear } = this.models.chosen;
    const picture = this.picture();
    this.turns.begin();
    this.view.pause();
    this.teller.say("Waiting for the microphone …");
    const early: Float32Array[] = []; // what comes before its rate is known here
    let take = (samples: Float32Array): void => void early.push(samples);
    const lost = () => this.teller.ask(() => this.lose());
    const microphone = await Microphone.open((samples) => take(samples), lost);
    const show = (samples: Float32Array, heard: Heard | null, level: number) => {
      picture.push(samples);
      if (heard && this.live) this.bars.show(this.moment(heard, level));
    };
    const scoring = new LiveScoring(ear, microphone.sampleRate, show, (error) => this.teller.fail(error));
    picture.clear();
    early.forEach((samples) => scoring.take(samples));
    take = (samples) => scoring.take(samples);
    this.live = { microphone, scoring };
    showMoment("now", `${picture.seconds} s ago`, "now");
    this.show(true);
    this.teller.say(["Listening to the microphone", ...microphone.notes].join("; ") + ".");
  }

  // Ends it, if it is heard; what it heard is then a recording.
  async stop(): Promise<void> {
    const { live } = this;
    if (!live) return;
    this.live = null;
    this.show(false);
    await live.microphone.close();
    const samples = live.scoring.recording();
    const name = `Microphone, ${new Date().toLocaleTimeString("en-GB")}`;
    if (samples.length) await this.clips.hear({ name, samples, sampleRate: live.scoring.sampleRate, notes: live.scoring.notes });
  }

  // What counts now; of frames, in the newest second.
  private moment(heard: Heard, level: number): Moment {
    const { spec } = this.models.chosen.ear;
    const scores = spec.frames ? newestSecond(heard, spec) : heard.scores;
    return { scores, counting: isSilent(level, this.rules) ? [] : decide(scores, spec, this.rules) };
  }

  private async lose(): Promise<void> {
    if (!this.live) return;
    await this.stop();
    this.teller.warn("the microphone was taken away; connect it again and press the button. What it heard until then is below");
  }

  private show(on: boolean): void {
    this.button.setAttribute("aria-pressed", String(on));
    this.button.textContent = on ? "Stop" : "Microphone";
    for (const id of ["model", "hop"]) element<HTMLSelectElement>(id).disabled = on;
    this.view.hide(on || !this.clips.clip);
  }
}
