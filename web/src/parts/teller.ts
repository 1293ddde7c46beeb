// What the page tells: what goes on, how far it is, and what went wrong.

import { element } from "../views/elements";

export class Teller {
  rest = "There is no model to try."; // what is told once something went wrong

  // Runs what a person asked for; what goes wrong is told.
  ask(work: () => Promise<void>): void {
    element("error").hidden = true;
    work().catch((error: Error) => this.fail(error));
  }

  fail(error: Error): void {
    this.warn(error.message);
    element("progress").hidden = true;
    this.say(this.rest);
  }

  warn(text: string): void {
    element("error").textContent = text;
    element("error").hidden = false;
  }

  say(text: string): void {
    element("status").textContent = text;
  }

  progress(done: number, total: number): void {
    const bar = element<HTMLProgressElement>("progress");
    bar.hidden = done >= total;
    bar.value = done / total;
  }
}
