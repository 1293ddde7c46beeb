// LiteRT.js: windows of samples in, scores out.

import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel, type TypedArray } from "@litertjs/core";
import { Frames, modelInput, outsideFrames } from "./front_end";
import type { ModelFile, Quantization } from "./model_file";
import { toScores } from "./scores";
import type { Spec } from "./spec";

const IN_PAGE = typeof document !== "undefined";
const WASM = new URL("wasm/", IN_PAGE ? document.baseURI : self.location.href).href;
const SCORE_MARGIN = 1e-3; // by which a score may lie outside 0 to 1: rounding
let runtime: Promise<unknown> | undefined;

// What a model says about one window.
export interface Heard {
  scores: Float32Array; // one a label
  frames: Float32Array | null; // one a label of every frame, frame by frame
  milliseconds: number; // that it took, front end included
}

// Loads LiteRT.js, once.
export function loadRuntime(): Promise<unknown> {
  if (!IN_PAGE) {
    // It looks for its wasm file beside the worker's own, if nothing tells it better.
    Object.assign(self, { Module: { locateFile: (name: string) => WASM + name } });
  }
  runtime ??= loadLiteRt(WASM);
  return runtime;
}

// A model that is ready; one window at a time.
export class Interpreter {
  private readonly frames: Frames | null;
  private readonly output: number;
  private readonly frameOutput: number; // -1 where it has no scores of frames
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly model: CompiledModel,
    private readonly file: ModelFile,
    readonly spec: Spec,
  ) {
    this.frames = outsideFrames(spec);
    const sizes = model.getOutputDetails().map((output) => size(output.shape));
    [this.output, this.frameOutput] = outputPlaces(sizes, spec);
  }

  // Opens a model; an error says why it does not load.
  static async open(file: ModelFile, spec: Spec): Promise<Interpreter> {
    await loadRuntime();
    let model: CompiledModel;
    try {
      model = await loadAndCompile(file.bytes, { accelerator: "wasm" });
    } catch (error) {
      throw new Error(`LiteRT.js does not open it (${(error as Error).message}); earproof lint FILE says what is wrong with it`);
    }
    try {
      return new Interpreter(model, file, spec);
    } catch (error) {
      model.delete();
      throw error;
    }
  }

  // What the model says about one window.
  hear(window: Float32Array): Promise<Heard> {
    const result = this.last.then(() => this.invoke(window));
    this.last = result.catch(() => undefined);
    return result;
  }

  // Frees the model when its last window is done.
  async close(): Promise<void> {
    await this.last;
    this.model.delete();
  }

  private async invoke(window: Float32Array): Promise<Heard> {
    const begin = performance.now();
    const details = this.model.getInputDetails()[0];
    const features = toTensor(modelInput(window, this.frames), details.dtype, this.file.input);
    const input = new Tensor(features, Array.from(details.shape));
    const outputs = await this.model.run([input]);
    const read = (place: number) => fromTensor(outputs[place].toTypedArray(), this.file.outputs[place]);
    const scores = toScores(read(this.output), this.spec.score_transform ?? "none");
    const frames = this.frameOutput < 0 ? null : read(this.frameOutput);
    [input, ...outputs].forEach((tensor) => tensor.delete());
    for (const values of [scores, frames ?? []]) checkScores(values);
    return { scores, frames, milliseconds: performance.now() - begin };
  }
}

// Which output holds the scores, and which those of frames; as metadata/spec.py tells them apart.
function outputPlaces(sizes: number[], { labels, frames }: Spec): [number, number] {
  const expected = [labels.length, ...(frames ? [frames.num_frames * labels.length] : [])];
  const place = sizes.indexOf(labels.length);
  const other = frames ? 1 - place : -1;
  if (place < 0 || (frames && (sizes.length !== 2 || sizes[other] !== expected[1]))) {
    throw new Error(`its spec says ${expected.join(" and ")} scores, and it puts out ${sizes.join(" and ")}; export it again`);
  }
  return [place, other];
}

function checkScores(scores: ArrayLike<number>): void {
  for (let place = 0; place < scores.length; place++) {
    if (Math.abs(scores[place] - 0.5) <= 0.5 + SCORE_MARGIN) continue;
    const what = Number.isFinite(scores[place]) ? "say what its scores are with: earproof metadata write FILE --activation" : "export it again";
    throw new Error(`the model puts out ${scores[place]}, and scores are from 0 to 1; ${what}`);
  }
}

function size(shape: ArrayLike<number>): number {
  return Array.from(shape).reduce((one, other) => one * other, 1);
}

// Rounds half to even, as NumPy does.
function rint(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

function toTensor(values: Float32Array, dtype: string, stored: Quantization | null): TypedArray {
  if (dtype === "float32") return values;
  const [low, high] = dtype === "int8" ? [-128, 127] : [0, 255];
  if (!stored || (dtype !== "int8" && dtype !== "uint8")) {
    throw new Error(`its input is ${dtype}; this page feeds float32, int8 and uint8`);
  }
  const { scale, zeroPoint } = stored;
  const integers = values.map((value) => Math.min(high, Math.max(low, rint(Math.fround(value / scale)) + zeroPoint)));
  return (dtype === "int8" ? Int8Array.from(integers) : Uint8Array.from(integers)) as unknown as TypedArray;
}

function fromTensor(values: ArrayLike<number>, stored: Quantization | null): Float32Array {
  if (values instanceof Float32Array || !stored) return Float32Array.from(values);
  return Float32Array.from(values, (value) => (value - stored.zeroPoint) * stored.scale);
}
