// The words for a recording that is not whole: those of train/recordings/decoding/cut_off.py and of edge_runtime/audio.

const COPY_AGAIN = "was the recording or the copy interrupted? Copy it again";

// Refuses a file that ends before its samples do; `end` is the byte that they should reach to.
export function checkEnd(end: number, size: number): void {
  if (end > size) throw truncated(`its samples should reach to byte ${end} and it has ${size}`);
}

// Refuses a recording with fewer samples than its header promises.
export function checkCount(found: number, promised: number | null): void {
  if (promised !== null && found < promised) throw truncated(`${found} of ${promised} samples can be read`);
}

export function truncated(how: string): Error {
  return new Error(`it is truncated: ${how}; ${COPY_AGAIN}`);
}
