// How far apart windows begin, as a share of a window: `--hop` of `earproof classify` and `earproof timeline`.

import type { Spec } from "../model/spec";
import { element } from "../views/elements";

export class HopChoice {
  private readonly list = element<HTMLSelectElement>("hop");
  private spec: Spec | null = null;
  private own = "1"; // what holds where nothing is changed

  constructor(changed: () => void) {
    this.list.addEventListener("change", changed);
  }

  // Offers hops as the model's kind is heard: windows of frames overlap by half, as in earproof timeline.
  begin(spec: Spec): void {
    const own = spec.frames ? "2" : "1";
    if (this.own !== own || !this.spec) this.list.value = own;
    this.own = own;
    this.spec = spec;
    element("hop-label").textContent = spec.frames ? "A window every" : "A decision every";
  }

  // From window to window in samples; of a model that scores frames perhaps no whole number, which its grid settles.
  get samples(): number {
    const { window_length, frames } = this.spec!;
    const exact = window_length / +this.list.value;
    return frames ? exact : Math.max(1, Math.round(exact));
  }

  // What says it in a terminal; nothing where it is the verb's own.
  get options(): string[] {
    return this.list.value === this.own ? [] : [`--hop ${this.samples / this.spec!.sample_rate}`];
  }

  // Back to the verb's own; returns whether it was another one.
  reset(): boolean {
    const changed = this.list.value !== this.own;
    this.list.value = this.own;
    return changed;
  }
}
