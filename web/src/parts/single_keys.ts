// Whether keys act by themselves. Who speaks to their machine, or leans on keys, switches them off (WCAG 2.1.4).

import { element } from "../views/elements";

const KEPT = "earproof.single-keys";

export function keepSingleKeys(): () => boolean {
  const box = element<HTMLInputElement>("single-keys");
  box.checked = localStorage.getItem(KEPT) !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  return () => box.checked;
}

// Whether a key is another element's: something else did it already, or it is written somewhere.
export function isTaken(event: KeyboardEvent): boolean {
  return event.defaultPrevented || !!targetOf(event)?.matches("input:not([type=checkbox]), select, textarea");
}

// The element that an event is for; within a shadow root too, of which event.target tells the host alone.
export function targetOf(event: Event): HTMLElement | null {
  const [target] = event.composedPath();
  return target instanceof HTMLElement ? target : null;
}
