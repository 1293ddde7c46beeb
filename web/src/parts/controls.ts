// Which buttons and fields can be used: those marked with data-waits rest while a model loads.

export function enableControls(enabled: boolean): void {
  for (const control of document.querySelectorAll<HTMLButtonElement>("[data-waits]")) control.disabled = !enabled;
}
