// The page of a review: one take after the other, decided by one key each.

import { counted, element } from "../views/elements";
import { listenToKeys } from "./keys";
import { LabelFinder } from "./label_finder";
import { LabelRows } from "./label_rows";
import { countTakes, offerChoices, showFaults, showResult, showSessions } from "./overview";
import { readNews, readState, save, type Action, type Decision, type News, type State, type Take, type TakeModel } from "./service";
import { Sounds } from "./sounds";
import { chooseTakes, nextUndecided, saidText, type Choice } from "./take_list";
import { TakeView } from "./take_view";

const AHEAD = 3; // takes that are fetched before they are wanted
const LATER = 600; // ms after the last decision
const PAUSE = 400; // ms after a label was entered, in which another Enter is the end of that, and keeps no take unseen
const AUTOPLAY = "earproof-review-autoplay";

class Review {
  private readonly view = new TakeView();
  private readonly sounds = new Sounds();
  private readonly rows = new LabelRows(element("labels"), (label) => this.choose(label));
  private readonly finder = new LabelFinder((label, entered) => {
    this.entered = entered;
    this.choose(label);
  });
  private readonly autoplay = element<HTMLInputElement>("autoplay");
  private readonly decisions = new Map<string, Decision>();
  private order: string[] = []; // takes as they were decided
  private list: Take[] = [];
  private place = 0;
  private selection: string[] = []; // labels chosen one by one, of a model that tells several
  private isHeard = false; // the sound of the take that is shown is there
  private isBusy = false; // a decision is on its way: no key counts for a take that nobody has heard
  private entered = -Infinity; // when a label was, in ms since the page was opened
  private isDone = false;
  private isAgain = false; // decided takes are gone through, one after the other
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly state: State) {
    for (const [path, decision] of Object.entries(state.decisions)) if (decision) this.decisions.set(path, decision);
    this.order = state.order;
    element("where").textContent = `${counted(state.takes.length, "take")} in ${state.folder}; every decision is saved at once`;
    this.autoplay.checked = localStorage.getItem(AUTOPLAY) !== "off";
    offerChoices(state);
    showFaults(state.faults);
    this.listen();
    this.chooseList();
  }

  private get take(): Take {
    return this.list[this.place];
  }

  // Whether no take is shown: all are decided, or none is like what was chosen.
  private get isEmpty(): boolean {
    return this.isDone || !this.list.length;
  }

  private get model(): TakeModel {
    return this.state.models[this.take.model];
  }

  private get tellsSeveral(): boolean {
    return this.model.activation === "sigmoid";
  }

  private listen(): void {
    const press = (id: string, act: () => void) => element(id).addEventListener("click", act);
    press("play", () => this.view.toggle());
    press("keep", () => this.keep());
    press("none", () => this.none());
    press("discard", () => this.decide("discard", []));
    press("undo", () => this.undo());
    press("back", () => this.step(-1));
    press("forward", () => this.step(1));
    press("again", () => {
      element("error").hidden = true;
      this.isAgain = true;
      this.show(0);
    });
    for (const id of ["show", "said", "session", "sort", "undecided-first"]) {
      element(id).addEventListener("change", () => this.chooseList());
    }
    this.autoplay.addEventListener("change", () => localStorage.setItem(AUTOPLAY, this.autoplay.checked ? "on" : "off"));
    element("sessions").addEventListener("toggle", () => showSessions(this.state, this.decisions));
    listenToKeys({
      play: () => this.isEmpty || this.view.toggle(),
      autoplay: () => this.autoplay.click(),
      keep: (pressed) => pressed - this.entered < PAUSE || this.keep(),
      none: () => this.none(),
      digit: (digit) => this.chooseDigit(digit),
      find: () => this.isEmpty || this.finder.open(),
      discard: () => this.decide("discard", []),
      undo: () => this.undo(),
      step: (places) => this.step(places),
    });
  }

  // Makes the list of the takes that are gone through, and shows the first one to decide on.
  private chooseList(): void {
    const value = (id: string) => element<HTMLSelectElement>(id).value;
    const choice: Choice = {
      show: value("show"),
      said: value("said"),
      session: value("session"),
      sort: value("sort"),
      undecidedFirst: element<HTMLInputElement>("undecided-first").checked,
    };
    element("error").hidden = true; // what was told of the choice before
    this.list = chooseTakes(this.state.takes, this.decisions, choice);
    this.showChosen();
    if (!this.list.length) return this.showNone();
    const [first] = nextUndecided(this.list, this.decisions, 0, 1);
    this.isAgain = first === undefined;
    if (this.isAgain && choice.show === "all") this.finish();
    else this.show(first ?? 0);
  }

  private showChosen(): void {
    element("chosen").textContent = counted(this.list.length, "take");
  }

  // Says that no take is like what was chosen.
  private showNone(): void {
    this.view.pause();
    this.begin(0);
    document.body.dataset["shown"] = "";
    this.fail(new Error("no take is like that; choose others below"));
  }

  // Goes to a place of the list.
  private begin(place: number): void {
    this.isDone = false;
    document.body.classList.remove("finished");
    element("again").hidden = true;
    element("result-title").textContent = "What comes of it";
    this.place = place;
    this.isHeard = false;
    for (const id of ["take", "decide"]) element(id).hidden = this.isEmpty;
    this.showCounts();
  }

  // Shows one take of the list.
  private show(place: number): void {
    this.begin(place);
    const { take } = this;
    this.selection = [...(this.decisions.get(take.path)?.labels ?? take.said)];
    this.view.announce(take, this.model);
    this.finder.offer([...new Set([...this.state.models.flatMap(({ labels }) => labels), ...this.state.table.aside.flatMap(({ labels }) => labels)])], this.state.longest_label);
    this.showDecision();
    void this.hear(take);
  }

  private async hear(take: Take): Promise<void> {
    const isShown = () => !this.isDone && this.take === take;
    try {
      const sound = await this.sounds.get(take.path);
      if (!isShown()) return;
      await this.view.show(sound);
      if (!isShown()) return;
    } catch (error) {
      if (!isShown()) return;
      this.view.empty();
      this.fail(new Error(`${(error as Error).message}; → passes it over, X discards it`));
      return;
    }
    this.isHeard = true;
    document.body.dataset["shown"] = take.path; // what is here can be heard now
    this.prepare();
    if (this.autoplay.checked) await this.view.start();
  }

  // Fetches what may come next, so that a decision is followed by its take at once.
  private prepare(): void {
    const places = new Set([...this.following(AHEAD), this.place + 1, this.place - 1]);
    this.sounds.prepare([...places].filter((place) => this.list[place] && place !== this.place).map((place) => this.list[place].path));
  }

  // The places of the next takes to decide on: undecided ones, or the next of those that are gone through again.
  private following(most: number): number[] {
    const from = this.place + 1;
    if (this.isAgain && from < this.list.length) return [from];
    return nextUndecided(this.list, this.decisions, from, most);
  }

  private showDecision(): void {
    const { take, model } = this;
    const decision = this.decisions.get(take.path);
    const marked = this.tellsSeveral ? this.selection : (decision?.labels ?? []);
    this.rows.show(take, model, marked);
    const said = take.said.length ? saidText(take) : this.state.none;
    const isChanged = this.tellsSeveral && !isSame(this.selection, take.said);
    element("keep").firstElementChild!.textContent = isChanged ? `Save ${this.selection.join(" + ") || this.state.none}` : `Keep ${said}`;
    element("decision").textContent = decision ? verdict(decision) : this.tellsSeveral ? "one or several" : "";
    document.body.dataset["decision"] = decision ? `${decision.action} ${decision.labels.join("+")}`.trim() : "";
    element<HTMLButtonElement>("undo").disabled = !this.order.length;
    element<HTMLButtonElement>("back").disabled = this.place === 0;
    element<HTMLButtonElement>("forward").disabled = this.place === this.list.length - 1;
  }

  private showCounts(): void {
    const { takes } = this.state;
    const counts = countTakes(takes, this.decisions);
    const decided = takes.length - counts.undecided;
    const place = this.list.length && !this.isDone ? `${(this.place + 1).toLocaleString("en")} of ${this.list.length.toLocaleString("en")}` : "";
    element("place").textContent = place;
    element("counts").textContent = `${decided.toLocaleString("en")} decided, ${counts.undecided.toLocaleString("en")} to go`;
    const bar = element<HTMLProgressElement>("decided");
    bar.max = takes.length;
    bar.value = decided;
    showSessions(this.state, this.decisions);
    showResult(this.state, this.decisions, this.state.none);
  }

  private step(places: number): void {
    if (this.isDone && places > 0) return; // behind the last take
    const place = this.isDone ? this.list.length - 1 : this.place + places;
    if (!this.isBusy && this.list[place]) {
      element("error").hidden = true;
      this.show(place);
    }
  }

  private chooseDigit(digit: number): void {
    const label = this.rows.ofDigit(digit); // of the take that was shown last
    if (label !== undefined) this.choose(label);
  }

  // A label was pressed or found: it decides, or is put among several and taken out again.
  private choose(label: string): void {
    if (this.isEmpty) return;
    if (!this.tellsSeveral) return this.decide(isSame([label], this.take.said) ? "keep" : "correct", [label]);
    const others = this.selection.filter((one) => one !== label && one !== this.state.none);
    this.selection = this.selection.includes(label) ? others : [...others, label];
    this.showDecision();
  }

  // Keeps what the model said, or what was chosen one by one.
  private keep(): void {
    if (this.isEmpty) return;
    const isChanged = this.tellsSeveral && !isSame(this.selection, this.take.said);
    this.decide(isChanged ? "correct" : "keep", isChanged ? this.selection : []);
  }

  private none(): void {
    if (this.isEmpty) return;
    this.decide("correct", this.tellsSeveral ? [] : [this.state.none]);
  }

  private decide(action: Action, labels: string[]): void {
    if (this.isEmpty) return;
    const { take } = this;
    if (!this.isHeard && action !== "discard") return; // nobody has heard it
    this.ask(async () => {
      this.apply(await save(take.path, action, labels, this.state.revision));
      this.order.push(take.path);
      this.askLater();
      const [next] = this.following(1);
      if (next === undefined) this.finish();
      else this.show(next);
    });
  }

  // Takes the last decision back, and shows its take again.
  private undo(): void {
    const path = this.order.at(-1);
    if (path === undefined) return;
    this.ask(async () => {
      this.apply(await save(path, "undo", [], this.state.revision));
      this.order.pop();
      this.askLater();
      let place = this.list.findIndex((take) => take.path === path);
      if (place < 0) {
        this.list.push(this.state.takes.find((take) => take.path === path)!); // of another choice
        place = this.list.length - 1;
        this.showChosen();
      }
      this.show(place);
    });
  }

  // Runs what changes something, one after the other; what goes wrong is told, and changes nothing here.
  private ask(work: () => Promise<void>): void {
    if (this.isBusy) return;
    this.isBusy = true;
    element("error").hidden = true;
    work()
      .catch(async (error: Error) => {
        this.fail(error);
        this.apply(await readNews(this.state.revision).catch(() => null)); // where the server answers at all
        if (!this.isEmpty) this.showDecision();
      })
      .finally(() => (this.isBusy = false));
  }

  private apply(news: News | null): void {
    if (!news) return;
    for (const [path, decision] of Object.entries(news.decisions)) {
      if (decision) this.decisions.set(path, decision);
      else this.decisions.delete(path);
    }
    this.state.revision = news.revision;
    this.state.table = news.table;
    this.state.warning = news.warning;
    const more = news.faults.length - this.state.faults.length;
    this.state.faults = news.faults;
    showFaults(news.faults);
    if (more > 0) this.fail(new Error(`${counted(more, "line")} left out: ${news.faults.slice(-more).join("; ")}`));
    if (news.warning && !this.isDone) this.fail(new Error(news.warning));
    this.showCounts();
  }

  // Asks, once nobody decides, whether the table is written, and what was decided on another page.
  private askLater(): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => void readNews(this.state.revision).then((news) => this.isBusy || this.apply(news), (error: Error) => this.fail(error)), LATER);
  }

  private finish(): void {
    this.isDone = true;
    this.isAgain = false;
    this.view.pause();
    for (const id of ["take", "decide"]) element(id).hidden = true;
    element("again").hidden = !this.list.length;
    document.body.classList.add("finished");
    this.showCounts();
    const isAll = !countTakes(this.state.takes, this.decisions).undecided;
    element("result-title").textContent = isAll ? `All ${this.state.takes.length.toLocaleString("en")} takes are decided` : "All takes of this choice are decided";
    element("result").focus();
    document.body.dataset["shown"] = "";
  }

  private fail(error: Error): void {
    element("error").textContent = error.message;
    element("error").hidden = false;
  }
}

function verdict({ action, labels }: Decision): string {
  if (action === "discard") return "discarded";
  return `${action === "keep" ? "kept as" : "corrected to"} ${labels.join(" + ")}`;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((label) => other.includes(label));
}

readState()
  .then((state) => new Review(state))
  .catch((error: Error) => {
    element("error").textContent = error.message;
    element("error").hidden = false;
    for (const id of ["take", "decide", "choose", "result"]) element(id).hidden = true;
  });
