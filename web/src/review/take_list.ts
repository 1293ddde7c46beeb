// Which takes are gone through, and in which order.

import type { Decision, Take } from "./service";

export interface Choice {
  show: string; // all, undecided, or an action
  said: string; // a label, "" for all
  session: string; // "" for all
  sort: string; // margin, heard or label
  undecidedFirst: boolean;
}

export type Decisions = Map<string, Decision>;

// The takes of a choice, in its order; `takes` are as they were heard.
export function chooseTakes(takes: readonly Take[], decisions: Decisions, choice: Choice): Take[] {
  const chosen = takes.filter(
    (take) =>
      (choice.show === "all" || choice.show === (decisions.get(take.path)?.action ?? "undecided")) &&
      (!choice.said || saidText(take) === choice.said) &&
      (!choice.session || take.session === choice.session),
  );
  if (choice.sort === "margin") chosen.sort((one, other) => one.margin - other.margin);
  if (choice.sort === "label") {
    chosen.sort((one, other) => saidText(one).localeCompare(saidText(other)) || one.margin - other.margin);
  }
  if (!choice.undecidedFirst) return chosen;
  const isDecided = (take: Take) => Number(decisions.has(take.path));
  return chosen.sort((one, other) => isDecided(one) - isDecided(other)); // which keeps the order otherwise
}

// What the model decided, in one word.
export function saidText(take: Take): string {
  return take.said.join(" + ") || "nothing";
}

// The places of the next takes to decide on, from one place on and then from the beginning; at most so many.
export function nextUndecided(list: readonly Take[], decisions: Decisions, from: number, most: number): number[] {
  const found: number[] = [];
  for (let step = 0; step < list.length && found.length < most; step++) {
    const place = (from + step) % list.length;
    if (!decisions.has(list[place].path)) found.push(place);
  }
  return found;
}

// When a session began, for people; the session itself where it is no time.
export function sessionText(session: string): string {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(-\d+)?$/.exec(session);
  if (!found) return session;
  const [, year, month, day, hour, minute, second, number] = found;
  return `${year}-${month}-${day} ${hour}:${minute}:${second} UTC${number ? `, ${number.slice(1)}` : ""}`;
}
