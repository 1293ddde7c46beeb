// Change of sample rate by a windowed sinc: edge_runtime/audio/resampling.py in TypeScript, equal to it within 1e-6.
//
// The browser's own differs by up to 0.02 in a score, so no sample may pass through it.

const STOPBAND_DB = 100; // attenuation the Kaiser window is designed for
const PASSBAND_END = 0.91; // of the lower of the two Nyquist frequencies; the stop band begins at 1.0
const MOST_TAPS = 1 << 24; // of all filters together, 128 MB

// A stream at one sample rate in, the same stream at another rate out; blocks of any length give the same samples.
export class Resampler {
  private readonly up: number;
  private readonly down: number;
  private readonly filters: Float64Array[];
  private readonly reach: number;
  private kept: Float32Array; // samples that coming outputs still need
  private keptStart: number; // position of its first sample in the stream
  private numIn = 0;
  private numOut = 0;

  constructor(
    private readonly fromRate: number,
    private readonly toRate: number,
  ) {
    const divisor = greatestCommonDivisor(fromRate, toRate);
    this.up = toRate / divisor;
    this.down = fromRate / divisor;
    this.filters = this.up === this.down ? [] : phaseFilters(this.up, this.down);
    this.reach = this.filters.length ? this.filters[0].length / 2 : 0;
    this.kept = new Float32Array(Math.max(this.reach - 1, 0));
    this.keptStart = -this.kept.length;
  }

  // Takes the next samples; returns those outputs that need no later sample.
  push(block: Float32Array): Float32Array {
    this.numIn += block.length;
    if (!this.filters.length) return block;
    this.kept = joined([this.kept, block]);
    const lastCentre = this.numIn - 1 - this.reach; // output n needs the inputs up to n * down / up + reach
    return this.outputs(lastCentre < 0 ? 0 : Math.floor((lastCentre * this.up + this.up - 1) / this.down) + 1);
  }

  // Ends the stream; returns the outputs that were still waiting.
  finish(): Float32Array {
    if (!this.filters.length) return new Float32Array(0);
    this.kept = joined([this.kept, new Float32Array(this.reach)]);
    return this.outputs(Math.ceil((this.numIn * this.toRate) / this.fromRate));
  }

  private outputs(stop: number): Float32Array {
    const { kept, filters, up, down } = this; // of the loop below, which is most of the work
    const outputs = new Float32Array(Math.max(stop - this.numOut, 0));
    for (let place = 0; place < outputs.length; place++) {
      const position = (this.numOut + place) * down;
      const filter = filters[position % up];
      const begin = Math.floor(position / up) - this.reach + 1 - this.keptStart;
      let [even, odd] = [0, 0]; // two sums, which the processor adds at once
      for (let tap = 0; tap < filter.length; tap += 2) {
        even += kept[begin + tap] * filter[tap];
        odd += kept[begin + tap + 1] * filter[tap + 1];
      }
      outputs[place] = even + odd;
    }
    this.numOut = Math.max(stop, this.numOut);
    const needed = Math.floor((this.numOut * down) / up) - this.reach + 1 - this.keptStart;
    const unneeded = Math.min(Math.max(needed, 0), this.kept.length);
    this.kept = this.kept.slice(unneeded);
    this.keptStart += unneeded;
    return outputs;
  }
}

// The waveform at another sample rate; ceil(n * toRate / fromRate) samples.
export function resample(waveform: Float32Array, fromRate: number, toRate: number): Float32Array {
  const resampler = new Resampler(fromRate, toRate);
  return joined([resampler.push(waveform), resampler.finish()]);
}

// Pieces one after the other.
export function joined(pieces: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

// One low-pass filter for each position between two inputs.
function phaseFilters(up: number, down: number): Float64Array[] {
  const nyquist = 0.5 * Math.min(1, up / down); // the lower one, in cycles per input sample
  const transition = (1 - PASSBAND_END) * nyquist;
  const cutoff = nyquist - transition / 2;
  const numTaps = (STOPBAND_DB - 7.95) / (2.285 * 2 * Math.PI * transition);
  const reach = 4 * Math.ceil(numTaps / 8);
  if (up * 2 * reach > MOST_TAPS) {
    throw new Error(`the rates have the ratio ${up} to ${down}, too odd to convert; resample the recording to 48000 Hz`);
  }
  const beta = 0.1102 * (STOPBAND_DB - 8.7);
  return Array.from({ length: up }, (_, phase) => {
    const filter = new Float64Array(2 * reach);
    for (let tap = 0; tap < filter.length; tap++) {
      const offset = phase / up + (reach - 1 - tap);
      filter[tap] = sinc(2 * cutoff * offset) * bessel(beta * Math.sqrt(Math.max(0, 1 - (offset / reach) ** 2)));
    }
    const sum = filter.reduce((total, weight) => total + weight, 0);
    return filter.map((weight) => weight / sum); // a constant stays that constant at every phase
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

// The modified Bessel function of order 0, by its series, whose terms are all positive.
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other ? greatestCommonDivisor(other, one % other) : one;
}
