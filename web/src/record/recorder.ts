// The part of the page that records: from takes over what is wrong with them to a training.

import { decodeFile } from "../audio/decoding";
import { wavFile } from "../audio/wav_writing";
import type { RemoteEngine } from "../engine/remote_engine";
import { NoAnswer, whenServerIsNew } from "../server";
import { counted, element, make } from "../views/elements";
import { focusFirst, handingOn } from "./focus";
import { listenToKeys } from "./keys";
import { faultOf } from "./loudness";
import { addLabel, deleteTake, findFaults, keepTake, readState, removeLabel, restoreTake, type State, type Take } from "./recordings";
import { Sessions } from "./sessions";
import { TakeList } from "./take_list";
import { TakeRecorder, type Moment } from "./take_recorder";
import { TrainingNews } from "./training_news";
import { spelled, TrainingView } from "./training_view";
import { UnkeptTakes, type UnkeptTake } from "./unkept_takes";

interface Kept {
  path: string;
  told: string; // what is to be said of it
}

export class Recorder {
  private readonly sessions = new Sessions();
  private readonly takes: TakeList;
  private readonly training: TrainingView;
  private readonly microphone = new TakeRecorder((moment) => this.showMoment(moment));
  private readonly unkept = new UnkeptTakes();
  private readonly news = new TrainingNews((work) => this.ask(work));
  private state: State | null = null;
  private heard: (() => void) | null = null; // called with the first sound
  private deleted: string[] = []; // takes that can be brought back, the last one first

  constructor(
    private readonly open: (place: number) => Promise<void>,
    private readonly engine: Promise<RemoteEngine>,
  ) {
    this.takes = new TakeList(element("labels"), engine, {
      record: (label) => this.ask(() => this.record(label)),
      addFiles: (label, files) => this.ask(() => this.addFiles(label, files)),
      removeLabel: (label) => this.ask(() => this.change(removeLabel(label), `Removed the label ${label}.`)),
      delete: (take) => this.ask(() => this.delete(take)),
      failed: (error) => this.fail(error),
    });
    this.training = new TrainingView({
      hear: (place, name) => this.hear(place, name),
      finished: (place, name) => this.finished(place, name),
      began: () => this.news.clear(),
    });
    this.listen();
  }

  async begin(): Promise<void> {
    element("record").hidden = false;
    element("check").hidden = false;
    element("train-part").hidden = false;
    await this.refresh();
    this.sessions.goOn();
    const first = this.state?.labels.length ? "Press Record, or the key R." : "Add the labels that the model shall tell apart.";
    this.say(`${first} ${this.sessions.describe()}`);
  }

  // Opens the newest file that was trained here; says whether there is one.
  async openNewest(): Promise<boolean> {
    const place = this.state?.trainings.findLast(({ models }) => models?.length)?.models?.[0];
    if (place !== undefined) await this.open(place);
    return place !== undefined;
  }

