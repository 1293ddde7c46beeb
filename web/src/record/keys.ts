// Which key does what while one records; keys that a field needs stay its own.

import { keepSingleKeys } from "../parts/single_keys";
import { element } from "../views/elements";

const FIELDS = "input:not([type=checkbox]), select, textarea, [contenteditable]";

export interface KeyActions {
  record(): void;
  stop(): boolean; // whether there was something to stop
  play(): void;
  delete(): void;
  choose(place: number): void;
}

export function listenToKeys(actions: KeyActions): void {
  const acts: Record<string, () => void> = { r: actions.record, p: actions.play, Delete: actions.delete };
  for (let digit = 1; digit <= 9; digit++) acts[digit] = () => actions.choose(digit - 1);
  const areOn = keepSingleKeys();
  document.addEventListener("keydown", (event) => {
    const { key } = event;
    const isOther = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (isOther || !areOn() || element("record").hidden || isInField(event)) return;
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (act) act();
    else if (key !== "Escape" || !actions.stop()) return;
    event.preventDefault();
  });
}

// The path, and not the target alone: a field within a part with a shadow tree is not its event's target out here.
function isInField(event: KeyboardEvent): boolean {
  return event.composedPath().some((one) => one instanceof HTMLElement && one.matches(FIELDS));
}
