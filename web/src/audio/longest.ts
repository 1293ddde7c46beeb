// How long a recording may be that the page holds in memory.

const MOST_SAMPLES = 1 << 28; // of all channels: 1 GB, 101 minutes of one channel at 44.1 kHz

// Refuses what is longer; an error says what hears it.
export function checkLength(numSamples: number, numChannels: number, sampleRate: number): void {
  if (numSamples * numChannels <= MOST_SAMPLES) return;
  const minutes = (count: number) => Math.floor(count / numChannels / sampleRate / 60);
  throw new Error(
    `it lasts ${minutes(numSamples * numChannels)} min, and this page holds ${minutes(MOST_SAMPLES)} min of such sound; ` +
      "earproof classify and earproof timeline hear any length",
  );
}
