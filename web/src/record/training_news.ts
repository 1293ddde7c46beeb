// Says that a training has ended, and offers to hear with its file; what goes on meanwhile is left alone.

import { element } from "../views/elements";
import { handingOn } from "./focus";

export class TrainingNews {
  private readonly button = element("hear-news");
  private hear: (() => Promise<void>) | null = null;

  constructor(ask: (work: () => Promise<void>) => void) {
    this.button.addEventListener("click", () => {
      const { hear } = this;
      if (hear) ask(() => handingOn(this.button, hear, () => []));
    });
  }

  tell(text: string, hear: () => Promise<void>): void {
    element("train-news").textContent = text;
    this.button.hidden = false;
    this.hear = hear;
  }

  clear(): void {
    element("train-news").textContent = "";
    this.button.hidden = true;
    this.hear = null;
  }
}
