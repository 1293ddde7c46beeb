// The worker: an engine whose methods are called by messages.

import { Engine, type Watch } from "./engine";
import { buffersOf, type Answer, type Call, type Stop } from "./messages";

type Method = (...given: unknown[]) => Promise<unknown>;

const engine = new Engine();
const stopped = new Set<number>();
const answer = (said: Answer) => self.postMessage(said, { transfer: buffersOf(said.value) });

self.onmessage = async ({ data }: MessageEvent<Call | Stop>) => {
  if ("stop" in data) return void stopped.add(data.stop);
  const { number, job, given } = data;
  const watch: Watch = {
    progress: (done, total) => answer({ number, progress: [done, total] }),
    stopped: () => stopped.has(number),
  };
  try {
    const method = engine[job as keyof Engine] as unknown as Method;
    answer({ number, value: await method.call(engine, ...given, watch) });
  } catch (error) {
    answer({ number, error: (error as Error).message });
  } finally {
    stopped.delete(number);
  }
};
