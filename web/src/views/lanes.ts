// Events on lanes over the waveform, one lane a label, as far as the timeline shows them; thousands are drawn at once.

import type { LabelledEvent } from "../model/runs";
import { labelColour, make } from "./elements";

const LINE = 3; // pixels, on top of an event
const FONT = "12px system-ui, sans-serif";
const LEAST_TEXT = 24; // pixels of an event that gets its name

export class Lanes {
  private readonly canvas = make("canvas", { className: "lanes" });
  private readonly context = this.canvas.getContext("2d")!;
  private events: readonly LabelledEvent[] = [];
  private lanes: readonly number[] = []; // labels from top to bottom
  private laneHeight = 0;

  constructor(private readonly container: HTMLElement) {
    this.canvas.ariaHidden = "true"; // the table has them
    container.append(this.canvas);
  }

  // Takes the events of some labels.
  show(events: readonly LabelledEvent[], lanes: readonly number[], laneHeight: number): void {
    this.events = events;
    this.lanes = lanes;
    this.laneHeight = laneHeight;
  }

  // Draws those between two seconds.
  draw(start: number, end: number): void {
    const { canvas, context, container } = this;
    const [width, height] = [container.clientWidth, Math.ceil(this.lanes.length * this.laneHeight)];
    canvas.style.height = `${height}px`;
    canvas.width = width * devicePixelRatio; // which clears it
    canvas.height = height * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = FONT;
    context.textBaseline = "top";
    const scale = width / (end - start);
    if (!Number.isFinite(scale)) return;
    const text = getComputedStyle(document.documentElement).getPropertyValue("--text").trim();
    for (const event of this.events) {
      const lane = this.lanes.indexOf(event.index);
      if (lane < 0 || event.end < start || event.start > end) continue;
      const left = Math.max((event.start - start) * scale, -1);
      const right = Math.min((event.end - start) * scale, width + 1);
      this.drawOne(event, left, Math.max(right - left, 1), lane * this.laneHeight, text);
    }
  }

  private drawOne({ index, label }: LabelledEvent, left: number, width: number, top: number, text: string): void {
    const { context, laneHeight } = this;
    context.fillStyle = labelColour(index, 0.32);
    context.fillRect(left, top, width, laneHeight - 1);
    context.fillStyle = labelColour(index);
    context.fillRect(left, top, width, LINE);
    if (width < LEAST_TEXT) return;
    context.save();
    context.beginPath();
    context.rect(left, top, width - 2, laneHeight); // its name must not cover the next
    context.clip();
    context.fillStyle = text;
    context.fillText(label, Math.max(left, 0) + 6, top + LINE + 2);
    context.restore();
  }
}
