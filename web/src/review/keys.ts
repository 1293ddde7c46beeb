// Which key does what; keys that a field or a focused button needs stay theirs.

import { isTaken, keepSingleKeys, targetOf } from "../parts/single_keys";

export interface KeyActions {
  play(): void;
  autoplay(): void;
  keep(pressed: number): void; // when, in ms since the page was opened
  none(): void;
  digit(digit: number): void;
  find(): void;
  discard(): void;
  undo(): void;
  step(places: number): void;
}

export function listenToKeys(actions: KeyActions): void {
  const plain: Record<string, (event: KeyboardEvent) => void> = {
    " ": actions.play,
    Enter: (event) => actions.keep(event.timeStamp),
    "0": actions.none,
    a: actions.autoplay,
    l: actions.find,
    "/": actions.find,
    x: actions.discard,
    Delete: actions.discard,
    u: actions.undo,
    ArrowLeft: () => actions.step(-1),
    ArrowRight: () => actions.step(1),
  };
  for (let digit = 1; digit <= 9; digit++) plain[digit] = () => actions.digit(digit);
  const areOn = keepSingleKeys();
  document.addEventListener("keydown", (event) => {
    if (!areOn()) return;
    const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z";
    const act = isUndo ? actions.undo : plain[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const isOther = (event.ctrlKey || event.metaKey || event.altKey) && !isUndo;
    if (!act || isOther || belongsElsewhere(event)) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) act(event); // a key held down decides once
  });
  // A button, a box or the timeline that was clicked does not keep the keys; one that was reached by Tab does.
  document.addEventListener("click", (event) => {
    if (event.detail) for (const clicked of event.composedPath()) if (clicked instanceof HTMLElement && clicked.matches("button, input[type=checkbox], [role=group]")) clicked.blur();
  });
}

function belongsElsewhere(event: KeyboardEvent): boolean {
  if (isTaken(event)) return true;
  const { key } = event;
  const target = targetOf(event);
  if (!target) return false;
  const presses = key === " " || key === "Enter";
  if (presses && target.matches("button, a, summary, input")) return true;
  return key.startsWith("Arrow") && target.matches("pre, .scroll");
}
