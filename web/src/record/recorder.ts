// The part of the page that records: from takes over what is wrong with them to a training.

import { decodeFile } from "../audio/decoding";
import { wavFile } from "../audio/wav_writing";
import type { RemoteEngine } from "../engine/remote_engine";
import { isTaken, keepSingleKeys } from "../parts/single_keys";
import { counted, element, make } from "../views/elements";
import { faultOf } from "./loudness";
import { addLabel, findFaults, keepTake, readState, removeLabel, type State } from "./recordings";
import { TakeList } from "./take_list";
import { TakeRecorder, type Moment, type NewTake } from "./take_recorder";
import { spelled, TrainingView } from "./training_view";

const SESSION = "earproof-session"; // kept in this tab, so that a page that is loaded again goes on with it

export class Recorder {
  private readonly session = element<HTMLInputElement>("session");
  private readonly takes: TakeList;
  private readonly training: TrainingView;
  private readonly microphone = new TakeRecorder((moment) => this.showMoment(moment));
  private readonly keysAreOn = keepSingleKeys();
  private state: State | null = null;
  private heard: (() => void) | null = null; // called with the first sound
  private undos: (() => Promise<unknown>)[] = []; // what brings deleted takes back, the last one first
  private unkept: { label: string; session: string; take: NewTake } | null = null; // recorded, and not on the disk

  constructor(
    private readonly hear: (place: number) => Promise<void>,
    private readonly engine: Promise<RemoteEngine>,
  ) {
    this.takes = new TakeList(element("labels"), engine, {
      record: (label) => this.ask(() => this.record(label)),
      addFiles: (label, files) => this.ask(() => this.addFiles(label, files)),
      removeLabel: (label) => this.ask(async () => this.afterChange(removeLabel(label), `Removed the label ${label}.`)),
      changed: (told, undo) => this.changed(told, undo),
      failed: (error) => this.fail(error),
    });
    this.training = new TrainingView({
      hear: async (place, name) => {
        await this.microphone.close();
        await this.hear(place);
        this.say(`${spelled(name)} is open below: press Microphone to hear with it.`);
        element("choose").scrollIntoView({ behavior: "smooth", block: "start" });
        element("microphone").focus({ preventScroll: true });
      },
    });
    this.listen();
  }

  async begin(): Promise<void> {
    element("record").hidden = false;
    element("check").hidden = false;
    element("train-part").hidden = false;
    await this.refresh();
    this.nameSession(sessionStorage.getItem(SESSION) || this.nextSession());
    this.say(this.state?.labels.length ? "Press Record, or the key R." : "Add the labels that the model shall tell apart.");
  }

  // Opens the newest file that was trained here; says whether there is one.
  async openNewest(): Promise<boolean> {
    const place = this.state?.trainings.findLast(({ models }) => models?.length)?.models?.[0];
    if (place !== undefined) await this.hear(place);
    return place !== undefined;
  }