  private listen(): void {
    element<HTMLFormElement>("add-label").addEventListener("submit", (event) => {
      event.preventDefault();
      const input = element<HTMLInputElement>("new-label");
      const name = input.value;
      this.ask(async () => {
        await this.change(addLabel(name), `Added the label ${name.trim()}.`);
        input.value = "";
      });
    });
    element("new-session").addEventListener("click", () => {
      this.sessions.begin();
      this.say(`${this.sessions.name} begins: change the place, the distance or the speaker.`);
    });
    element("stop-recording").addEventListener("click", () => this.stop());
    const check = () => handingOn(element("find-faults"), () => this.check(), () => []);
    const actions = { undo: () => this.takeBack(), "keep-again": () => this.keepAgain(), "find-faults": check };
    for (const [id, act] of Object.entries(actions)) element(id).addEventListener("click", () => this.ask(act));
    listenToKeys({
      record: () => this.ask(() => this.record(this.takes.active)),
      stop: () => this.stop(),
      play: () => this.withNewest((take) => this.takes.play(take)),
      delete: () => this.withNewest((take) => this.delete(take)),
      choose: (place) => this.takes.choose(place),
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.microphone.busy) this.ask(() => this.refresh()); // another tab may have recorded
    });
    whenServerIsNew(() => this.ask(() => this.meetServer()));
  }

  private ask(work: () => Promise<void>): void {
    element("record-error").hidden = true;
    work().catch((error: Error) => this.fail(error));
  }

  private fail(error: Error): void {
    this.warn(error.message);
    // It may be about a take that another tab has deleted. Where no state comes either, the error has said why.
    if (!this.microphone.busy) void this.refresh().catch(() => undefined);
  }

  private warn(text: string): void {
    element("record-error").textContent = text;
    element("record-error").hidden = false;
  }

  private say(text: string): void {
    element("record-status").textContent = text;
  }

  private async refresh(): Promise<void> {
    const state = await readState();
    this.state = state;
    element("record-folder").textContent = state.folder;
    const notes = state.notes ?? [];
    element("record-notes").replaceChildren(...notes.map((text) => make("li", {}, text)));
    element("record-notes").hidden = !notes.length;
    this.sessions.show(state.takes);
    this.takes.show(state);
    this.training.show(state);
    element<HTMLButtonElement>("find-faults").disabled = !state.takes.length;
  }

  private async change(change: Promise<unknown>, told: string): Promise<void> {
    await change;
    await this.refresh();
    this.say(told);
  }

  // The address of a server that was started again was opened in this tab.
  private async meetServer(): Promise<void> {
    await this.refresh();
    const { count } = this.unkept;
    const hint = count ? ` ${counted(count, "take")} can be kept again.` : "";
    this.say(`The server answers again.${hint} ${this.sessions.describe()}`);
  }

  private async delete(take: Take): Promise<void> {
    const { told, is_gone } = await deleteTake(take.path);
    if (!is_gone) this.deleted.unshift(take.path);
    this.showUndo();
    await this.refresh();
    this.say(told);
  }

  private async takeBack(): Promise<void> {
    const [path] = this.deleted;
    const work = async () => {
      try {
        await restoreTake(path);
        await this.refresh();
      } catch (error) {
        if (!(error instanceof NoAnswer)) this.forgetDeleted(path); // refused for good: older ones can come back still
        throw error;
      }
      this.forgetDeleted(path);
    };
    await handingOn(element("undo"), work, () => this.takes.idsOf(path));
    this.say("The take is back.");
  }

  private forgetDeleted(path: string): void {
    this.deleted = this.deleted.filter((one) => one !== path);
    this.showUndo();
  }

  private showUndo(): void {
    const button = element("undo");
    button.hidden = !this.deleted.length;
    button.textContent = this.deleted.length > 1 ? `Undo (${this.deleted.length} deleted)` : "Undo";
  }

  private withNewest(work: (take: Take) => Promise<void>): void {
    const newest = this.takes.takesOf(this.takes.active).at(0);
    if (newest) this.ask(() => work(newest));
  }

  // Opens a file that somebody asked to hear with, and goes there.
  private async hear(place: number, name: string): Promise<void> {
    const stopped = this.microphone.busy ? "Stopped recording. " : "";
    await this.microphone.close();
    await this.open(place);
    this.news.clear();
    this.say(`${stopped}${spelled(name)} is open below: press Microphone to hear with it.`);
    element("choose").scrollIntoView({ behavior: "smooth", block: "start" });
    element("microphone").focus({ preventScroll: true });
  }

  // Says that a training has ended, and leaves alone what somebody does meanwhile. Its file is opened by itself only
  // where no other one is there to be tried, and nobody records.
  private async finished(place: number, name: string): Promise<void> {
    const hear = () => this.hear(place, name);
    this.news.tell(`${spelled(name)} is finished.`, hear);
    if (this.microphone.busy || element("model").childElementCount) return;
    await handingOn(document.activeElement as HTMLElement, () => this.open(place), () => []);
    this.news.tell(`${spelled(name)} is finished, and open below.`, hear);
  }

  private async record(label: string): Promise<void> {
    if (this.microphone.busy) return void this.stop();
    const session = this.sessions.name;
    if (!session) throw new Error("the session has no name; say who or where, so that its takes stay together");
    if (!label) throw new Error("there is no label to record; add one first");
    this.takes.active = label;
    const count = +element<HTMLSelectElement>("take-count").value;
    const seconds = +element<HTMLSelectElement>("take-seconds").value;
    this.say("Waiting for the microphone …");
    this.heard = () => this.say(`Recording ${label}, session ${session} …`);
    try {
      await this.microphone.record(count, seconds, async (take, place) => {
        const { told } = await this.keepRecorded({ label, session, take });
        await this.refresh();
        this.say(`${told}${count > 1 ? ` (${place + 1} of ${count})` : ""}`);
      });
    } catch (error) {
      this.microphone.stop();
      this.say("Nothing is recorded now.");
      throw error;
    }
  }

  // Keeps a take that is nowhere else: what cannot be sent is held on the page.
  private async keepRecorded(one: UnkeptTake): Promise<Kept> {
    try {
      return await this.keep(one);
    } catch (error) {
      this.unkept.hold(one);
      throw new Error(`the take of ${one.label} is not kept: ${(error as Error).message}`);
    }
  }

  // Sends a take to the folder.
  private async keep({ label, session, take: { samples, sampleRate } }: UnkeptTake): Promise<Kept> {
    const path = await keepTake(label, session, wavFile(samples, sampleRate));
    this.takes.know(path, samples);
    const fault = faultOf(samples);
    const notes = [...(fault ? [fault] : []), ...this.microphone.notes];
    return { path, told: `Kept ${path}${notes.length ? `; ${notes.join("; ")}` : ""}.` };
  }

  // Sends the takes again that were recorded and could not be kept.
  private async keepAgain(): Promise<void> {
    const kept: Kept[] = [];
    let faults: string[] = [];
    const work = async () => {
      faults = await this.unkept.send(async (one) => void kept.push(await this.keep(one)));
      if (kept.length) await this.refresh();
    };
    await handingOn(element("keep-again"), work, () => this.takes.idsOf(kept.at(-1)?.path ?? ""));
    if (kept.length) this.say(kept.map(({ told }) => told).join(" "));
    if (faults.length) throw new Error(`${counted(this.unkept.count, "take")} still not kept: ${faults.join("; ")}`);
  }

  private async addFiles(label: string, files: File[]): Promise<void> {
    const session = this.sessions.name;
    if (!session) throw new Error("the session has no name; say where the files come from");
    const refused: string[] = [];
    const told: string[] = [];
    for (const [place, file] of files.entries()) {
      this.say(`Adding ${file.name} (${place + 1} of ${files.length}) …`);
      try {
        const clip = await decodeFile(file, await this.engine, true);
        await this.keep({ label, session, take: clip });
        if (clip.notes.length) told.push(`${file.name}: ${clip.notes.join(", ")}`);
      } catch (error) {
        const { message } = error as Error;
        refused.push(message.includes(file.name) ? message : `${file.name}: ${message}`);
      }
    }
    const added = files.length - refused.length;
    const parts = [...(refused.length ? [`${refused.length} not added`] : []), ...told];
    this.say(`Added ${added ? counted(added, "file") : "no file"} to ${label}, session ${session}${parts.map((one) => `; ${one}`).join("")}.`);
    if (refused.length) this.warn(`${counted(refused.length, "file")} not added: ${refused.join("; ")}`);
    await this.refresh();
  }

  // Ends a row; says whether there was one.
  private stop(): boolean {
    if (!this.microphone.busy) return false;
    this.microphone.stop();
    this.say("Stopped; the take that was not whole is not kept.");
    return true;
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
    const stop = element("stop-recording");
    const had = document.activeElement === stop;
    stop.hidden = state === "ready";
    if (had && stop.hidden) focusFirst(this.takes.idsOf(""));
  }
}

function named(clips: string[]): HTMLElement[] {
  if (!clips.length) return [];
  const list = make("ul", {}, ...clips.map((clip) => make("li", {}, clip)));
  return [make("details", {}, make("summary", {}, `Which (${clips.length})`), list)];
}
