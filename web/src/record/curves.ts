// Loss and accuracy of every epoch, as curves with a table beside them.

import uPlot from "uplot";
import { make } from "../views/elements";

interface Curve {
  column: string;
  name: string;
  colour: string; // a variable of the style
  dashed: boolean;
}

const PICTURES: { title: string; curves: Curve[] }[] = [
  { title: "Accuracy", curves: [curve("accuracy", "training", false), curve("val_accuracy", "validation", true)] },
  { title: "Loss", curves: [curve("loss", "training", false), curve("val_loss", "validation", true)] },
];
const HEIGHT = 170; // pixels

function curve(column: string, name: string, held: boolean): Curve {
  return { column, name, colour: held ? "--accent" : "--soft", dashed: !held };
}

// Shows the rows of a history; one row alone is no curve.
export function showCurves(container: HTMLElement, history: Record<string, number>[]): void {
  const before = container.querySelector("details");
  const wasFocused = before?.contains(document.activeElement) ?? false;
  container.replaceChildren();
  if (history.length > 1) {
    const width = Math.max(220, Math.min(460, container.clientWidth / (container.clientWidth > 560 ? 2 : 1) - 12));
    for (const { title, curves } of PICTURES) {
      const shown = curves.filter(({ column }) => column in history[0]);
      if (shown.length) container.append(picture(title, shown, history, width));
    }
  }
  if (!history.length) return;
  const numbers = table(history);
  numbers.open = before?.open ?? false; // an epoch that is added closes nothing
  container.append(numbers);
  if (wasFocused) numbers.querySelector("summary")?.focus({ preventScroll: true });
}

function picture(title: string, curves: Curve[], history: Record<string, number>[], width: number): HTMLElement {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const figure = make("figure", { className: "curves" }, make("figcaption", {}, title));
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  new uPlot(
    {
      width,
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false } },
      axes: [{ ...axis, size: 28 }, { ...axis, size: 48 }],
      series: [
        {},
        ...curves.map((one) => ({ label: one.name, stroke: colour(one.colour), width: 2, ...(one.dashed ? { dash: [5, 4] } : {}) })),
      ],
    },
    [history.map(({ epoch }) => epoch), ...curves.map(({ column }) => history.map((row) => row[column]))],
    figure,
  );
  const legend = curves.map(({ name, dashed }) => `${dashed ? "dashed" : "drawn through"}: ${name}`).join("; ");
  figure.append(make("p", { className: "soft" }, `By epoch; ${legend}.`));
  return figure;
}

function table(history: Record<string, number>[]): HTMLDetailsElement {
  const names = ["epoch", "accuracy", "val_accuracy", "loss", "val_loss"].filter((name) => name in history[0]);
  const head = names.map((name) => make("th", { scope: "col" }, name.replace("val_", "validation ")));
  const rows = history.map((row) =>
    make("tr", {}, ...names.map((name) => make("td", {}, name === "epoch" ? String(row[name]) : row[name].toFixed(3)))),
  );
  const scroll = make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "History" });
  scroll.append(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
  return make("details", {}, make("summary", {}, `${history.length === 1 ? "The training" : "Every epoch"} in numbers`), scroll);
}
