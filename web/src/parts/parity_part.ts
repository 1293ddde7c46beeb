// The button that compares this browser with the trained model and with Python.

import { checkParity, type ParityRow } from "../model/parity";
import { NotHere } from "../server";
import { counted, element, make } from "../views/elements";
import { offer } from "./controls";
import type { ModelChoice } from "./model_choice";
import type { Teller } from "./teller";

export class ParityPart {
  private readonly button = element<HTMLButtonElement>("parity");
  private readonly result = element("parity-result");

  constructor(
    private readonly models: ModelChoice,
    private readonly teller: Teller,
  ) {
    this.button.addEventListener("click", () => teller.ask(() => this.compare()));
  }

  // Shows what there is to compare the model with.
  begin(): void {
    const { golden } = this.models.chosen.loaded.entry;
    offer(this.button, golden !== null);
    this.result.replaceChildren();
    element("parity-hint").textContent = golden
      ? "Recordings that the build kept back, with the trained model’s scores."
      : "There are no golden vectors beside this file; earproof build writes them.";
  }

  private async compare(): Promise<void> {
    const { ear, loaded } = this.models.chosen;
    if (!loaded.entry.golden) return;
    this.result.replaceChildren();
    offer(this.button, false);
    try {
      const rows = await checkParity(ear, loaded.entry.golden, (done, total) => this.teller.progress(done, total));
      if (ear === this.models.current?.ear) this.result.replaceChildren(...rows.map(verdict));
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      throw new Error(`this host has no golden vectors of ${loaded.entry.file}: its golden.json was left out; the earproof web of the build has it`);
    } finally {
      offer(this.button, this.models.chosen.loaded.entry.golden !== null);
      element("progress").hidden = true;
    }
  }
}

function verdict({ against, passed, maxAbsError, agreement, limits, count, unit }: ParityRow): HTMLElement {
  const error = `scores differ by at most ${maxAbsError.toExponential(1)}`;
  const limit = limits.max_abs_error === null ? "" : ` (limit ${limits.max_abs_error.toExponential(0)})`;
  const decisions = `${(100 * agreement).toFixed(1)} % of decisions equal (limit ${(100 * limits.decision_agreement).toFixed(1)} %)`;
  return make(
    "p",
    { className: passed ? "verdict" : "verdict failed" },
    make("strong", {}, passed ? "Pass" : "Fail"),
    ` against ${against}: ${error}${limit}, ${decisions}, on ${counted(count, unit)}.`,
  );
}
