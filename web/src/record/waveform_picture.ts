// A take as a small picture of its waveform.

const COLUMNS = 64;
const HEIGHT = 28;

// Draws the envelope, at full height for the loudest sample, so that quiet takes have a shape too.
export function drawWaveform(canvas: HTMLCanvasElement, samples: Float32Array): void {
  canvas.width = COLUMNS;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d")!;
  const peaks = Array.from({ length: COLUMNS }, (_, column) => {
    const begin = Math.floor((column * samples.length) / COLUMNS);
    const end = Math.floor(((column + 1) * samples.length) / COLUMNS);
    let highest = 0;
    for (let at = begin; at < end; at++) highest = Math.max(highest, Math.abs(samples[at]));
    return highest;
  });
  const loudest = Math.max(...peaks, 0.02); // noise alone stays low
  context.fillStyle = getComputedStyle(canvas).color;
  peaks.forEach((peak, column) => {
    const height = Math.max(1, (peak / loudest) * HEIGHT);
    context.fillRect(column, (HEIGHT - height) / 2, 0.75, height);
  });
}
