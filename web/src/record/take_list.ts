// The labels with their takes: each to hear and to delete.

import { decodeFile } from "../audio/decoding";
import type { RemoteEngine } from "../engine/remote_engine";
import { counted, labelColour, make } from "../views/elements";
import { focusFirst } from "./focus";
import { readTake, type State, type Take } from "./recordings";
import { drawWaveform } from "./waveform_picture";

const SHOWN = 12; // takes of a label, the newest; all on request

export interface TakeListActions {
  record: (label: string) => void;
  addFiles: (label: string, files: File[]) => void;
  removeLabel: (label: string) => void;
  delete: (take: Take) => void;
  failed: (error: Error) => void;
}

export class TakeList {
  private readonly waveforms = new Map<string, Float32Array>(); // of the takes that were shown
  private readonly whole = new Set<string>(); // labels of which all takes are shown
  private readonly audio = new Audio();
  private address = "";
  private state: State | null = null;
  active = ""; // the label that a key records

  constructor(
    private readonly container: HTMLElement,
    private readonly engine: Promise<RemoteEngine>,
    private readonly actions: TakeListActions,
  ) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.state && this.show(this.state));
  }

  show(state: State): void {
    this.state = state;
    if (!state.labels.includes(this.active)) this.active = state.labels[0] ?? "";
    const focused = this.container.contains(document.activeElement) ? document.activeElement : null;
    const others = focused ? besides(focused) : [];
    this.container.replaceChildren(...state.labels.map((label, place) => this.card(label, place)));
    const same = document.getElementById(focused?.id ?? "");
    if (same) same.focus({ preventScroll: true });
    else focusFirst(others); // it is gone, such as with the take that it deleted
  }

  // Where the focus may go: the take of a path, its label where that is not shown, else the active one.
  idsOf(path: string): string[] {
    const label = this.state?.takes.find((take) => take.path === path)?.labels[0] ?? this.active;
    return [idOf("play", path), `record-${this.state?.labels.indexOf(label)}`, "new-label"];
  }

  choose(place: number): void {
    const label = this.state?.labels[place];
    if (label === undefined || !this.state) return;
    this.active = label;
    this.show(this.state);
  }

  // Keeps what a take looks like, so that it needs not be read again.
  know(path: string, samples: Float32Array): void {
    this.waveforms.set(path, samples);
  }

  // Takes of a label, the newest first.
  takesOf(label: string): Take[] {
    return (this.state?.takes ?? []).filter(({ labels }) => labels.includes(label)).reverse();
  }

  async play(take: Take): Promise<void> {
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(await readTake(take.path));
    this.audio.src = this.address;
    await this.audio.play();
  }

  private card(label: string, place: number): HTMLElement {
    const takes = this.takesOf(label);
    const sessions = new Set(takes.map(({ group }) => group)).size;
    const active = label === this.active;
    const record = make("button", { type: "button", className: "record", id: `record-${place}` }, make("span", { className: "dot" }), "Record");
    record.addEventListener("click", () => this.actions.record(label));
    record.setAttribute("aria-label", `Record ${label}`);
    const key = place < 9 ? [" ", make("kbd", {}, String(place + 1))] : [];
    const name = make("h3", {}, make("span", { className: "swatch" }), label, ...key);
    (name.firstElementChild as HTMLElement).style.background = labelColour(place);
    const count = takes.length ? `${counted(takes.length, "take")} in ${counted(sessions, "session")}` : "no takes yet";
    const card = make(
      "li",
      { className: active ? "label-card active" : "label-card" },
      make("div", { className: "label-head" }, name, make("p", { className: "soft" }, count)),
      make("div", { className: "label-actions" }, record, this.filesButton(label, place), ...this.removal(label, takes)),
      this.chips(label, takes),
    );
    if (place < 9) record.title = `${label}: key ${place + 1} chooses it, R records`;
    return card;
  }

  private filesButton(label: string, place: number): HTMLElement {
    const input = make("input", { type: "file", multiple: true, accept: "audio/*,.wav,.flac", className: "hidden", id: `files-${place}` });
    input.addEventListener("change", () => {
      this.actions.addFiles(label, [...(input.files ?? [])]);
      input.value = "";
    });
    const text = make("label", { className: "button", htmlFor: input.id }, "Add files");
    input.setAttribute("aria-label", `Add files of ${label}`);
    return make("span", {}, input, text);
  }

  private removal(label: string, takes: Take[]): HTMLElement[] {
    if (takes.length) return [];
    const button = make("button", { type: "button", ariaLabel: `Remove the label ${label}` }, "Remove");
    button.addEventListener("click", () => this.actions.removeLabel(label));
    return [button];
  }

  private chips(label: string, takes: Take[]): HTMLElement {
    const shown = this.whole.has(label) ? takes : takes.slice(0, SHOWN);
    const list = make("ul", { className: "takes", ariaLabel: `Takes of ${label}` }, ...shown.map((take) => this.chip(take)));
    if (shown.length === takes.length) return list;
    const more = make("button", { type: "button", className: "more" }, `Show all ${takes.length}`);
    more.addEventListener("click", () => {
      this.whole.add(label);
      if (this.state) this.show(this.state);
      focusFirst([idOf("play", takes[SHOWN].path)]);
    });
    return make("div", {}, list, more);
  }

  private chip(take: Take): HTMLElement {
    const picture = make("canvas", { ariaHidden: "true" });
    const length = take.seconds === null ? "cannot be read" : `${take.seconds.toFixed(1)} s`;
    const about = `${take.path}, session ${take.group}, ${length}`;
    const play = make("button", { type: "button", className: "take", id: idOf("play", take.path), title: about, ariaLabel: `Play ${about}` }, picture);
    play.addEventListener("click", () => void this.play(take).catch(this.actions.failed));
    const drop = make("button", { type: "button", className: "delete", id: idOf("delete", take.path), title: "Delete", ariaLabel: `Delete ${about}` }, "×");
    drop.addEventListener("click", () => this.actions.delete(take));
    if (take.seconds === null) picture.replaceWith(make("span", { className: "soft" }, "cannot be read"));
    else void this.draw(picture, take);
    return make("li", {}, play, drop);
  }

  private async draw(picture: HTMLCanvasElement, take: Take): Promise<void> {
    try {
      let samples = this.waveforms.get(take.path);
      if (!samples) {
        samples = (await decodeFile(new File([await readTake(take.path)], take.path), await this.engine)).samples;
        this.know(take.path, samples);
      }
      await new Promise(requestAnimationFrame); // it must be in the page to know its colour
      drawWaveform(picture, samples);
    } catch (error) {
      picture.replaceWith(make("span", { className: "soft", title: (error as Error).message }, "cannot be shown here"));
    }
  }
}

// Paths may hold blanks, which an id must not.
function idOf(what: string, path: string): string {
  return `${what}-${encodeURIComponent(path)}`;
}

// Where the focus goes when what has it is gone: to the takes after it, those before it, its label, the new label.
function besides(focused: Element): string[] {
  const alike = [...(focused.closest(".takes")?.getElementsByClassName(focused.className) ?? [])];
  const place = alike.indexOf(focused);
  const takes = [...alike.slice(place + 1), ...alike.slice(0, Math.max(0, place)).reverse()];
  const record = focused.closest(".label-card")?.querySelector(".record");
  return [...takes, ...(record ? [record] : [])].map(({ id }) => id).concat("new-label");
}
