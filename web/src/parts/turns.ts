// What began earlier than the latest wish ends without a trace.

export class Turns {
  private latest = 0;

  // Begins what was wished; tells ever after whether something else was wished since.
  begin(): () => boolean {
    const own = ++this.latest;
    return () => own !== this.latest;
  }
}
