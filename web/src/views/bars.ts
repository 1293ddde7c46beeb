// A bar for each label: its score, its threshold, and whether it counts.

import { labelColour, make } from "./elements";
import { decide } from "../model/scores";
import type { Heard } from "../model/interpreter";
import type { Spec } from "../model/spec";

const MOST = 10; // of a model with more labels, those with the highest scores

export class Bars {
  private spec: Spec | null = null;

  constructor(private readonly list: HTMLElement) {}

  // Shows the labels of a model, without scores.
  begin(spec: Spec): void {
    this.spec = spec;
    this.show(new Float32Array(spec.labels.length), false);
  }

  // Shows what a model says about the newest window.
  showHeard({ scores }: Heard): void {
    this.show(scores);
  }

  show(scores: Float32Array, decided = true): void {
    const { spec } = this;
    if (!spec) return;
    const counting = decided ? decide(scores, spec) : [];
    const places = [...scores.keys()];
    const shown = places.length > MOST ? places.sort((one, other) => scores[other] - scores[one]).slice(0, MOST) : places;
    while (this.list.children.length > shown.length) this.list.lastElementChild!.remove();
    while (this.list.children.length < shown.length) this.list.append(row());
    shown.forEach((label, place) => this.fill(this.list.children[place], label, scores[label], counting.includes(label)));
  }

  private fill(item: Element, label: number, score: number, counts: boolean): void {
    const [name, track, number] = item.children as unknown as HTMLElement[];
    const [bar, threshold] = track.children as unknown as HTMLElement[];
    const limit = this.spec!.thresholds[label];
    name.textContent = this.spec!.labels[label];
    number.textContent = score.toFixed(3);
    item.classList.toggle("counts", counts);
    bar.style.width = `${100 * score}%`;
    bar.style.background = labelColour(label);
    threshold.style.left = `${100 * limit}%`;
    item.setAttribute("title", `${this.spec!.labels[label]}: ${score.toFixed(4)}, threshold ${limit.toFixed(2)}`);
  }
}

function row(): HTMLElement {
  const track = make("span", { className: "track" }, make("span", { className: "bar" }), make("span", { className: "limit" }));
  return make("li", {}, make("span", { className: "label" }), track, make("span", { className: "score" }));
}
