// Whether keys act by themselves. Who speaks to their machine, or leans on keys, switches them off (WCAG 2.1.4).

import { element } from "../views/elements";

const KEPT = "earproof.single-keys";

export function keepSingleKeys(): () => boolean {
  const box = element<HTMLInputElement>("single-keys");
  box.checked = localStorage.getItem(KEPT) !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  return () => box.checked;
}
