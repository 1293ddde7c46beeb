// The page: what is pressed, dropped and heard, and what is shown for it.

import { Bars } from "./views/bars";
import { ClipView, showMoment } from "./views/clip_view";
import { resampledClip, scoreClip } from "./model/clip_scoring";
import { decodeFile, type Clip } from "./audio/decoding";
import { clock, counted, element, make } from "./views/elements";
import { Interpreter } from "./model/interpreter";
import { Latency } from "./model/latency";
import { LiveScoring } from "./model/live_scoring";
import { showMetadata } from "./views/metadata_list";
import { Microphone } from "./audio/microphone";
import { droppedModel, listServed, loadModel, type Entry, type LoadedModel } from "./model/models";
import { checkParity, type ParityRow } from "./model/parity";
import { Recorder } from "./record/recorder";
import { SpectrogramPicture } from "./views/spectrogram_picture";
import type { Spec } from "./model/spec";

class Page {
  private readonly model = element<HTMLSelectElement>("model");
  private readonly hop = element<HTMLSelectElement>("hop");
  private readonly file = element<HTMLInputElement>("file");
  private readonly microphoneButton = element<HTMLButtonElement>("microphone");
  private readonly parityButton = element<HTMLButtonElement>("parity");
  private readonly bars = new Bars(element("bars"));
  private readonly view = new ClipView(this.bars);
  private readonly latency = new Latency((latency) => this.showLatency(latency));
  private entries: Entry[] = [];
  private readonly dropped = new Map<Entry, LoadedModel>();
  private chosen = ""; // place of the model among the entries
  private loaded: LoadedModel | null = null;
  private interpreter: Interpreter | null = null;
  private picture: SpectrogramPicture | null = null;
  private clip: Clip | null = null;
  private live: { microphone: Microphone; scoring: LiveScoring } | null = null;
  private turn = 0; // what began earlier than the latest wish ends without a trace

  async begin(): Promise<void> {
    this.listen();
    const { models, records } = await listServed();
    models.forEach((entry) => this.add(entry));
    const recorder = records ? new Recorder((place) => this.openServed(place)) : null;
    await recorder?.begin();
    if (await recorder?.openNewest()) return;
    if (this.entries.length) return this.chooseServed("0");
    this.file.disabled = false;
    this.say("There is no model yet. Train one, or drop a .tflite file.");
  }

  private add(entry: Entry): void {
    this.model.append(make("option", { value: String(this.entries.length) }, entry.file));
    this.entries.push(entry);
  }

  // Opens a model by its place among those of the server, which may have more by now.
  private async openServed(place: number): Promise<void> {
    const { models } = await listServed();
    const known = new Set(this.entries.map(({ model }) => model));
    models.filter(({ model }) => !known.has(model)).forEach((entry) => this.add(entry));
    const address = models[place].model;
    await this.chooseServed(String(this.entries.findIndex(({ model }) => model === address)));
  }

  // Runs what a person asked for; what goes wrong is told.
  private ask(work: () => Promise<void>): void {
    element("error").hidden = true;
    work().catch((error: Error) => this.fail(error));
  }

  fail(error: Error): void {
    element("error").textContent = error.message;
    element("error").hidden = false;
    element("progress").hidden = true;
    this.say(this.interpreter ? "Ready for another recording." : "There is no model to try.");
  }

  private say(text: string): void {
    element("status").textContent = text;
  }

  private progress(done: number, total: number): void {
    const bar = element<HTMLProgressElement>("progress");
    bar.hidden = done >= total;
    bar.value = done / total;
  }

  private listen(): void {
    this.model.addEventListener("change", () => this.ask(() => this.chooseServed(this.model.value)));
    this.hop.addEventListener("change", () => this.ask(() => this.hearAgain()));
    this.file.addEventListener("change", () => {
      const [chosen] = this.file.files ?? [];
      if (chosen) this.ask(() => this.take(chosen));
      this.file.value = "";
    });
    this.microphoneButton.addEventListener("click", () => this.ask(() => (this.live ? this.stopMicrophone() : this.startMicrophone())));
    this.parityButton.addEventListener("click", () => this.ask(() => this.compare()));
    this.listenToDrops();
  }

