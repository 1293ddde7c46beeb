// A .tflite file as bytes: its spec, its standard metadata, and the numbers behind its integers.

import { strFromU8, unzipSync } from "fflate";
import { ByteBuffer } from "flatbuffers";
import { parseSpec, type Spec } from "./spec";

const IDENTIFIER = "TFL3";
const METADATA_NAME = "TFLITE_METADATA";
const SPEC_FILE = "model_spec.json";

export interface Quantization {
  scale: number;
  zeroPoint: number;
}

export interface ModelFile {
  bytes: Uint8Array;
  spec: Spec | null; // null: the file has none of ours
  about: Record<string, string>; // of the standard metadata
  files: string[]; // names of the associated files
  input: Quantization | null;
  outputs: (Quantization | null)[];
}

// Reads what a model file says; an error says why it is none.
export function readModelFile(bytes: Uint8Array): ModelFile {
  if (bytes.length < 8 || strFromU8(bytes.subarray(4, 8)) !== IDENTIFIER) {
    throw new Error(`this is no .tflite file: it does not begin with the identifier ${IDENTIFIER}`);
  }
  const files = associatedFiles(bytes);
  const model = Table.root(new ByteBuffer(bytes));
  const graph = model.tables(2)[0];
  if (!graph) throw new Error("the model holds no graph; it is damaged, export it again");
  const tensors = graph.tables(0);
  const quantized = (slot: number) => graph.numbers(slot).map((place) => quantization(tensors[place]));
  return {
    bytes,
    spec: files[SPEC_FILE] ? parseSpec(strFromU8(files[SPEC_FILE])) : null,
    about: standardMetadata(model),
    files: Object.keys(files).sort(),
    input: quantized(1)[0] ?? null,
    outputs: quantized(2),
  };
}

// The files behind the model, which are a ZIP; none where there is no ZIP.
function associatedFiles(bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch {
    return {};
  }
}

function standardMetadata(model: Table): Record<string, string> {
  const entry = model.tables(6).find((one) => one.text(0) === METADATA_NAME);
  const content = entry && model.tables(4)[entry.number(1)]?.bytes(0);
  if (!content?.length) return {};
  const values = Table.root(new ByteBuffer(content.slice()));
  const slots = { name: 0, description: 1, version: 2, author: 4, license: 5 };
  return Object.fromEntries(Object.entries(slots).map(([name, slot]) => [name, values.text(slot)]));
}

function quantization(tensor: Table): Quantization | null {
  const values = tensor.table(4);
  const scale = values?.floats(2)[0];
  return values && scale ? { scale, zeroPoint: values.longs(3)[0] ?? 0 } : null;
}

// A table of a flatbuffer; slots are numbered as the schema lists its fields.
class Table {
  private constructor(
    private readonly buffer: ByteBuffer,
    private readonly place: number,
  ) {}

  static root(buffer: ByteBuffer): Table {
    return new Table(buffer, buffer.readInt32(0));
  }

  number(slot: number): number {
    const place = this.field(slot);
    return place ? this.buffer.readUint32(place) : 0;
  }

  text(slot: number): string {
    const place = this.field(slot);
    return place ? String(this.buffer.__string(place)) : "";
  }

  table(slot: number): Table | null {
    const place = this.field(slot);
    return place ? new Table(this.buffer, this.buffer.__indirect(place)) : null;
  }

  tables(slot: number): Table[] {
    return this.elements(slot, 4, (place) => new Table(this.buffer, this.buffer.__indirect(place)));
  }

  numbers(slot: number): number[] {
    return this.elements(slot, 4, (place) => this.buffer.readInt32(place));
  }

  floats(slot: number): number[] {
    return this.elements(slot, 4, (place) => this.buffer.readFloat32(place));
  }

  longs(slot: number): number[] {
    return this.elements(slot, 8, (place) => Number(this.buffer.readInt64(place)));
  }

  bytes(slot: number): Uint8Array {
    const place = this.field(slot);
    if (!place) return new Uint8Array(0);
    const begin = this.buffer.__vector(place);
    return this.buffer.bytes().subarray(begin, begin + this.buffer.__vector_len(place));
  }

  private field(slot: number): number {
    const offset = this.buffer.__offset(this.place, 4 + 2 * slot);
    return offset && this.place + offset;
  }

  private elements<T>(slot: number, width: number, read: (place: number) => T): T[] {
    const place = this.field(slot);
    if (!place) return [];
    const begin = this.buffer.__vector(place);
    return Array.from({ length: this.buffer.__vector_len(place) }, (_, number) => read(begin + number * width));
  }
}
