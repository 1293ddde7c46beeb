// Two loaders, each as `score(job)`: labels or null, and a row of scores for each window.

const TYPED = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

const bytes = async (address) => new Uint8Array(await (await fetch(address)).arrayBuffer());

// The windows of a job, each a Float32Array.
async function windows(job) {
  const all = new Float32Array((await bytes(job.windows)).buffer);
  const length = all.length / job.count;
  return Array.from({ length: job.count }, (_, place) => all.slice(place * length, (place + 1) * length));
}

// A window as long as an input: what is too short begins again, as np.resize does it.
function resized(window, size) {
  return Float32Array.from({ length: size }, (_, place) => window[place % window.length]);
}

let litert;

async function litertjs(job) {
  if (!litert) {
    litert = await import("@litertjs/core");
    await litert.loadLiteRt("/modules/@litertjs/core/wasm/");
  }
  const model = await litert.loadAndCompile(await bytes(job.model), { accelerator: "wasm" });
  const scores = [];
  for (const window of await windows(job)) {
    const inputs = model.getInputDetails().map((input, place) => {
      const shape = Array.from(input.shape);
      const size = shape.reduce((one, other) => one * other, 1);
      const values = place === 0 ? resized(window, size) : new Float32Array(size);
      return new litert.Tensor(TYPED[input.dtype].from(values), shape);
    });
    const outputs = await model.run(inputs);
    scores.push(Array.from(outputs[0].toTypedArray(), Number));
    [...inputs, ...outputs].forEach((tensor) => tensor.delete());
  }
  model.delete();
  return { labels: null, scores };
}

let mediapipe, fileset;

async function mediapipeWeb(job) {
  if (!mediapipe) {
    mediapipe = await import("@mediapipe/tasks-audio");
    fileset = await mediapipe.FilesetResolver.forAudioTasks("/modules/@mediapipe/tasks-audio/wasm");
  }
  const classifier = await mediapipe.AudioClassifier.createFromModelBuffer(fileset, await bytes(job.model));
  let labels = null;
  const scores = [];
  for (const window of await windows(job)) {
    const categories = classifier.classify(window, job.sample_rate)[0].classifications[0].categories;
    const ordered = [...categories].sort((one, other) => one.index - other.index);
    labels = ordered.map((category) => category.categoryName);
    scores.push(ordered.map((category) => category.score));
  }
  classifier.close();
  return { labels, scores };
}

window.loaders = { litertjs, mediapipe_web: mediapipeWeb };
window.score = async (loader, job) => {
  try {
    return await window.loaders[loader](job);
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};
