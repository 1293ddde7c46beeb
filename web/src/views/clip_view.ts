// A recording on the page: its timeline, its events, and what is shown while it plays.

import type { Bars } from "./bars";
import type { Clip } from "../audio/decoding";
import { clock, counted, element, labelColour, make } from "./elements";
import { durationOf, type HeardClip } from "../model/heard_clip";
import type { Rules } from "../model/rules";
import type { LabelledEvent } from "../model/runs";
import type { SpectrogramPicture } from "./spectrogram_picture";
import type { WholeSpectrogram } from "./whole_spectrogram";
import { Timeline } from "./timeline";

const MOST_ROWS = 300; // of the table of events
const BUSIEST_ZOOM = 400; // pixels a second
const ROUNDING = 1e-6; // share by which pixels a second may lie beside what fits

export class ClipView {
  private timeline: Timeline | null = null;
  private clip: Clip | null = null;
  private heard: HeardClip | null = null;
  private picture: SpectrogramPicture | null = null;
  private now = 0; // seconds
  private drawnTo = 0; // sample up to which the clip is in the picture

  constructor(
    private readonly bars: Bars,
    private readonly rules: Rules,
    private readonly spectrogram: WholeSpectrogram,
  ) {
    element("play").addEventListener("click", () => this.timeline?.toggle());
    element("whole").addEventListener("click", (event) => this.seek(event));
    element<HTMLInputElement>("zoom").addEventListener("input", (event) => this.zoom(+(event.target as HTMLInputElement).value));
  }

  // Shows a clip that no model has heard yet.
  async open(clip: Clip): Promise<void> {
    this.clip = clip;
    this.heard = null;
    element("clip-title").textContent = clip.name;
    element("verdict").textContent = "";
    this.showEvents([], 0);
    element("lanes").replaceChildren();
    this.hide(false);
    this.timeline ??= new Timeline(
      element("timeline"),
      (seconds) => this.moveTo(seconds),
      () => this.showTransport(),
      () => this.follow(),
      (pixels) => this.showZoom(pixels),
    );
    this.timeline.pause();
    this.spectrogram.clear();
    await this.timeline.load(clip);
    this.timeline.zoom(0);
  }

  // Draws what the model gets to hear.
  draw(samples: Float32Array, sampleRate: number): Promise<void> {
    return this.spectrogram.open(samples, sampleRate);
  }

  // Shows what a model heard in the clip.
  show(heard: HeardClip, picture: SpectrogramPicture): void {
    this.heard = heard;
    this.picture = picture;
    this.decide();
    this.drawnTo = 0;
    this.moveTo(0);
    this.showTransport();
  }

  // Shows what the rules, as they are now, make of what was heard.
  decide(): void {
    const { heard, rules } = this;
    if (!heard) return;
    const events = heard.events(rules);
    const { hidden, lanes } = this.timeline!.show(events);
    this.showEvents(events, hidden);
    element("lanes").replaceChildren(...lanes.map((label) => make("li", {}, colouredSquare(label), heard.spec.labels[label])));
    element("verdict").textContent = heard.verdict(rules);
    document.body.dataset["events"] = JSON.stringify(events);
    if (!element("clip").hidden) this.bars.show(heard.at(this.now, rules));
  }

  pause(): void {
    this.timeline?.pause();
  }

  // Lets go of what a model heard.
  forget(): void {
    this.pause();
    this.heard = null;
  }

  hide(hidden: boolean): void {
    element("clip").hidden = hidden;
  }

  private showEvents(events: LabelledEvent[], hiddenLabels: number): void {
    const more = events.length - MOST_ROWS;
    const first = more > 0 ? `, the first ${MOST_ROWS} of them in this table` : "";
    const hidden = hiddenLabels ? `; ${counted(hiddenLabels, "label")} with fewer seconds not in the picture` : "";
    element("score-kind").textContent = this.heard?.spec.frames ? "highest score" : "mean score";
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
    const duration = durationOf(heard);
    this.now = seconds;
    const sample = Math.round(Math.min(seconds || Math.min(duration, picture.seconds), duration) * spec.sample_rate);
    if (sample < this.drawnTo || sample - this.drawnTo > picture.seconds * spec.sample_rate) {
      picture.clear();
      this.drawnTo = Math.max(0, sample - picture.seconds * spec.sample_rate);
    }
    picture.push(heard.samples.subarray(this.drawnTo, sample));
    this.drawnTo = sample;
    this.bars.show(heard.at(seconds, this.rules));
    const drawn = sample / spec.sample_rate;
    showMoment(`at ${clock(seconds)}`, clock(drawn - picture.seconds), clock(drawn)); // before 0 the picture is empty
    this.showCursor();
    element("time").textContent = `${clock(seconds)} / ${clock(duration)}`;
  }

  // Shows the stretch of the spectrogram that the timeline shows.
  private follow(): void {
    const { timeline } = this;
    if (!timeline) return;
    this.spectrogram.show(...timeline.visible);
    this.showCursor();
  }

  private showCursor(): void {
    const [start, end] = this.timeline!.visible;
    const place = (this.now - start) / (end - start);
    element("cursor").hidden = !(place >= 0 && place <= 1);
    element("cursor").style.left = `${100 * place}%`;
  }

  private seek({ offsetX, target }: MouseEvent): void {
    if (!this.timeline) return;
    const [start, end] = this.timeline.visible;
    this.timeline.seek(start + (offsetX / (target as HTMLElement).clientWidth) * (end - start));
  }

  private showTransport(): void {
    element("play").textContent = this.timeline?.playing ? "Pause" : "Play";
  }

  private zoom(place: number): void {
    const { fitting, most } = this.zooms;
    this.timeline?.zoom(place === 0 ? 0 : fitting * (most / fitting) ** (place / 100));
  }

  // Puts the slider where the timeline is, whether it, the wheel or another clip brought that about.
  private showZoom(pixels: number): void {
    const { fitting, most } = this.zooms;
    const fits = pixels <= fitting * (1 + ROUNDING);
    if (fits && pixels > 0) return this.timeline!.zoom(0); // which fits in a window of another width too
    const place = Math.round((100 * Math.log(pixels / fitting)) / Math.log(most / fitting));
    element<HTMLInputElement>("zoom").value = fits ? "0" : String(Math.min(Math.max(place, 1), 100));
  }

  // Pixels a second of the whole clip, and of its smallest stretch.
  private get zooms(): { fitting: number; most: number } {
    const duration = this.clip ? this.clip.samples.length / this.clip.sampleRate : 1;
    const fitting = element("timeline").clientWidth / duration;
    return { fitting, most: Math.max(BUSIEST_ZOOM, 2 * fitting) };
  }
}

function colouredSquare(label: number): HTMLElement {
  const square = make("i");
  square.style.background = labelColour(label);
  return square;
}

// Says which moment the scores are of, and what the ends of the spectrogram are.
export function showMoment(moment: string, oldest: string, newest: string): void {
  element("moment").textContent = moment;
  element("oldest").textContent = oldest;
  element("newest").textContent = newest;
}
