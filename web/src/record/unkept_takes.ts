// Takes that were recorded and are not on the disk: held here until the server takes them.

import { element } from "../views/elements";
import type { NewTake } from "./take_recorder";

export interface UnkeptTake {
  label: string;
  session: string;
  take: NewTake;
}

export class UnkeptTakes {
  private readonly button = element("keep-again");
  private takes: UnkeptTake[] = [];
  private sending = false;

  get count(): number {
    return this.takes.length;
  }

  hold(one: UnkeptTake): void {
    this.put([...this.takes, one]);
  }

  // Sends each of them; those that are not taken stay, and their faults are returned.
  async send(keep: (one: UnkeptTake) => Promise<void>): Promise<string[]> {
    if (this.sending) return []; // a second press would keep them twice
    this.sending = true;
    const faults = new Set<string>();
    try {
      for (const one of this.takes) {
        try {
          await keep(one);
          this.put(this.takes.filter((other) => other !== one));
        } catch (error) {
          faults.add((error as Error).message);
        }
      }
    } finally {
      this.sending = false;
    }
    return [...faults];
  }

  private put(takes: UnkeptTake[]): void {
    this.takes = takes;
    this.button.hidden = !takes.length;
    this.button.textContent = takes.length > 1 ? `Keep the ${takes.length} takes again` : "Keep the take again";
    removeEventListener("beforeunload", warn);
    if (takes.length) addEventListener("beforeunload", warn);
  }
}

// The browser then asks whether the page may be left.
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
