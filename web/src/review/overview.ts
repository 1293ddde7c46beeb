// What was decided so far: counts, sessions, labels, and how to go on.

import { counted, element, make } from "../views/elements";
import type { State, Take } from "./service";
import { saidText, sessionText, type Decisions } from "./take_list";

const MOST_ROWS = 200;
type Counts = Record<"keep" | "correct" | "discard" | "undecided", number>;

export function countTakes(takes: readonly Take[], decisions: Decisions): Counts {
  const counts: Counts = { keep: 0, correct: 0, discard: 0, undecided: 0 };
  for (const { path } of takes) counts[decisions.get(path)?.action ?? "undecided"]++;
  return counts;
}

// The sessions, a row each, those heard last first.
export function showSessions({ takes, models }: State, decisions: Decisions): void {
  const bySession = groupBy(takes, (take) => take.session);
  element("sessions-title").textContent = counted(bySession.size, "session");
  if (!element<HTMLDetailsElement>("sessions").open) return;
  const rows = [...bySession].reverse().slice(0, MOST_ROWS).map(([session, own]) => {
    const counts = countTakes(own, decisions);
    const names = [...new Set(own.map(({ model }) => models[model].name))].join(", ");
    return [sessionText(session), names, own.length, counts.keep, counts.correct, counts.discard, counts.undecided];
  });
  if (bySession.size > MOST_ROWS) rows.push([`${bySession.size - MOST_ROWS} earlier ones`, "", "", "", "", "", ""]);
  fill("session-rows", rows);
}

// What comes of the decisions: the tables, the labels in them, and the commands that take them.
export function showResult({ takes, table, warning }: State, decisions: Decisions, none: string): void {
  const counts = countTakes(takes, decisions);
  const decided = takes.length - counts.undecided;
  element("result-text").textContent = decided ? sentences(counts, table) : "Nothing is decided yet, so there is no clips.csv.";
  const rows = new Map<string, [number, number, number]>();
  const at = (label: string) => rows.get(label) ?? rows.set(label, [0, 0, 0]).get(label)!;
  for (const take of takes) {
    const decision = decisions.get(take.path);
    if (!decision || decision.action === "discard") continue;
    for (const label of decision.labels) at(label)[decision.action === "keep" || take.said.includes(label) ? 0 : 1]++;
    const before = take.said.length ? take.said : [none];
    for (const label of before) if (!decision.labels.includes(label)) at(label)[2]++;
  }
  element("by-label").hidden = !rows.size;
  fill("label-rows", [...rows].sort(([one], [other]) => one.localeCompare(other)).map(([label, cells]) => [label, ...cells]));
  element("table-fault").hidden = !warning;
  element("table-fault").textContent = warning && !table.written && table.commands.length ? `${warning}. The commands below take the file as it is, without what was decided since.` : warning;
  element("go-on").hidden = !table.commands.length;
  element("commands").textContent = table.commands.join("\n");
  showDetectors(table);
}

function showDetectors({ commands, detectors }: State["table"]): void {
  element("annotate").hidden = !detectors;
  element("folder-note").hidden = !detectors && !commands.length;
  if (!detectors) return;
  element("annotate-why").textContent = detectors.why;
  element("annotate-steps").replaceChildren(...detectors.steps.map((step) => make("li", {}, step)));
  element("annotate-commands").textContent = detectors.commands.join("\n");
  element("annotate-otherwise").textContent = detectors.otherwise;
}

// Fills the choices that depend on the takes.
export function offerChoices({ takes }: State): void {
  const said = groupBy(takes, saidText);
  const sessions = groupBy(takes, (take) => take.session);
  options("said", [...said].sort(([one], [other]) => one.localeCompare(other)).map(([label, own]) => [label, `${label} (${own.length})`]));
  options("session", [...sessions].reverse().map(([session, own]) => [session, `${sessionText(session)} (${own.length})`]));
}

export function showFaults(faults: readonly string[]): void {
  element("faults").hidden = !faults.length;
  element("fault-count").textContent = `${faults.length.toLocaleString("en")} left out, each for the reason given`;
  const told = faults.slice(0, MOST_ROWS);
  if (told.length < faults.length) told.push(`and ${(faults.length - told.length).toLocaleString("en")} more`);
  element("fault-list").replaceChildren(...told.map((fault) => make("li", {}, fault)));
}

function sentences(counts: Counts, table: State["table"]): string {
  const told = [`${counts.keep.toLocaleString("en")} kept, ${counts.correct.toLocaleString("en")} corrected, ${counts.discard.toLocaleString("en")} discarded.`];
  if (table.clips) told.push(`${placed(table)}, each session a group of its own, all to train on.`);
  else told.push("No take has one label that the model knows, so there is no clips.csv.");
  for (const aside of table.aside) told.push(`${placed(aside)} (${aside.labels.join(", ")}): ${aside.why}.`);
  if (counts.discard) told.push("Discarded takes stay on the disk, and are in no table.");
  return told.join(" ");
}

// How many clips are in a table, or are not since it is not written.
function placed({ clips, written, path }: { clips: number; written: boolean; path: string }): string {
  return `${counted(clips, "clip")} ${written ? "in" : "decided, but not written to"} ${path}`;
}

function options(id: string, choices: [string, string][]): void {
  const all = make("option", { value: "" }, "all");
  element(id).replaceChildren(all, ...choices.map(([value, text]) => make("option", { value }, text)));
}

function fill(id: string, rows: (string | number)[][]): void {
  const cell = (value: string | number) => make("td", {}, typeof value === "number" ? value.toLocaleString("en") : value);
  element(id).replaceChildren(...rows.map((row) => make("tr", {}, ...row.map(cell))));
}

function groupBy(takes: readonly Take[], key: (take: Take) => string): Map<string, Take[]> {
  const groups = new Map<string, Take[]>();
  for (const take of takes) {
    const group = groups.get(key(take));
    if (group) group.push(take);
    else groups.set(key(take), [take]);
  }
  return groups;
}
