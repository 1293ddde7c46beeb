// Takes of a fixed length from the microphone, one after the other.

import { Microphone } from "../audio/microphone";
import { ask } from "../server";

const COUNT_IN_SECONDS = 0.5; // the click of the key or the mouse must not be in the take
const PAUSE_SECONDS = 0.7; // between takes in a row
const IDLE_MS = 60_000; // until an unused microphone is closed
const WORKLET = "microphone_worklet.js"; // what a microphone needs of the server
const LOST = "the microphone was taken away; connect it and press Record again. The takes before are kept";

export interface NewTake {
  samples: Float32Array; // at the microphone's rate
  sampleRate: number; // Hz
}

export interface Moment {
  state: "ready" | "wait" | "record";
  share: number; // of the take, 0 to 1
  level: number; // highest sample of the newest block
}

type Shown = (moment: Moment) => void;

interface Running {
  skipped: number; // samples that still go by
  samples: Float32Array;
  filled: number;
  done: (take: NewTake | null) => void; // null: stopped
  failed: (error: Error) => void;
}

export class TakeRecorder {
  private microphone: Microphone | null = null;
  private running: Running | null = null;
  private inRow = false; // between the takes of a row too
  private wanted = 0; // counts up with each wish, so that an older one ends
  private idle = 0;

  constructor(private readonly show: Shown) {}

  get busy(): boolean {
    return this.inRow;
  }

  // What the browser does to the sound although it was asked not to.
  get notes(): string[] {
    return this.microphone?.notes ?? [];
  }

  // Records so many takes of so many seconds; `kept` gets each one and is waited for.
  async record(count: number, seconds: number, kept: (take: NewTake, place: number) => Promise<void>): Promise<void> {
    const wish = ++this.wanted;
    this.finish(null);
    this.inRow = true;
    clearTimeout(this.idle);
    const microphone = await this.open();
    for (let place = 0; place < count && wish === this.wanted; place++) {
      const take = await this.take(microphone.sampleRate, seconds, place ? PAUSE_SECONDS : COUNT_IN_SECONDS);
      if (!take) break;
      await kept(take, place);
      if (wish === this.wanted && this.microphone !== microphone) throw new Error(LOST);
    }
    if (wish === this.wanted || !this.inRow) this.rest();
  }

  // Ends what is recorded; takes that are whole stay.
  stop(): void {
    this.wanted++;
    this.finish(null);
    this.rest();
  }

  async close(): Promise<void> {
    this.stop();
    clearTimeout(this.idle);
    const { microphone } = this;
    this.microphone = null;
    await microphone?.close();
  }

  private rest(): void {
    this.inRow = false;
    this.show({ state: "ready", share: 0, level: 0 });
    clearTimeout(this.idle);
    if (this.microphone) this.idle = setTimeout(() => void this.close(), IDLE_MS);
  }

  private async open(): Promise<Microphone> {
    if (this.microphone) return this.microphone;
    await ask(WORKLET, { cache: "no-store" }); // a server that is gone is told in words, before anybody speaks
    this.microphone = await Microphone.open(
      (samples) => this.hear(samples),
      () => this.lose(),
    );
    return this.microphone;
  }

  private lose(): void {
    const { running } = this;
    this.microphone = null;
    this.running = null;
    running?.failed(new Error(LOST));
  }

  private take(rate: number, seconds: number, wait: number): Promise<NewTake | null> {
    return new Promise((done, failed) => {
      const samples = new Float32Array(Math.round(rate * seconds));
      this.running = { skipped: Math.round(rate * wait), samples, filled: 0, done, failed };
    });
  }

  private hear(block: Float32Array): void {
    const { running, microphone } = this;
    if (!running || !microphone) return;
    const level = block.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
    const skipped = Math.min(running.skipped, block.length);
    running.skipped -= skipped;
    const part = block.subarray(skipped, skipped + running.samples.length - running.filled);
    running.samples.set(part, running.filled);
    running.filled += part.length;
    const share = running.filled / running.samples.length;
    this.show({ state: running.skipped ? "wait" : "record", share, level });
    if (share === 1) this.finish({ samples: running.samples, sampleRate: microphone.sampleRate });
  }

  private finish(take: NewTake | null): void {
    const { running } = this;
    this.running = null;
    running?.done(take);
  }
}
