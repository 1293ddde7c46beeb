// To which session the next take goes.

import { element, make } from "../views/elements";
import type { Take } from "./recordings";

const KEPT = "earproof-session"; // in this tab, so that a page that is loaded again goes on with it
const OF_THIS_PAGE = /-\d{4,}\.wav$/; // how the takes end that were kept here

export class Sessions {
  private readonly input = element<HTMLInputElement>("session");
  private takes: readonly Take[] = [];

  constructor() {
    this.input.addEventListener("input", () => sessionStorage.setItem(KEPT, this.input.value));
  }

  get name(): string {
    return this.input.value.trim();
  }

  show(takes: readonly Take[]): void {
    this.takes = takes;
    element("session-names").replaceChildren(...this.names().map((value) => make("option", { value })));
  }

  // Goes on with the session of this tab, else with the last one of the folder. A session that began by itself in each
  // tab would put one voice in one place on both sides of the split.
  goOn(): void {
    this.take(sessionStorage.getItem(KEPT) || this.last() || this.free());
  }

  // Begins another one.
  begin(): void {
    this.take(this.free());
  }

  describe(): string {
    const goesOn = this.names().includes(this.name);
    const hint = goesOn ? " Press New session for another place, distance or speaker." : "";
    return `The next take goes to ${goesOn ? "the session" : "a new session,"} ${this.name}.${hint}`;
  }

  private take(name: string): void {
    this.input.value = name;
    sessionStorage.setItem(KEPT, name);
  }

  private names(): string[] {
    return [...new Set(this.takes.map(({ group }) => group))];
  }

  // That of the newest take of this page; other recordings may be sessions of which nobody knows the place.
  private last(): string | undefined {
    return this.takes.findLast(({ path, group }) => OF_THIS_PAGE.test(path) && path !== `${group}.wav`)?.group;
  }

  // A name that no session has.
  private free(): string {
    const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
    const taken = [...this.names(), this.name];
    let number = 1;
    while (taken.includes(`Session ${number}, ${day}`)) number++;
    return `Session ${number}, ${day}`;
  }
}
