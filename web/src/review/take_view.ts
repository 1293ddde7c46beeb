// One take: its spectrogram, its waveform that plays, and where it comes from.

import { clock, element } from "../views/elements";
import { Timeline } from "../views/timeline";
import { peakOf } from "../audio/peak";
import { LOWEST_HZ } from "../model/picture_frames";
import type { Take, TakeModel } from "./service";
import type { Sound } from "./sounds";
import { sessionText } from "./take_list";

const START_TRIES = 5;
const START_PAUSE_MS = 200;

export class TakeView {
  private readonly timeline: Timeline;
  private canvas: HTMLCanvasElement | null = null;
  private duration = 0;
  private facts = "";

  constructor() {
    this.timeline = new Timeline(element("timeline"), (seconds, playing) => this.moveTo(seconds, playing), () => this.showTransport());
    element("picture").addEventListener("click", (event) => this.seek(event));
  }

  // Says which take it is, before its sound is there.
  announce(take: Take, model: TakeModel): void {
    this.timeline.pause();
    element("why").textContent = take.why;
    const assumed = model.assumed ? "; an earlier version kept it, so its thresholds are taken as 0.5" : "";
    const place = `the window that ends at ${clock(take.seconds)} of its stream`;
    this.facts = `Session ${sessionText(take.session)}, ${place}; heard by ${model.name}${assumed}`;
    element("facts").textContent = this.facts;
    element("silent").hidden = true;
  }

  async show({ clip, picture }: Sound): Promise<void> {
    this.canvas?.remove();
    this.canvas = picture;
    this.duration = clip.samples.length / clip.sampleRate;
    picture.role = "img";
    const highest = `${Number((clip.sampleRate / 2000).toPrecision(2))} kHz`;
    picture.ariaLabel = `Mel spectrogram, ${LOWEST_HZ} Hz to ${highest}, ${this.duration.toFixed(1)} seconds`;
    element("picture").prepend(picture);
    element("highest").textContent = highest;
    element("lowest").textContent = `${LOWEST_HZ} Hz`;
    const peak = peakOf(clip.samples);
    element("facts").textContent = `${this.facts}; ${peak ? `peak ${(20 * Math.log10(peak)).toFixed(0)} dBFS` : "digital silence"}`;
    await this.timeline.load(clip);
    this.moveTo(0);
    this.showTransport(); // a pause just before a load is not told
  }

  // Nothing can be heard of it.
  empty(): void {
    this.canvas?.remove();
    this.canvas = null;
  }

  // Plays it from its beginning; tells where the browser refuses that.
  async start(tries = START_TRIES): Promise<void> {
    const { canvas } = this;
    try {
      await this.timeline.start();
    } catch (error) {
      if (canvas !== this.canvas) return; // another take came
      if ((error as Error).name === "NotAllowedError") {
        element("silent").textContent = "The browser plays nothing by itself before the first key or click on this page. Space plays.";
        element("silent").hidden = false;
      } else if (tries > 1) {
        // On a busy machine the sound may still be loading, which ends what was begun.
        await new Promise((done) => setTimeout(done, START_PAUSE_MS));
        if (canvas === this.canvas) await this.start(tries - 1);
      }
    }
  }

  toggle(): void {
    element("silent").hidden = true;
    this.timeline.toggle();
  }

  pause(): void {
    this.timeline.pause();
  }

  private seek(event: MouseEvent): void {
    const { left, width } = element("picture").getBoundingClientRect();
    void this.timeline.play(((event.clientX - left) / width) * this.duration, this.duration);
  }

  private moveTo(seconds: number, playing = false): void {
    if (seconds && playing) element("silent").hidden = true; // by a key of the timeline
    element("playhead").style.left = `${this.duration ? (100 * seconds) / this.duration : 0}%`;
    element("time").textContent = `${clock(seconds)} / ${clock(this.duration)}`;
  }

  private showTransport(): void {
    element("play").firstElementChild!.textContent = this.timeline.playing ? "Pause" : "Play";
  }
}
