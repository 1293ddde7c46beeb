// Which buttons and fields can be used: those marked with data-waits rest while a model loads.

type Control = HTMLButtonElement | HTMLInputElement;

let enabled = false;

export function enableControls(now: boolean): void {
  enabled = now;
  document.querySelectorAll<Control>("[data-waits]").forEach(settle);
}

// Says whether the model has a use for a control at all.
export function offer(control: Control, offered: boolean): void {
  control.toggleAttribute("data-off", !offered);
  settle(control);
}

function settle(control: Control): void {
  control.disabled = !enabled || control.hasAttribute("data-off");
}
