// The whole clip: waveform, events on lanes, zoom and playback, by wavesurfer.js.

import WaveSurfer from "wavesurfer.js";
import TimelinePlugin from "wavesurfer.js/dist/plugins/timeline.esm.js";
import ZoomPlugin from "wavesurfer.js/dist/plugins/zoom.esm.js";
import type { Clip } from "../audio/decoding";
import { Lanes } from "./lanes";
import type { LabelledEvent } from "../model/runs";
import { wavFile } from "../audio/wav_writing";

const MOST_LANES = 8;
const PEAKS = 20_000; // of the drawn waveform, whatever its length
const HEIGHT = 140; // pixels
const RULER = 18;
const LANE = 22; // at least

export class Timeline {
  private readonly surfer: WaveSurfer;
  private readonly lanes: Lanes;
  private address = "";

  constructor(
    private readonly container: HTMLElement,
    moved: (seconds: number, playing: boolean) => void,
    changed: () => void,
    viewed: () => void = () => undefined, // called when another stretch is visible
    zoomed: (pixels: number) => void = () => undefined, // for a second, by `zoom` or by the wheel; 0 fits the clip
  ) {
    const style = getComputedStyle(document.documentElement);
    this.surfer = WaveSurfer.create({
      container,
      height: HEIGHT,
      waveColor: style.getPropertyValue("--wave").trim(),
      progressColor: style.getPropertyValue("--wave-played").trim(),
      cursorColor: style.getPropertyValue("--text").trim(),
      cursorWidth: 2,
      normalize: true,
      plugins: [TimelinePlugin.create({ height: RULER, secondaryLabelOpacity: 0.8, style: { color: "var(--soft)" } }), ZoomPlugin.create({ scale: 0.3, maxZoom: 400 })],
    });
    // It scrolls when it is zoomed, so it must take the focus itself.
    const scrolled = this.surfer.getWrapper().parentElement!;
    scrolled.tabIndex = 0;
    scrolled.role = "group";
    scrolled.ariaLabel = "Timeline: space plays, the arrow keys move by a second";
    scrolled.addEventListener("keydown", (event) => this.key(event));
    this.surfer.on("timeupdate", (seconds) => moved(seconds, this.surfer.isPlaying()));
    this.surfer.on("seeking", (seconds) => moved(seconds, false));
    for (const event of ["play", "pause", "finish"] as const) this.surfer.on(event, changed);
    this.lanes = new Lanes(container);
    const view = () => {
      this.lanes.draw(...this.visible);
      viewed();
    };
    for (const event of ["scroll", "zoom", "redrawcomplete", "resize"] as const) this.surfer.on(event, view);
    this.surfer.on("zoom", zoomed);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  // Shows a clip without events.
  async load(clip: Clip): Promise<void> {
    this.lanes.show([], [], 0);
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(new Blob([wavFile(clip.samples, clip.sampleRate)], { type: "audio/wav" }));
    await this.surfer.load(this.address, [peaks(clip.samples)], clip.samples.length / clip.sampleRate);
  }

  // Puts events on lanes, one a label, those with the most seconds; returns how many labels are left out, and the lanes.
  show(events: readonly LabelledEvent[]): { hidden: number; lanes: number[] } {
    const seconds = new Map<number, number>();
    for (const { index, start, end } of events) seconds.set(index, (seconds.get(index) ?? 0) + end - start);
    const lanes = [...seconds.keys()].sort((one, other) => seconds.get(other)! - seconds.get(one)!).slice(0, MOST_LANES);
    lanes.sort((one, other) => one - other);
    const height = Math.max(LANE, (HEIGHT - RULER) / Math.max(1, lanes.length)); // the ruler stays free
    const whole = Math.max(HEIGHT, lanes.length * height + RULER);
    if (this.surfer.options.height !== whole) this.surfer.setOptions({ height: whole }); // which draws all again
    this.lanes.show(events, lanes, height);
    this.lanes.draw(...this.visible);
    return { hidden: seconds.size - lanes.length, lanes };
  }

  get playing(): boolean {
    return this.surfer.isPlaying();
  }

  toggle(): void {
    void this.surfer.playPause();
  }

  // Plays from where it is; rejects where the browser refuses that.
  start(): Promise<void> {
    return this.surfer.play();
  }

  pause(): void {
    this.surfer.pause();
  }

  // Plays from one second to another.
  play(start: number, end: number): void {
    void this.surfer.play(start, end);
  }

  // The seconds that are visible.
  get visible(): [number, number] {
    const width = this.surfer.getWrapper().clientWidth;
    const seconds = (pixels: number) => (width ? (pixels / width) * this.surfer.getDuration() : 0);
    const begin = this.surfer.getScroll();
    return [seconds(begin), Math.min(seconds(begin + this.container.clientWidth), this.surfer.getDuration())];
  }

  // Moves to a moment.
  seek(seconds: number): void {
    this.surfer.setTime(seconds);
  }

  // Pixels for a second; 0 fits the clip.
  zoom(pixels: number): void {
    this.surfer.zoom(pixels);
  }

  // What the timeline does by a key while it has the focus; the page's own keys know that from preventDefault.
  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === " ") this.toggle();
    else if (step) this.seek(Math.max(0, Math.min(this.surfer.getCurrentTime() + step, this.surfer.getDuration())));
    else return;
    event.preventDefault();
  }

  private recolour(): void {
    const style = getComputedStyle(document.documentElement);
    this.surfer.setOptions({
      waveColor: style.getPropertyValue("--wave").trim(),
      progressColor: style.getPropertyValue("--wave-played").trim(),
      cursorColor: style.getPropertyValue("--text").trim(),
    });
    this.lanes.draw(...this.visible);
  }
}

// The loudest sample of each piece, with its sign.
function peaks(samples: Float32Array): Float32Array {
  if (samples.length <= PEAKS) return samples;
  return Float32Array.from({ length: PEAKS }, (_, place) => {
    const begin = Math.floor((place * samples.length) / PEAKS);
    const end = Math.floor(((place + 1) * samples.length) / PEAKS);
    let highest = 0;
    for (let at = begin; at < end; at++) if (Math.abs(samples[at]) > Math.abs(highest)) highest = samples[at];
    return highest;
  });
}
