// What makes decisions of scores: the file's own rules, and what is changed of them on the page.

import { MERGES, ownRules, thresholdsCount, type Rules } from "../model/rules";
import type { Spec } from "../model/spec";
import { element, make } from "../views/elements";
import { offer } from "./controls";
import type { HopChoice } from "./hop_choice";
import type { Teller } from "./teller";

type Field = HTMLInputElement | HTMLSelectElement;

// What a field may hold; an error says what was expected.
const FIELDS: Record<string, (text: string) => Partial<Rules>> = {
  "merge": (text) => ({ merge: MERGES.find((one) => one === text) ?? "mean" }),
  "silence-below": (text) => ({ silenceBelow: text ? within(text, -Infinity, 0, "a level of 0 dBFS or less, such as -60, or nothing") : null }),
  "gap": (text) => ({ gap: within(text, 0, Infinity, "seconds, 0 or more") }),
  "shortest": (text) => ({ shortest: within(text, 0, Infinity, "seconds, 0 or more") }),
  "median-frames": (text) => ({ medianFrames: odd(text) }),
};

export class Decisions {
  readonly rules: Rules = { thresholds: [], merge: "mean", silenceBelow: null, gap: 0, shortest: 0, medianFrames: 1 };
  private spec: Spec | null = null;
  private file = "";

  constructor(
    private readonly teller: Teller,
    private readonly hop: HopChoice,
    private readonly changed: () => void,
    private readonly heardAnew: () => void, // called where the windows begin elsewhere again
  ) {
    for (const name of Object.keys(FIELDS)) element<Field>(name).addEventListener("change", () => this.teller.ask(() => this.take(name)));
    element<HTMLInputElement>("threshold").addEventListener("input", ({ target }) => {
      this.rules.thresholds.fill(+(target as HTMLInputElement).value);
      this.settle();
    });
    element("reset").addEventListener("click", () => {
      const moved = this.hop.reset();
      this.begin(this.spec!, this.file);
      if (moved) this.heardAnew();
    });
  }

  // Takes the rules of a file.
  begin(spec: Spec, file: string): void {
    this.spec = spec;
    this.file = file;
    Object.assign(this.rules, ownRules(spec));
    for (const [name, value] of Object.entries(this.values())) element<Field>(name).value = value;
    const frames = spec.frames !== undefined;
    for (const name of ["merge", "silence-below"]) element(name).closest<HTMLElement>(".field")!.hidden = frames;
    element("median-frames").closest<HTMLElement>(".field")!.hidden = !frames;
    this.settle();
  }

  // Takes a threshold that was moved.
  moveThreshold(label: number, threshold: number): void {
    this.rules.thresholds[label] = threshold;
    this.settle();
  }

  // Takes another hop, which decides nothing before the recording is heard anew.
  takeHop(): void {
    if (this.spec) this.settle();
  }

  private async take(name: string): Promise<void> {
    const field = element<Field>(name);
    try {
      Object.assign(this.rules, FIELDS[name](field.value.trim()));
    } catch (error) {
      field.value = this.values()[name];
      throw new Error(`--${name} is ${(error as Error).message}`);
    }
    this.settle();
  }

  // Shows the rules as they are now, and lets them decide.
  private settle(): void {
    const all = element<HTMLInputElement>("threshold");
    const { thresholds } = this.rules;
    const counts = thresholdsCount(this.spec!, this.rules);
    const same = thresholds.every((one) => one === thresholds[0]);
    if (same) all.value = String(thresholds[0]);
    offer(all, counts);
    element("threshold-said").textContent = same ? thresholds[0].toFixed(2) : "one a label";
    element("threshold-hint").textContent = counts
      ? "The line on a bar moves that of its label."
      : "One label is decided, the highest. Thresholds count with the union.";
    const changes = this.options();
    const waiting = !counts && this.moved().length > 0; // moved in a union that is no longer chosen
    const said = [changes.length ? `${changes.length} changed` : "as the file says", ...(waiting ? ["moved thresholds wait for the union"] : [])];
    element("decisions-changed").textContent = said.join("; ");
    offer(element<HTMLButtonElement>("reset"), changes.length > 0 || waiting);
    element("command").replaceChildren(...this.command(changes));
    this.changed();
  }

  // The options that say what was changed.
  private options(): string[] {
    const before = this.values(ownRules(this.spec!));
    const thresholds = thresholdsCount(this.spec!, this.rules) ? this.thresholdOptions() : [];
    const others = Object.entries(this.values()).flatMap(([name, value]) => (value === before[name] ? [] : [`--${name} ${value}`]));
    return [...thresholds, ...this.hop.options, ...others];
  }

  // Labels whose threshold is not the file's.
  private moved(): number[] {
    const own = ownRules(this.spec!).thresholds;
    return [...own.keys()].filter((label) => this.rules.thresholds[label] !== own[label]);
  }

  // The shortest that says the thresholds: those of labels, or the most frequent one for all, and labels that differ.
  private thresholdOptions(): string[] {
    const { thresholds } = this.rules;
    const moved = this.moved();
    if (!moved.length) return [];
    const counts = new Map<number, number>();
    for (const one of thresholds) counts.set(one, (counts.get(one) ?? 0) + 1);
    const [most] = [...counts].sort(([, one], [, other]) => other - one)[0];
    const others = [...thresholds.keys()].filter((label) => thresholds[label] !== most);
    const ofLabels = (labels: number[]) => labels.map((label) => `--threshold ${quoted(`${this.spec!.labels[label]}=${thresholds[label]}`)}`);
    return others.length + 1 <= moved.length ? [`--threshold ${most}`, ...ofLabels(others)] : ofLabels(moved);
  }

  // What decides the same in a terminal.
  private command(options: string[]): (Node | string)[] {
    const verb = this.spec!.frames ? "timeline" : "classify";
    const others = verb === "timeline" ? ["--threshold"] : ["--gap", "--shortest"];
    const taken = options.filter((one) => !others.includes(one.split(" ")[0]));
    const left = [...new Set(options.filter((one) => !taken.includes(one)).map((one) => one.split(" ")[0]))];
    const line = make("code", {}, ["earproof", verb, quoted(this.file), "AUDIO", ...taken].join(" "));
    const why = verb === "timeline" ? "earproof metadata write --spec writes thresholds into the file" : "earproof classify tells windows, no events";
    return ["In a terminal: ", line, left.length ? `, without ${left.join(" and ")}: ${why}.` : ""];
  }

  private values({ merge, silenceBelow, gap, shortest, medianFrames }: Rules = this.rules): Record<string, string> {
    return {
      ...{ merge, "silence-below": silenceBelow === null ? "" : String(silenceBelow) },
      ...{ gap: String(gap), shortest: String(shortest), "median-frames": String(medianFrames) },
    };
  }
}

function within(text: string, least: number, most: number, expected: string): number {
  const value = text === "" ? NaN : Number(text);
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  throw new Error(`${text || "empty"}; expected ${expected}`);
}

function odd(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value % 2 === 1) return value;
  throw new Error(`${text || "empty"}; expected an odd number, 1 for none`);
}

function quoted(text: string): string {
  return /^[\w.,=/@%+:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
