// How long the model takes for a window, in figures.

import type { Latency } from "../model/latency";
import { element } from "./elements";

export function showLatency(latency: Latency): void {
  const shown = (share: number) => (latency.count ? `${latency.percentile(share).toFixed(1)} ms` : "–");
  element("p50").textContent = shown(0.5);
  element("p95").textContent = shown(0.95);
  element("timed").textContent = String(latency.count);
}
