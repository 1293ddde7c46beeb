// Long work in pieces, so that what else is asked gets its turn.

const BUSY_MS = 25; // worked at most between two looks

// Something to wait for between two pieces: it gives way where the last time is long ago.
export function breather(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < BUSY_MS) return;
    await turn();
    since = performance.now();
  };
}

// Resolves behind what waits already; a timer would be held back by 4 ms.
function turn(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(null);
  });
}
