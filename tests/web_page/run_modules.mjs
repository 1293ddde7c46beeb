// Runs modules of the page outside a browser.
//
//     node run_modules.mjs WEB JOB.json OUT.json
//
// WEB is the folder of the page. JOB.json: {"clips": [[from, to, samples]], "windows": [[length, window, hop]],
// "inputs": [[spec, window]], "wav": [base64], "stereo": [base64], "lengths": [[samples, channels, rate]],
// "sources": {name: base64}, "cut_wav": {name: base64}}; OUT.json has the same keys with what comes out.

import { createRequire } from "node:module";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [web, jobFile, out] = process.argv.slice(2);
const { build } = createRequire(join(web, "node_modules/"))("esbuild");
const job = JSON.parse(await readFile(jobFile, "utf-8"));
const folder = await mkdtemp(join(tmpdir(), "page-"));
const names = [
  ...["audio/resampling", "audio/windows", "model/front_end", "audio/wav", "audio/downmix", "audio/longest"],
  "audio/containers/source",
];
await build({
  entryPoints: names.map((name) => join(web, "src", `${name}.ts`)),
  bundle: true,
  format: "esm",
  outbase: join(web, "src"),
  outdir: folder,
  outExtension: { ".js": ".mjs" },
});
const load = (name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href);
const modules = Object.assign({}, ...(await Promise.all(names.map(load))));
const { resample, Resampler, joined, windowStarts, modelInput, outsideFrames, decodeWav, toMono, checkLength, readSource } = modules;

// In blocks of a thousand samples, which must be what one call gives.
function inBlocks(samples, from, to) {
  const resampler = new Resampler(from, to);
  const pieces = [];
  for (let at = 0; at < samples.length; at += 1000) pieces.push(resampler.push(samples.subarray(at, at + 1000)));
  return joined([...pieces, resampler.finish()]);
}

const bytesOf = (content) => new Uint8Array(Buffer.from(content, "base64"));
const decoded = (content) => decodeWav(bytesOf(content));
const each = (named, act) => Object.fromEntries(Object.entries(named).map(([name, content]) => [name, act(content)]));

function refusal(act) {
  try {
    act();
    return "";
  } catch ({ message }) {
    return message;
  }
}

// What a file says about itself, or why it is refused.
function source(content) {
  try {
    return readSource(bytesOf(content));
  } catch ({ message }) {
    return { refused: message };
  }
}

const results = {
  clips: job.clips.map(([from, to, samples]) => {
    const whole = resample(Float32Array.from(samples), from, to);
    const blocks = inBlocks(Float32Array.from(samples), from, to);
    return { samples: Array.from(whole), same: whole.length === blocks.length && whole.every((x, at) => x === blocks[at]) };
  }),
  windows: job.windows.map((one) => windowStarts(...one)),
  inputs: job.inputs.map(([spec, window]) => Array.from(modelInput(Float32Array.from(window), outsideFrames(spec)))),
  lengths: job.lengths.map((one) => refusal(() => checkLength(...one))),
  sources: each(job.sources, source),
  cut_wav: each(job.cut_wav, (content) => refusal(() => decoded(content))),
  wav: job.wav.map((content) => {
    const { channels, sampleRate } = decoded(content);
    return { sampleRate, channels: channels.map((channel) => Array.from(channel)) };
  }),
  stereo: job.stereo.map((content) => {
    const { channels, sampleRate } = decoded(content);
    return Array.from(toMono(channels, sampleRate).samples);
  }),
};
await writeFile(out, JSON.stringify(results));
await rm(folder, { recursive: true });
