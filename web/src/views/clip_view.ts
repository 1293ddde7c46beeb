// A recording on the page: its timeline, its events, and what is shown while it plays.

import type { Bars } from "./bars";
import type { Clip } from "../audio/decoding";
import { clock, counted, element, make } from "./elements";
import { clipScores, decide, findEvents, spanEnds, type LabelledEvent, type Scored } from "../model/scores";
import type { Spec } from "../model/spec";
import type { SpectrogramPicture } from "./spectrogram_picture";
import { Timeline } from "./timeline";

const MOST_ROWS = 300; // of the table of events
const BUSIEST_ZOOM = 400; // pixels a second

export interface Heard {
  clip: Clip;
  samples: Float32Array; // at the model's rate
  windows: Scored[];
  hop: number;
  spec: Spec; // of the model that heard it
}

export class ClipView {
  private timeline: Timeline | null = null;
  private clip: Clip | null = null;
  private heard: Heard | null = null;
  private picture: SpectrogramPicture | null = null;
  private drawnTo = 0; // sample up to which the clip is in the picture

  constructor(private readonly bars: Bars) {
    element("play").addEventListener("click", () => this.timeline?.toggle());
    element("timeline").addEventListener("keydown", (event) => this.key(event));
    element<HTMLInputElement>("zoom").addEventListener("input", (event) => this.zoom(+(event.target as HTMLInputElement).value));
  }

  // Shows a clip that no model has heard yet.
  async open(clip: Clip): Promise<void> {
    this.clip = clip;
    this.heard = null;
    element("clip-title").textContent = clip.name;
    element("verdict").textContent = "";
    this.showEvents([], 0);
    this.hide(false);
    this.timeline ??= new Timeline(element("timeline"), (seconds) => this.moveTo(seconds), () => this.showTransport());
    this.timeline.pause();
    await this.timeline.load(clip);
    element<HTMLInputElement>("zoom").value = "0";
    this.timeline.zoom(0);
  }

  // Shows what a model heard in the clip.
  show(heard: Heard, picture: SpectrogramPicture): void {
    const { clip, windows, hop, spec } = heard;
    const events = findEvents(windows, hop, spec, clip.samples.length / clip.sampleRate);
    this.heard = heard;
    this.picture = picture;
    this.showEvents(events, this.timeline!.show(events));
    const merged = clipScores(windows, spec.labels.length);
    const said = decide(merged, spec).map((label) => `${spec.labels[label]} (${merged[label].toFixed(3)})`);
    element("verdict").textContent = said.length ? `On the whole: ${said.join(", ")}` : "On the whole: no label reaches its threshold";
    this.drawnTo = 0;
    this.moveTo(0);
    this.showTransport();
  }

  pause(): void {
    this.timeline?.pause();
  }

  hide(hidden: boolean): void {
    element("clip").hidden = hidden;
  }

  private showEvents(events: LabelledEvent[], hiddenLabels: number): void {
    const more = events.length - MOST_ROWS;
    const first = more > 0 ? `, the first ${MOST_ROWS} of them in this table` : "";
    const hidden = hiddenLabels ? `; ${counted(hiddenLabels, "label")} with fewer seconds not in the picture` : "";
    element("event-count").textContent = counted(events.length, "event") + first + hidden;
    element("events").replaceChildren(
      ...events.slice(0, MOST_ROWS).map(({ label, start, end, score }) => {
        const play = make("button", { type: "button", ariaLabel: `Play ${label} from ${clock(start)}` }, "Play");
        play.addEventListener("click", () => this.timeline?.play(start, end));
        return make("tr", {}, ...[clock(start), clock(end), label, score.toFixed(3), play].map((cell) => make("td", {}, cell)));
      }),
    );
  }

  // Shows the clip's sound up to a moment, and the scores there.
  private moveTo(seconds: number): void {
    const { heard, picture } = this;
    if (!heard || !picture || element("clip").hidden) return; // hidden while the microphone is heard
    const { spec } = heard;
    const duration = heard.clip.samples.length / heard.clip.sampleRate;
    const sample = Math.round(Math.min(seconds || Math.min(duration, picture.seconds), duration) * spec.sample_rate);
    if (sample < this.drawnTo || sample - this.drawnTo > picture.seconds * spec.sample_rate) {
      picture.clear();
      this.drawnTo = Math.max(0, sample - picture.seconds * spec.sample_rate);
    }
    picture.push(heard.samples.subarray(this.drawnTo, sample));
    this.drawnTo = sample;
    const place = spanEnds(heard.windows, heard.hop, spec, duration).findIndex((end) => seconds < end);
    const shown = heard.windows.at(place);
    if (shown) this.bars.show(shown.scores);
    const drawn = sample / spec.sample_rate;
    showMoment(`at ${clock(seconds)}`, clock(Math.max(0, drawn - picture.seconds)), clock(drawn));
    element("time").textContent = `${clock(seconds)} / ${clock(duration)}`;
  }

  private showTransport(): void {
    element("play").textContent = this.timeline?.playing ? "Pause" : "Play";
  }

  private zoom(place: number): void {
    const duration = this.clip ? this.clip.samples.length / this.clip.sampleRate : 1;
    const fitting = element("timeline").clientWidth / duration;
    this.timeline?.zoom(place === 0 ? 0 : fitting * (Math.max(BUSIEST_ZOOM, 2 * fitting) / fitting) ** (place / 100));
  }

  private key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === " ") this.timeline?.toggle();
    else if (step) this.timeline?.step(step);
    else return;
    event.preventDefault();
  }
}

// Says which moment the scores are of, and what the ends of the spectrogram are.
export function showMoment(moment: string, oldest: string, newest: string): void {
  element("moment").textContent = moment;
  element("oldest").textContent = oldest;
  element("newest").textContent = newest;
}
