// Which key does what while one records; keys that a field needs stay its own.

import { isTaken, keepSingleKeys } from "../parts/single_keys";
import { element } from "../views/elements";

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
    const isOther = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (isOther || isTaken(event) || !areOn() || element("record").hidden) return;
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (act) act();
    else if (key !== "Escape" || !actions.stop()) return;
    event.preventDefault();
  });
}
