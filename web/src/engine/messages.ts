// What the page and its worker say to one another.

export interface Call {
  number: number;
  job: string; // a method of the engine
  given: unknown[];
}

export interface Stop {
  stop: number; // the call that nobody waits for any more
}

export interface Answer {
  number: number;
  value?: unknown;
  error?: string;
  progress?: [number, number];
}

// The buffers of big arrays in a value, which are then moved and not copied.
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return value.byteLength === value.buffer.byteLength ? [value.buffer as ArrayBuffer] : [];
  if (typeof value !== "object" || value === null) return [];
  return [...new Set(Object.values(value).flatMap(buffersOf))];
}