  private listenToDrops(): void {
    const here = element("drop-here");
    const show = (event: DragEvent, shown: boolean) => {
      event.preventDefault();
      here.hidden = !shown;
    };
    document.addEventListener("dragover", (event) => show(event, true));
    document.addEventListener("dragleave", (event) => show(event, event.relatedTarget !== null));
    document.addEventListener("drop", (event) => {
      show(event, false);
      const [dropped] = event.dataTransfer?.files ?? [];
      if (dropped) this.ask(() => this.take(dropped));
    });
  }

  private async take(file: File): Promise<void> {
    if (this.live) await this.stopMicrophone();
    if (!file.name.toLowerCase().endsWith(".tflite")) {
      this.say(`Reading ${file.name} …`);
      return this.hear(await decodeFile(file));
    }
    return this.choose(file.name, () => droppedModel(file));
  }

  // Opens a model; where it does not load, the one before stays.
  private async choose(name: string, load: () => Promise<LoadedModel>): Promise<void> {
    if (this.live) await this.stopMicrophone();
    const turn = ++this.turn;
    this.enable(false);
    this.say(`Loading ${name} …`);
    try {
      const loaded = await load();
      const interpreter = await Interpreter.open(loaded.file, loaded.spec);
      await interpreter.scores(new Float32Array(loaded.spec.window_length)); // the first one allocates
      if (turn !== this.turn) return await interpreter.close();
      await this.interpreter?.close();
      this.settle(loaded, interpreter);
    } catch (error) {
      this.model.value = this.chosen;
      this.enable(this.interpreter !== null);
      this.model.disabled = false;
      throw new Error(`${name} does not load: ${(error as Error).message}`);
    }
    this.enable(true);
    this.say(`${name} is ready.`);
    document.body.dataset["ready"] = String(Math.round(performance.now()));
    if (this.clip) await this.hear(this.clip);
  }

  private chooseServed(place: string): Promise<void> {
    const entry = this.entries[+place];
    return this.choose(entry.file, async () => this.dropped.get(entry) ?? loadModel(entry));
  }

  private settle(loaded: LoadedModel, interpreter: Interpreter): void {
    this.loaded = loaded;
    this.interpreter = interpreter;
    for (const part of ["live", "checks", "about"]) element(part).hidden = false;
    this.chosen = String(this.entries.indexOf(loaded.entry));
    this.latency.clear();
    if (this.chosen === "-1") {
      this.chosen = String(this.entries.length);
      this.dropped.set(loaded.entry, loaded);
      this.add(loaded.entry);
    }
    this.model.value = this.chosen;
    this.picture = new SpectrogramPicture(element<HTMLCanvasElement>("spectrogram"), loaded.spec.sample_rate);
    this.view.pause(); // its scores are those of the model before
    this.bars.begin(loaded.spec);
    showMetadata(element("metadata"), loaded);
    element("parity-result").replaceChildren();
    element("parity-hint").textContent = loaded.entry.golden
      ? "Recordings that the build kept back, with the trained model’s scores."
      : "There are no golden vectors beside this file; earproof build writes them.";
  }

  private enable(enabled: boolean): void {
    for (const control of [this.model, this.hop, this.file, this.microphoneButton]) control.disabled = !enabled;
    this.parityButton.disabled = !enabled || !this.loaded?.entry.golden;
  }

  private async hearAgain(): Promise<void> {
    if (this.clip && !this.live) await this.hear(this.clip);
  }

