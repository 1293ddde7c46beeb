// A bar for each label: its score, whether it counts, and its threshold, a line that can be moved.

import type { Moment } from "../model/heard_clip";
import { thresholdsCount, type Rules } from "../model/rules";
import type { Spec } from "../model/spec";
import { labelColour, make } from "./elements";

const MOST = 10; // of a model with more labels, those with the highest scores

export class Bars {
  private spec: Spec | null = null;
  private rules: Rules | null = null;
  private last: Moment | null = null;

  constructor(
    private readonly list: HTMLElement,
    private readonly moved: (label: number, threshold: number) => void,
  ) {}

  // Shows the labels of a model, without scores.
  begin(spec: Spec, rules: Rules): void {
    this.spec = spec;
    this.rules = rules;
    this.show({ scores: new Float32Array(spec.labels.length), counting: [] });
  }

  // Shows the same scores with the rules as they are now.
  refresh(): void {
    if (this.last && this.last.scores.length === this.rules?.thresholds.length) this.show(this.last);
  }

  show(moment: Moment): void {
    const { scores, counting } = moment;
    this.last = moment;
    const places = this.places(scores);
    while (this.list.children.length > places.length) this.list.lastElementChild!.remove();
    while (this.list.children.length < places.length) this.list.append(this.row());
    places.forEach((label, place) => this.fill(this.list.children[place], label, scores[label], counting.includes(label)));
  }

  // Which labels are shown; while a threshold is being moved, the same ones as before.
  private places(scores: Float32Array): number[] {
    const all = [...scores.keys()];
    if (all.length <= MOST) return all;
    if (this.list.contains(document.activeElement)) return [...this.list.children].map((item) => +(item as HTMLElement).dataset["label"]!);
    return all.sort((one, other) => scores[other] - scores[one]).slice(0, MOST);
  }

  private fill(item: Element, label: number, score: number, counts: boolean): void {
    const { spec, rules } = this;
    const [name, track, number] = item.children as unknown as HTMLElement[];
    const [bar, line, slider] = track.children as unknown as [HTMLElement, HTMLElement, HTMLInputElement];
    const threshold = rules!.thresholds[label];
    (item as HTMLElement).dataset["label"] = String(label);
    name.textContent = spec!.labels[label];
    number.textContent = score.toFixed(3);
    item.classList.toggle("counts", counts);
    bar.style.width = `${100 * score}%`;
    bar.style.background = labelColour(label);
    line.style.left = `${100 * threshold}%`;
    slider.value = String(threshold);
    slider.disabled = !thresholdsCount(spec!, rules!);
    slider.ariaLabel = `Threshold of ${spec!.labels[label]}`;
    slider.setAttribute("aria-valuetext", threshold.toFixed(2));
    const use = slider.disabled ? " (counts with a union alone)" : "";
    item.setAttribute("title", `${spec!.labels[label]}: ${score.toFixed(4)}, threshold ${threshold.toFixed(2)}${use}`);
  }

  private row(): HTMLElement {
    const slider = make("input", { type: "range", min: "0", max: "1", step: "0.01" });
    const line = make("span", { className: "limit" });
    const item = make("li", {}, make("span", { className: "label" }), make("span", { className: "track" }, make("span", { className: "bar" }), line, slider), make("span", { className: "score" }));
    slider.addEventListener("input", () => this.moved(+item.dataset["label"]!, +slider.value));
    return item;
  }
}
