// LiteRT.js: windows of samples in, scores out.

import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel, type TypedArray } from "@litertjs/core";
import { Frames, modelInput, outsideFrames } from "./front_end";
import type { ModelFile, Quantization } from "./model_file";
import { toScores } from "./scores";
import type { Spec } from "./spec";

const WASM = new URL("wasm/", document.baseURI).href;
let runtime: Promise<unknown> | undefined;

// A model that is ready; one window at a time.
export class Interpreter {
  private readonly frames: Frames | null;
  private readonly output: number;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly model: CompiledModel,
    private readonly file: ModelFile,
    readonly spec: Spec,
  ) {
    this.frames = outsideFrames(spec);
    const sizes = model.getOutputDetails().map((output) => size(output.shape));
    this.output = sizes.indexOf(spec.labels.length);
    if (this.output < 0) {
      throw new Error(`it has ${spec.labels.length} labels and puts out ${sizes.join(" and ")} scores; export it again`);
    }
  }

  // Opens a model; an error says why it does not load.
  static async open(file: ModelFile, spec: Spec): Promise<Interpreter> {
    runtime ??= loadLiteRt(WASM);
    await runtime;
    let model: CompiledModel;
    try {
      model = await loadAndCompile(file.bytes, { accelerator: "wasm" });
    } catch (error) {
      throw new Error(`LiteRT.js does not open it: ${(error as Error).message}`);
    }
    try {
      return new Interpreter(model, file, spec);
    } catch (error) {
      model.delete();
      throw error;
    }
  }

  // The scores of one window, one a label.
  scores(window: Float32Array): Promise<Float32Array> {
    const result = this.last.then(() => this.invoke(modelInput(window, this.frames)));
    this.last = result.catch(() => undefined);
    return result;
  }

  // Frees the model when its last window is done.
  async close(): Promise<void> {
    await this.last;
    this.model.delete();
  }

  private async invoke(features: Float32Array): Promise<Float32Array> {
    const details = this.model.getInputDetails()[0];
    const input = new Tensor(toTensor(features, details.dtype, this.file.input), Array.from(details.shape));
    const outputs = await this.model.run([input]);
    const values = fromTensor(outputs[this.output].toTypedArray(), this.file.outputs[this.output]);
    [input, ...outputs].forEach((tensor) => tensor.delete());
    return toScores(values, this.spec.score_transform ?? "none");
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
