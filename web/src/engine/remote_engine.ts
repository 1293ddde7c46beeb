// The page's side of the engine: its methods, called in a worker, or in the page where there is none.

import type { Heard } from "../model/interpreter";
import type { ModelFile } from "../model/model_file";
import type { Spec } from "../model/spec";
import type { Engine, OneChannel, Watch } from "./engine";
import { buffersOf, type Answer } from "./messages";

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  watch: Watch | undefined;
}

type Ask = (job: string, given: unknown[], moved: ArrayBuffer[], watch?: Watch) => Promise<unknown>;

export class RemoteEngine {
  private constructor(
    private readonly ask: Ask,
    readonly note: string, // why it computes in the page; empty where it does not
  ) {}

  // Starts it; LiteRT.js begins to load at once.
  static async start(): Promise<RemoteEngine> {
    let engine: RemoteEngine;
    try {
      engine = new RemoteEngine(await startWorker(), "");
    } catch (error) {
      const why = (error as Error).message;
      engine = new RemoteEngine(
        await startHere(),
        `This browser runs no worker (${why}): the model computes in the page, which may stand still meanwhile`,
      );
    }
    return engine;
  }

  // Why LiteRT.js does not load, by an error.
  warm(): Promise<void> {
    return this.ask("warm", [], []) as Promise<void>;
  }

  open(file: ModelFile, spec: Spec): Promise<number> {
    return this.ask("open", [file, spec], []) as Promise<number>;
  }

  close(model: number): Promise<void> {
    return this.ask("close", [model], []) as Promise<void>;
  }

  // The window is moved: it is empty afterwards.
  hear(model: number, window: Float32Array): Promise<Heard> {
    return this.ask("hear", [model, window], buffersOf(window)) as Promise<Heard>;
  }

  // The bytes are moved.
  readWav(bytes: Uint8Array): Promise<OneChannel> {
    return this.ask("readWav", [bytes], buffersOf(bytes)) as Promise<OneChannel>;
  }

  // The channels are moved.
  toOne(channels: Float32Array[], sampleRate: number): Promise<OneChannel> {
    return this.ask("toOne", [channels, sampleRate], buffersOf(channels)) as Promise<OneChannel>;
  }

  resample(samples: Float32Array, fromRate: number, toRate: number, watch: Watch): Promise<Float32Array> {
    return this.ask("resample", [samples, fromRate, toRate], [], watch) as Promise<Float32Array>;
  }

  // The samples are moved.
  paint(samples: Float32Array, sampleRate: number, begins: number[], perColumn: number): Promise<Uint8Array> {
    return this.ask("paint", [samples, sampleRate, begins, perColumn], buffersOf(samples)) as Promise<Uint8Array>;
  }
}

// A worker that has answered; an error says why there is none.
async function startWorker(): Promise<Ask> {
  const worker = new Worker(new URL("worker.js", document.baseURI));
  const waiting = new Map<number, Waiting>();
  let numAsked = 0;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const { number, progress, error, value } = data;
    const one = waiting.get(number);
    if (!one) return;
    if (progress) {
      one.watch?.progress(...progress);
      if (one.watch?.stopped()) worker.postMessage({ stop: number });
      return;
    }
    waiting.delete(number);
    if (error === undefined) one.resolve(value as never);
    else one.reject(new Error(error));
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message || "its file does not load"));
    waiting.clear();
  };
  const ask: Ask = (job, given, moved, watch) =>
    new Promise((resolve, reject) => {
      waiting.set(++numAsked, { resolve, reject, watch });
      worker.postMessage({ number: numAsked, job, given }, moved);
    });
  await ask("warm", [], []);
  return ask;
}

async function startHere(): Promise<Ask> {
  const { Engine: InPage } = await import("./engine");
  const engine: Engine = new InPage();
  return (job, given, _, watch) => {
    const method = engine[job as keyof Engine] as unknown as (...given: unknown[]) => Promise<unknown>;
    return method.call(engine, ...given, watch);
  };
}
