// The elements of the page by id, and small ones made by code.

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Minutes and seconds, with tenths; with a sign before the beginning.
export function clock(seconds: number): string {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const sign = seconds < 0 && tenths > 0 ? "−" : "";
  return `${sign}${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

// "1 window", "2 windows".
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

const HUES = [174, 316, 36, 214, 4, 264, 120, 194, 290, 56]; // far apart one after the other

// The colour of a label, the same wherever it appears.
export function labelColour(index: number, alpha = 1): string {
  return `hsl(${HUES[index % HUES.length]} 62% 45% / ${alpha})`;
}
