// Finds a label by what is typed, or makes a new one.

import { element, make } from "../views/elements";

export class LabelFinder {
  private readonly input = element<HTMLInputElement>("other");
  private readonly note = element("find-note");
  private labels: readonly string[] = [];
  private longest = Infinity; // characters of a new label
  private asked = ""; // the new label that was asked about

  // `chosen` is told the label, and when it was entered, in ms since the page was opened.
  constructor(chosen: (label: string, entered: number) => void) {
    element("find").addEventListener("submit", (event) => {
      event.preventDefault();
      const label = this.take();
      if (!label) return;
      this.close();
      chosen(label, event.timeStamp);
    });
    this.input.addEventListener("input", () => this.say(""));
    this.input.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  // Offers these labels; a new one may have so many characters.
  offer(labels: readonly string[], longest: number): void {
    this.longest = longest;
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
    const { length } = [...typed.normalize("NFC")];
    if (length > this.longest) {
      this.say(`A new label has ${this.longest} characters at most; this one has ${length}.`);
      return "";
    }
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
