// Which model hears: one that the page was served with, or one that was dropped on it.

import type { RemoteEngine } from "../engine/remote_engine";
import { Ear } from "../model/ear";
import type { Latency } from "../model/latency";
import { droppedModel, listServed, loadModel, type Entry, type LoadedModel } from "../model/models";
import { element, make } from "../views/elements";
import { enableControls } from "./controls";
import type { Teller } from "./teller";
import type { Turns } from "./turns";

export interface Chosen {
  loaded: LoadedModel;
  ear: Ear;
}

export class ModelChoice {
  current: Chosen | null = null;
  private readonly list = element<HTMLSelectElement>("model");
  private readonly entries: Entry[] = [];
  private readonly dropped = new Map<Entry, LoadedModel>();
  private place = ""; // of the current model among the entries

  constructor(
    private readonly engine: Promise<RemoteEngine>,
    private readonly latency: Latency,
    private readonly teller: Teller,
    private readonly turns: Turns,
    private readonly settled: (chosen: Chosen) => Promise<void>,
  ) {
    this.list.addEventListener("change", () => teller.ask(() => this.chooseServed(this.list.value)));
  }

  // Loads the first model that is offered.
  async begin(): Promise<void> {
    if (this.entries.length) return this.chooseServed("0");
    element<HTMLInputElement>("file").disabled = false;
    this.teller.rest = "There is no model yet. Train one, or drop a .tflite file.";
    this.teller.say(this.teller.rest);
  }

  // Puts models of the server on the list, those that are not there yet.
  offer(entries: readonly Entry[]): void {
    const known = new Set(this.entries.map(({ model }) => model));
    entries.filter(({ model }) => !known.has(model)).forEach((entry) => this.add(entry));
  }

  // Opens a model by its place among those of the server, which may have more by now.
  async openServed(place: number): Promise<void> {
    const { models } = await listServed();
    this.offer(models);
    const address = models[place].model;
    await this.chooseServed(String(this.entries.findIndex(({ model }) => model === address)));
  }

  // The model that hears now; an error where there is none.
  get chosen(): Chosen {
    if (!this.current) throw new Error("there is no model; choose one first");
    return this.current;
  }

  chooseDropped(file: File): Promise<void> {
    return this.choose(file.name, () => droppedModel(file));
  }

  private chooseServed(place: string): Promise<void> {
    const entry = this.entries[+place];
    return this.choose(entry.file, async () => this.dropped.get(entry) ?? loadModel(entry));
  }

  // Opens a model; where it does not load, the one before stays.
  private async choose(name: string, load: () => Promise<LoadedModel>): Promise<void> {
    const stopped = this.turns.begin();
    enableControls(false);
    this.teller.say(`Loading ${name} …`);
    try {
      const [engine, loaded] = await Promise.all([this.engine, load()]);
      const ear = await Ear.open(engine, loaded, this.latency);
      if (stopped()) return await ear.close();
      await this.current?.ear.close();
      this.settle({ loaded, ear });
    } catch (error) {
      this.list.value = this.place;
      enableControls(this.current !== null);
      this.list.disabled = false;
      throw new Error(`${name} does not load: ${(error as Error).message}`);
    }
    enableControls(true);
    this.teller.rest = "Ready for another recording.";
    this.teller.say(`${name} is ready.`);
    document.body.dataset["ready"] = String(Math.round(performance.now()));
    await this.settled(this.chosen);
  }

  private settle(chosen: Chosen): void {
    const { entry } = chosen.loaded;
    this.current = chosen;
    this.latency.clear();
    if (!this.entries.includes(entry)) {
      this.dropped.set(entry, chosen.loaded);
      this.add(entry);
    }
    this.place = String(this.entries.indexOf(entry));
    this.list.value = this.place;
  }

  private add(entry: Entry): void {
    this.entries.push(entry);
    this.list.append(make("option", { value: String(this.entries.length - 1) }, entry.file));
  }
}