  private listen(): void {
    element<HTMLFormElement>("add-label").addEventListener("submit", (event) => {
      event.preventDefault();
      const input = element<HTMLInputElement>("new-label");
      const name = input.value;
      this.ask(async () => {
        await this.afterChange(addLabel(name), `Added the label ${name.trim()}.`);
        input.value = "";
      });
    });
    element("new-session").addEventListener("click", () => {
      this.nameSession(this.nextSession());
      this.say(`${this.session.value} begins: change the place, the distance or the speaker.`);
    });
    element("stop-recording").addEventListener("click", () => this.stop());
    element("keep-again").addEventListener("click", () => this.ask(() => this.keepAgain()));
    this.session.addEventListener("input", () => sessionStorage.setItem(SESSION, this.session.value));
    element("undo").addEventListener("click", () => this.ask(() => this.takeBack()));
    element("find-faults").addEventListener("click", () => this.ask(() => this.check()));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.microphone.busy) this.ask(() => this.refresh()); // another tab may have recorded
    });
  }

  private ask(work: () => Promise<void>): void {
    element("record-error").hidden = true;
    work().catch((error: Error) => this.fail(error));
  }

  private fail(error: Error): void {
    this.microphone.stop();
    this.say("Nothing is recorded now.");
    element("record-error").textContent = error.message;
    element("record-error").hidden = false;
  }

  private say(text: string): void {
    element("record-status").textContent = text;
  }

  private async refresh(): Promise<void> {
    const state = await readState();
    this.state = state;
    element("record-folder").textContent = state.folder;
    this.takes.show(state);
    this.training.show(state);
    element("session-names").replaceChildren(...this.sessions().map((value) => make("option", { value })));
    element<HTMLButtonElement>("find-faults").disabled = !state.takes.length;
  }

  private async afterChange(change: Promise<unknown>, told: string): Promise<void> {
    await change;
    await this.changed(told, null);
  }

  private async changed(told: string, undo: (() => Promise<unknown>) | null): Promise<void> {
    if (undo) this.undos.unshift(undo);
    this.showUndo();
    await this.refresh();
    this.say(told);
  }

  private async takeBack(): Promise<void> {
    const [undo] = this.undos;
    if (!undo) return;
    await undo();
    this.undos.shift();
    await this.changed("The take is back.", null);
  }

  private showUndo(): void {
    const button = element("undo");
    button.hidden = !this.undos.length;
    button.textContent = this.undos.length > 1 ? `Undo (${this.undos.length} deleted)` : "Undo";
  }

  // Sends a take again that was recorded and could not be kept.
  private async keepAgain(): Promise<void> {
    if (!this.unkept) return;
    const { label, session, take } = this.unkept;
    const told = await this.keep(label, session, take);
    await this.changed(told, null);
  }

  private sessions(): string[] {
    return [...new Set(this.state?.takes.map(({ group }) => group) ?? [])];
  }

  private nameSession(name: string): void {
    this.session.value = name;
    sessionStorage.setItem(SESSION, name);
  }

  // A name that no session has.
  private nextSession(): string {
    const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
    const taken = this.sessions();
    let number = 1;
    while (taken.includes(`Session ${number}, ${day}`) || this.session.value === `Session ${number}, ${day}`) number++;
    return `Session ${number}, ${day}`;
  }

  private async record(label: string): Promise<void> {
    if (this.microphone.busy) return this.stop();
    const session = this.session.value.trim();
    if (!session) throw new Error("the session has no name; say who or where, so that its takes stay together");
    this.takes.active = label;
    const count = +element<HTMLSelectElement>("take-count").value;
    const seconds = +element<HTMLSelectElement>("take-seconds").value;
    this.say("Waiting for the microphone …");
    this.heard = () => this.say(`Recording ${label} …`);
    const kept = async (take: NewTake, place: number) => {
      const told = await this.keep(label, session, take);
      await this.refresh();
      this.say(`${told}${count > 1 ? ` (${place + 1} of ${count})` : ""}`);
    };
    await this.microphone.record(count, seconds, kept);
  }

  // Sends a take to the folder; returns what is to be said of it.
  private async keep(label: string, session: string, { samples, sampleRate }: NewTake): Promise<string> {
    let path: string;
    try {
      path = await keepTake(label, session, wavFile(samples, sampleRate));
    } catch (error) {
      this.showUnkept({ label, session, take: { samples, sampleRate } });
      throw new Error(`the take of ${label} is not kept: ${(error as Error).message}`);
    }
    this.showUnkept(null);
    this.takes.know(path, samples);
    const fault = faultOf(samples);
    const notes = [...(fault ? [fault] : []), ...this.microphone.notes];
    return `Kept ${path}${notes.length ? `; ${notes.join("; ")}` : ""}.`;
  }

  private showUnkept(unkept: Recorder["unkept"]): void {
    this.unkept = unkept;
    element("keep-again").hidden = !unkept;
  }

  private async addFiles(label: string, files: File[]): Promise<void> {
    const session = this.session.value.trim();
    if (!session) throw new Error("the session has no name; say where the files come from");
    const refused: string[] = [];
    for (const [place, file] of files.entries()) {
      this.say(`Adding ${file.name} (${place + 1} of ${files.length}) …`);
      try {
        await this.keep(label, session, await decodeFile(file, await this.engine));
      } catch (error) {
        refused.push((error as Error).message);
      }
    }
    await this.refresh();
    const added = files.length - refused.length;
    if (added) this.say(`Added ${counted(added, "file")} to ${label}, session ${session}.`);
    if (refused.length) throw new Error(`${counted(refused.length, "file")} not added: ${refused.join("; ")}`);
  }

  private stop(): void {
    this.microphone.stop();
    this.say("Stopped; the take that was not whole is not kept.");
  }

  private async check(): Promise<void> {
    const list = element("findings");
    const button = element<HTMLButtonElement>("find-faults");
    button.disabled = true;
    list.replaceChildren(make("p", {}, "Listening to all takes …"));
    try {
      const found = await findFaults();
      list.replaceChildren(
        ...found.map(({ level, text, clips }) => make("div", { className: `finding ${level}` }, make("strong", {}, `${level}: `), text, ...named(clips))),
        ...(found.length ? [] : [make("p", {}, `Nothing is wrong with ${counted(this.state?.takes.length ?? 0, "take")}.`)]),
      );
    } catch (error) {
      list.replaceChildren(make("div", { className: "error" }, (error as Error).message));
    } finally {
      button.disabled = false;
    }
  }

  private showMoment({ state, share, level }: Moment): void {
    if (state !== "ready") this.heard?.();
    this.heard = null;
    const strip = element("take-strip");
    strip.dataset["state"] = state;
    element("take-state").textContent = { ready: "Ready", wait: "Get ready …", record: "Recording" }[state];
    element<HTMLProgressElement>("take-progress").value = share;
    const decibels = 20 * Math.log10(Math.max(level, 1e-5));
    element("take-level").style.width = `${Math.max(0, Math.min(100, ((decibels + 60) / 60) * 100))}%`;
    element("stop-recording").hidden = state === "ready";
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event) || !this.keysAreOn() || element("record").hidden) return;
    const newest = this.takes.takesOf(this.takes.active).at(0);
    if (event.key === "r") this.ask(() => this.record(this.takes.active));
    else if (event.key === "Escape" && this.microphone.busy) this.stop();
    else if (event.key === "p" && newest) this.ask(() => this.takes.play(newest));
    else if (event.key === "Delete" && newest) this.ask(() => this.takes.delete(newest));
    else if (/^[1-9]$/.test(event.key)) this.takes.choose(+event.key - 1);
    else return;
    event.preventDefault();
  }
}

function named(clips: string[]): HTMLElement[] {
  if (!clips.length) return [];
  const list = make("ul", {}, ...clips.map((clip) => make("li", {}, clip)));
  return [make("details", {}, make("summary", {}, `Which (${clips.length})`), list)];
}
