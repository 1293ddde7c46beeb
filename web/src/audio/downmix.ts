// Several channels made one, as edge_runtime/audio/downmix.py does it: averaged, unless that cancels the sound.

const LEAST_SECONDS = 0.1; // of the last piece, to be judged: a few samples have no phase
const CANCELLED_POWER = 0.25; // share of what channels with nothing in common leave when they are averaged
const MOSTLY_CANCELLED = 0.5; // share of the pieces of a second from which on the loudest channel is used
const SOUND_POWER = 1e-6; // -60 dBFS: in what is quieter, the phase is that of noise

export interface Mono {
  samples: Float32Array;
  note: string; // what was done; empty for one channel
}

export function toMono(channels: readonly Float32Array[], sampleRate: number): Mono {
  if (channels.length === 1) return { samples: channels[0], note: "" };
  const { pieces, cancelled, loudest } = measure(channels, sampleRate);
  if (pieces && cancelled / pieces >= MOSTLY_CANCELLED) {
    const note = `its ${channels.length} channels cancel when averaged, so the loudest is taken, number ${loudest + 1}`;
    return { samples: channels[loudest], note };
  }
  return { samples: channels[0].map((_, place) => mean(channels, place)), note: `${channels.length} channels averaged` };
}

function mean(channels: readonly Float32Array[], place: number): number {
  let sum = 0;
  for (const channel of channels) sum += channel[place];
  return sum / channels.length;
}

// How many seconds with sound there are, in how many of them the channels cancel, and which channel is the loudest.
function measure(channels: readonly Float32Array[], sampleRate: number) {
  const length = Math.max(1, Math.round(sampleRate));
  const least = Math.max(1, Math.round(LEAST_SECONDS * sampleRate));
  const total = channels.map(() => 0);
  let [pieces, cancelled] = [0, 0];
  for (let begin = 0; begin + least <= channels[0].length; begin += length) {
    const end = Math.min(begin + length, channels[0].length);
    const powers = channels.map((channel) => power((place) => channel[place], begin, end));
    powers.forEach((one, channel) => (total[channel] += one));
    if (Math.max(...powers) < SOUND_POWER * (end - begin)) continue;
    pieces++;
    const left = powers.reduce((sum, one) => sum + one, 0) / channels.length ** 2;
    if (power((place) => mean(channels, place), begin, end) < CANCELLED_POWER * left) cancelled++;
  }
  return { pieces, cancelled, loudest: total.indexOf(Math.max(...total)) };
}

// The sum of the squares, an offset aside.
function power(sample: (place: number) => number, begin: number, end: number): number {
  let [sum, squares] = [0, 0];
  for (let place = begin; place < end; place++) {
    const value = sample(place);
    sum += value;
    squares += value * value;
  }
  return Math.max(0, squares - (sum * sum) / (end - begin));
}
