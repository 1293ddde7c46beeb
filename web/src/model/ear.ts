// A model of the engine: windows in, scores out, each timed.

import type { RemoteEngine } from "../engine/remote_engine";
import type { Heard } from "./interpreter";
import type { Latency } from "./latency";
import type { LoadedModel } from "./models";
import type { Spec } from "./spec";

export class Ear {
  private constructor(
    private readonly engine: RemoteEngine,
    private readonly number: number,
    private readonly latency: Latency,
    readonly spec: Spec,
  ) {}

  // Opens a model; an error says why it does not load.
  static async open(engine: RemoteEngine, { file, spec }: LoadedModel, latency: Latency): Promise<Ear> {
    return new Ear(engine, await engine.open(file, spec), latency, spec);
  }

  // What the model says about one window, which is moved: it is empty afterwards.
  async hear(window: Float32Array): Promise<Heard> {
    const heard = await this.engine.hear(this.number, window);
    this.latency.add(heard.milliseconds);
    return heard;
  }

  close(): Promise<void> {
    return this.engine.close(this.number);
  }
}
