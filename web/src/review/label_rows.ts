// The labels of a take's model: a button each, with its digit, score and threshold.

import { labelColour, make } from "../views/elements";
import type { Take, TakeModel } from "./service";

const DIGITS = 9;

export class LabelRows {
  private shown: string[] = [];

  constructor(
    private readonly list: HTMLElement,
    private readonly chosen: (label: string) => void,
  ) {}

  // Shows a take; `marked` are the labels that it has, `pressed` whether they are chosen one by one.
  show(take: Take, model: TakeModel, marked: readonly string[]): void {
    const first = firstLabels(take, model);
    this.shown = first;
    const rows = [...first, ...marked.filter((label) => !first.includes(label))];
    while (this.list.children.length > rows.length) this.list.lastElementChild!.remove();
    while (this.list.children.length < rows.length) this.list.append(this.row());
    rows.forEach((label, place) => this.fill(this.list.children[place], label, place, take, model, marked.includes(label)));
  }

  // The label that a digit means; nothing where there is none.
  ofDigit(digit: number): string | undefined {
    return this.shown[digit - 1];
  }

  private row(): HTMLElement {
    const track = make("span", { className: "track" }, make("span", { className: "bar" }), make("span", { className: "limit" }));
    const parts = [make("kbd"), make("span", { className: "label" }), track, make("span", { className: "score" })];
    const button = make("button", { type: "button" }, ...parts);
    button.addEventListener("click", () => this.chosen(button.dataset["label"]!));
    return make("li", {}, button);
  }

  private fill(item: Element, label: string, place: number, take: Take, model: TakeModel, isMarked: boolean): void {
    const button = item.firstElementChild as HTMLButtonElement;
    const [key, name, track, number] = button.children as unknown as HTMLElement[];
    const [bar, limit] = track.children as unknown as HTMLElement[];
    const index = model.labels.indexOf(label);
    const isKnown = index >= 0;
    button.dataset["label"] = label;
    button.setAttribute("aria-pressed", String(isMarked));
    key.textContent = place < this.shown.length ? String(place + 1) : "";
    name.textContent = label;
    track.hidden = !isKnown;
    number.textContent = isKnown ? take.scores[index].toFixed(2) : "new";
    button.classList.toggle("counts", take.said.includes(label));
    button.title = isKnown ? `${label}: ${take.scores[index].toFixed(3)}, threshold ${model.thresholds[index].toFixed(3)}` : label;
    if (!isKnown) return;
    bar.style.width = `${100 * take.scores[index]}%`;
    bar.style.background = labelColour(index);
    limit.style.left = `${100 * model.thresholds[index]}%`;
  }
}

// All labels of a small model in their order, of a larger one those with the highest scores.
function firstLabels({ scores }: Take, { labels }: TakeModel): string[] {
  if (labels.length <= DIGITS) return labels;
  const places = [...scores.keys()].sort((one, other) => scores[other] - scores[one]);
  return places.slice(0, DIGITS).map((place) => labels[place]);
}
