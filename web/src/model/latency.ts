// How long the model takes for a window.

const KEPT = 500; // of the last ones

export class Latency {
  private times: number[] = [];

  constructor(private readonly show: (latency: Latency) => void) {}

  get count(): number {
    return this.times.length;
  }

  add(milliseconds: number): void {
    this.times.push(milliseconds);
    this.times = this.times.slice(-KEPT);
    this.show(this);
  }

  // The time in ms that this share of the windows stayed below.
  percentile(share: number): number {
    const ordered = [...this.times].sort((one, other) => one - other);
    return ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? NaN;
  }

  clear(): void {
    this.times = [];
    this.show(this);
  }
}
