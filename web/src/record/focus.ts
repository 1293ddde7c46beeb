// Whoever goes through the page by keys stays where they are although what has the focus goes away.

// Gives the focus to the first element of these ids that can take it.
export function focusFirst(ids: string[]): void {
  for (const id of ids) {
    const found = document.getElementById(id);
    if (!found?.getClientRects().length || found.matches(":disabled")) continue;
    return found.focus();
  }
}

// Does what may hide or disable an element; where that had the focus, one of these ids gets it, best the element itself.
export async function handingOn(from: HTMLElement, work: () => Promise<void>, others: () => string[]): Promise<void> {
  const had = document.activeElement === from;
  try {
    await work();
  } finally {
    const now = document.activeElement;
    if (had && (!now || now === document.body || now === from)) focusFirst([from.id, ...others()]);
  }
}
