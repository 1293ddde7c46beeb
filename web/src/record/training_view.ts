// Trainings: what one still needs, how the running one does, and what finished ones came to.

import { clock, element, make } from "../views/elements";
import { showCurves } from "./curves";
import { readBundle, readLog, readReport, readTrainings, startTraining, stopTraining, type State, type Training } from "./recordings";

const EVERY_MS = 700;
const RETRY_MS = 2000; // while the server does not answer

export interface TrainingActions {
  // Opens a model that somebody asked for, by its place among those that the server has.
  hear: (place: number, name: string) => Promise<void>;
  // A training has ended with models, whatever is done meanwhile.
  finished: (place: number, name: string) => Promise<void>;
  began: () => void;
}

export class TrainingView {
  private readonly button = element<HTMLButtonElement>("train");
  private readonly stopButton = element<HTMLButtonElement>("stop-training");
  private readonly epochs = element<HTMLInputElement>("epochs");
  private watching = false;
  private drawn = ""; // what the curves show, so that they are not made anew for nothing
  private newest: Training | undefined;
  private readonly results = new Map<string, HTMLElement>(); // of the trainings that are over

  constructor(private readonly actions: TrainingActions) {
    this.button.addEventListener("click", () => this.ask(() => this.start()));
    this.stopButton.addEventListener("click", () => this.ask(async () => void (await stopTraining())));
    element("log-part").addEventListener("toggle", () => this.ask(() => this.showLog()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawCurves());
  }

  show(state: State): void {
    const needs = element("train-needs");
    needs.replaceChildren(...state.missing.map((text) => make("li", {}, text)));
    needs.hidden = !state.missing.length;
    this.button.disabled = state.missing.length > 0 || this.watching;
    const isHead = state.model === "transfer";
    element("train-how").textContent = isHead
      ? "A head is fitted on the backbone of this machine; with ten takes a label this takes about a minute."
      : "There is no backbone on this machine, so a small CNN is trained from nothing: it needs many more takes. " +
        "To get one, end the server and run: earproof backbone get yamnet_256";
    element("epochs-field").hidden = isHead;
    this.showTrainings(state.trainings);
    if (state.trainings.some((one) => one.state === "running")) this.ask(() => this.watch());
  }

  private ask(work: () => Promise<void>): void {
    element("train-error").hidden = true;
    work().catch((error: Error) => this.fail(error));
  }

  private fail(error: Error): void {
    const told = element("train-error");
    told.hidden = false;
    if (told.textContent !== error.message) told.textContent = error.message; // what is told again and again is said once
  }

  private async start(): Promise<void> {
    this.button.disabled = true;
    try {
      const epochs = element("epochs-field").hidden || !this.epochs.value ? null : this.epochs.valueAsNumber;
      await startTraining(epochs);
      this.actions.began();
    } catch (error) {
      this.button.disabled = false;
      throw error;
    }
    await this.watch();
  }

  // Follows the running training to its end.
  private async watch(): Promise<void> {
    if (this.watching) return;
    this.watching = true;
    this.button.disabled = true;
    try {
      for (;;) {
        const trainings = await this.readOn();
        this.showTrainings(trainings);
        if (!trainings.some(({ state }) => state === "running")) return await this.ended(trainings.at(-1));
        if (element<HTMLDetailsElement>("log-part").open) await this.showLog();
        await new Promise((done) => setTimeout(done, EVERY_MS));
      }
    } finally {
      this.watching = false;
      this.button.disabled = element("train-needs").childElementCount > 0;
    }
  }

  // The trainings, as soon as the server answers: it may be started again meanwhile.
  private async readOn(): Promise<Training[]> {
    for (let failed = false; ; failed = true) {
      try {
        const trainings = await readTrainings();
        if (failed) element("train-error").hidden = true;
        return trainings;
      } catch (error) {
        this.fail(error as Error);
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
  }

  private async ended(training: Training | undefined): Promise<void> {
    if (!training) return;
    await this.showLog();
    if (training.state === "stopped") return;
    if (training.state === "ended") {
      throw new Error(`${spelled(training.name)} ended before it was finished. ${training.error ?? ""} Its log says more.`);
    }
    if (training.models?.length) await this.actions.finished(training.models[0], training.name);
  }

  private showTrainings(trainings: Training[]): void {
    const running = trainings.find(({ state }) => state === "running");
    element("training-now").hidden = !running;
    this.stopButton.hidden = !running;
    if (running) {
      element<HTMLProgressElement>("training-progress").value = running.share;
      element("training-step").textContent = `${clock(running.seconds)}: ${stepName(running.step)}`;
    }
    element("log-part").hidden = !trainings.length;
    this.newest = trainings.at(-1);
    const drawn = `${this.newest?.name} ${this.newest?.history.length}`;
    if (drawn !== this.drawn) this.drawCurves();
    this.drawn = drawn;
    this.showResults(trainings.filter(({ state }) => state !== "running"));
  }

  private drawCurves(): void {
    showCurves(element("curves"), this.newest?.history ?? []);
  }

  // The newest first; those that are shown stay as they are, with what is open in them and what has the focus.
  private showResults(over: Training[]): void {
    const names = over.map(({ name }) => name);
    for (const [name, part] of this.results) {
      if (names.includes(name)) continue;
      part.remove();
      this.results.delete(name);
    }
    for (const training of over) {
      if (this.results.has(training.name)) continue;
      const part = this.result(training, training === over.at(-1));
      this.results.set(training.name, part);
      element("trainings").prepend(part);
    }
  }

  private result(training: Training, newest: boolean): HTMLElement {
    const took = training.seconds < 90 ? `${Math.round(training.seconds)} s` : `${clock(training.seconds)} min`;
    const facts = training.model ? ` (${training.model}, ${took})` : "";
    const part = make("details", { open: newest }, make("summary", {}, `${spelled(training.name)}${facts}`));
    if (training.state === "damaged") {
      part.append(make("p", {}, training.error ?? ""));
      return part;
    }
    if (training.state === "stopped") {
      part.append(make("p", {}, "You stopped it; there is no file."));
      return part;
    }
    if (training.state === "ended") {
      part.append(make("p", {}, `It ended before it was finished. ${training.error ?? ""}`));
      return part;
    }
    for (const text of training.verdict ?? []) part.append(paragraph(text));
    part.append(this.files(training), this.reportButton(training));
    return part;
  }

  private files(training: Training): HTMLElement {
    const rows = (training.files ?? []).map(({ file, bytes, passed }) => {
      const download = make("button", { type: "button", ariaLabel: `Download ${file} with its bundle` }, "Download");
      download.addEventListener("click", () => this.ask(async () => save(await readBundle(training.name, file), `${file.replace(/\.tflite$/, "")}-bundle.tar.gz`)));
      const name = file === training.best ? make("strong", {}, file) : file;
      const cells = [name, `${Math.round(bytes / 1000)} kB`, passed ? "passes" : "fails", download];
      return make("tr", {}, ...cells.map((cell) => make("td", {}, cell)));
    });
    const head = ["file", "size", "parity", "with its bundle"].map((text) => make("th", { scope: "col" }, text));
    const scroll = make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: `Files of ${training.name}` });
    scroll.append(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
    return scroll;
  }

  private reportButton(training: Training): HTMLElement {
    const button = make("button", { type: "button" }, "Save the report");
    button.addEventListener("click", () => this.ask(async () => save(await readReport(training.name), `${training.name}.html`)));
    const [place] = training.models ?? [];
    const hear = make("button", { type: "button", className: "primary" }, "Hear with it");
    hear.addEventListener("click", () => this.ask(() => this.actions.hear(place, training.name)));
    return make("p", { className: "training-actions" }, hear, button);
  }

  private async showLog(): Promise<void> {
    if (!element<HTMLDetailsElement>("log-part").open) return;
    const newest = (await readTrainings()).at(-1);
    if (newest) element("log").textContent = (await readLog(newest.name)).join("\n");
  }
}

// "training-001" as people say it.
export function spelled(name: string): string {
  return name.replace(/^training-0*/, "Training ");
}

// The beginning of a line of the log, without what a terminal draws.
function stepName(line: string): string {
  return line.replace(/:? +\d+%\|.*\| */, " ").replace(/\[\d\d:.*$/, "");
}

// A sentence of a verdict, with what it has in bold and as code.
function paragraph(text: string): HTMLElement {
  const parts = text.split(/(\*\*.*?\*\*|`.*?`)/).filter(Boolean);
  return make(
    "p",
    {},
    ...parts.map((part) => {
      if (part.startsWith("**")) return make("strong", {}, part.slice(2, -2));
      return part.startsWith("`") ? make("code", {}, part.slice(1, -1)) : part;
    }),
  );
}

function save(content: Blob, name: string): void {
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
