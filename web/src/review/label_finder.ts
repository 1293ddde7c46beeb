// Finds a label by what is typed, or makes a new one.

import { element, make } from "../views/elements";

export class LabelFinder {
  private readonly input = element<HTMLInputElement>("other");
  private readonly note = element("find-note");
  private labels: readonly string[] = [];
  private asked = ""; // the new label that was asked about

  constructor(chosen: (label: string) => void) {
    element("find").addEventListener("submit", (event) => {
      event.preventDefault();
      const label = this.take();
      if (!label) return;
      this.close();
      chosen(label);
    });
    this.input.addEventListener("input", () => this.say(""));
    this.input.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  // Offers these labels.
  offer(labels: readonly string[]): void {
    if (labels.length === this.labels.length && labels.every((label, place) => label === this.labels[place])) return;
    this.labels = [...labels];
    element("all-labels").replaceChildren(...labels.map((value) => make("option", { value })));
  }

  open(): void {
    this.input.focus();
    this.input.select();
  }

  close(): void {
    this.input.value = "";
    this.say("");
    this.input.blur();
  }

  // The label that is meant; "" where that is not clear yet, which is told.
  private take(): string {
    const typed = this.input.value.trim();
    const small = typed.toLowerCase();
    const exact = this.labels.find((label) => label === typed) ?? this.labels.find((label) => label.toLowerCase() === small);
    if (!typed || exact || typed === this.asked) return exact ?? typed;
    const like = this.labels.filter((label) => label.toLowerCase().startsWith(small));
    if (like.length === 1) return like[0];
    const several = like.length ? `${like.length} labels begin so (${like.slice(0, 5).join(", ")}${like.length > 5 ? ", …" : ""}). ` : "";
    this.say(`${several}“${typed}” is new: press Enter again to make it a label.`);
    this.asked = typed;
    return "";
  }

  private say(text: string): void {
    this.note.textContent = text;
    this.asked = "";
  }
}