  // Scores a whole clip and shows its events.
  private async hear(clip: Clip): Promise<void> {
    const { interpreter } = this;
    if (!interpreter) throw new Error("there is no model; choose one first");
    const turn = ++this.turn;
    this.clip = clip;
    await this.view.open(clip);
    this.say(`Listening to ${clip.name} …`);
    const { spec } = interpreter;
    const hop = Math.max(1, Math.round(spec.window_length / +this.hop.value));
    const samples = await resampledClip(clip, spec.sample_rate, (done, all) => this.progress(done, all));
    const stopped = () => turn !== this.turn;
    const windows = await scoreClip(interpreter, samples, hop, this.latency, (done, all) => this.progress(done, all), stopped);
    if (stopped()) return;
    this.view.show({ clip, samples, windows, hop, spec }, this.picture!);
    this.say(describe(clip, samples.length, windows.length, spec));
    document.body.dataset["scores"] = JSON.stringify(windows.map(({ scores }) => Array.from(scores)));
  }

  private async startMicrophone(): Promise<void> {
    const { interpreter, picture } = this;
    if (!interpreter || !picture) throw new Error("there is no model; choose one first");
    this.turn++;
    this.view.pause();
    this.say("Waiting for the microphone …");
    const early: Float32Array[] = []; // what comes before its rate is known here
    let take = (samples: Float32Array): void => void early.push(samples);
    const microphone = await Microphone.open((samples) => take(samples));
    const show = (samples: Float32Array, scores: Float32Array | null) => {
      picture.push(samples);
      if (scores) this.bars.show(scores);
    };
    const scoring = new LiveScoring(interpreter, microphone.sampleRate, this.latency, show, (error) => this.fail(error));
    picture.clear();
    early.forEach((samples) => scoring.take(samples));
    take = (samples) => scoring.take(samples);
    this.live = { microphone, scoring };
    showMoment("now", `${picture.seconds} s ago`, "now");
    this.showMicrophone(true);
    this.say(["Listening to the microphone", ...microphone.notes].join("; ") + ".");
  }

  // Ends it; what it heard is then a recording.
  private async stopMicrophone(): Promise<void> {
    const { live } = this;
    if (!live) return;
    this.live = null;
    this.showMicrophone(false);
    await live.microphone.close();
    const samples = live.scoring.recording();
    const name = `Microphone, ${new Date().toLocaleTimeString("en-GB")}`;
    if (samples.length) await this.hear({ name, samples, sampleRate: live.scoring.sampleRate, notes: [] });
  }

  private showMicrophone(on: boolean): void {
    this.microphoneButton.setAttribute("aria-pressed", String(on));
    this.microphoneButton.textContent = on ? "Stop" : "Microphone";
    for (const control of [this.model, this.hop]) control.disabled = on;
    this.view.hide(on || !this.clip);
  }

  private async compare(): Promise<void> {
    const { interpreter, loaded } = this;
    if (!interpreter || !loaded?.entry.golden) return;
    const result = element("parity-result");
    result.replaceChildren();
    this.parityButton.disabled = true;
    try {
      const rows = await checkParity(interpreter, this.latency, loaded.entry.golden, (done, total) => this.progress(done, total));
      result.replaceChildren(...rows.map(verdict));
    } finally {
      this.parityButton.disabled = false;
      element("progress").hidden = true;
    }
  }

  private showLatency(latency: Latency): void {
    const shown = (share: number) => (latency.count ? `${latency.percentile(share).toFixed(1)} ms` : "–");
    element("p50").textContent = shown(0.5);
    element("p95").textContent = shown(0.95);
    element("timed").textContent = String(latency.count);
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

function verdict({ against, passed, maxAbsError, agreement, limits, count }: ParityRow): HTMLElement {
  const error = `scores differ by at most ${maxAbsError.toExponential(1)}`;
  const limit = limits.max_abs_error === null ? "" : ` (limit ${limits.max_abs_error.toExponential(0)})`;
  const decisions = `${(100 * agreement).toFixed(1)} % of decisions equal (limit ${(100 * limits.decision_agreement).toFixed(1)} %)`;
  return make(
    "p",
    { className: passed ? "verdict" : "verdict failed" },
    make("strong", {}, passed ? "Pass" : "Fail"),
    ` against ${against}: ${error}${limit}, ${decisions}, on ${counted(count, "window")}.`,
  );
}

const page = new Page();
page.begin().catch((error: Error) => page.fail(error));
