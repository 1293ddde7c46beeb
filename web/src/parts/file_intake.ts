// Files that a person chooses, or drops anywhere on the page.

import { element } from "../views/elements";

// Hands the file over, and the names of those that were dropped with it and are left.
export function listenToFiles(take: (file: File, left: string[]) => void): void {
  const input = element<HTMLInputElement>("file");
  input.addEventListener("change", () => {
    const [chosen] = input.files ?? [];
    if (chosen) take(chosen, []);
    input.value = ""; // so that the same file can be chosen again
  });
  const here = element("drop-here");
  const show = (event: DragEvent, shown: boolean) => {
    event.preventDefault();
    here.hidden = !shown;
  };
  document.addEventListener("dragover", (event) => show(event, true));
  document.addEventListener("dragleave", (event) => show(event, event.relatedTarget !== null));
  document.addEventListener("drop", (event) => {
    show(event, false);
    const [dropped, ...others] = event.dataTransfer?.files ?? [];
    if (dropped) take(dropped, others.map(({ name }) => name));
  });
}
