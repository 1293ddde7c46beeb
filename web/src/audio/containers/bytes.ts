// Bytes of a file, as its header's readers want them.

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// The four letters at a place; fewer at the end.
export function wordAt(bytes: Uint8Array, place: number, length = 4): string {
  return String.fromCharCode(...bytes.subarray(place, place + length));
}
