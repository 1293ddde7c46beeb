// The page: its parts, and what one tells another.

import { decodeFile } from "./audio/decoding";
import { RemoteEngine } from "./engine/remote_engine";
import { Latency } from "./model/latency";
import { listServed } from "./model/models";
import { ClipHearing } from "./parts/clip_hearing";
import { Decisions } from "./parts/decisions";
import { listenToFiles } from "./parts/file_intake";
import { HopChoice } from "./parts/hop_choice";
import { MicrophonePart } from "./parts/microphone_part";
import { ModelChoice, type Chosen } from "./parts/model_choice";
import { ParityPart } from "./parts/parity_part";
import { Teller } from "./parts/teller";
import { Turns } from "./parts/turns";
import { Recorder } from "./record/recorder";
import { Bars } from "./views/bars";
import { ClipView } from "./views/clip_view";
import { element } from "./views/elements";
import { showLatency } from "./views/latency_figures";
import { showMetadata } from "./views/metadata_list";
import { SpectrogramPicture } from "./views/spectrogram_picture";
import { WholeSpectrogram } from "./views/whole_spectrogram";

class Page {
  private readonly engine = RemoteEngine.start();
  private readonly teller = new Teller();
  private readonly turns = new Turns();
  private readonly hop = new HopChoice(() => this.rehear());
  private readonly decisions = new Decisions(this.teller, this.hop, () => this.decide(), () => this.rehear());
  private readonly bars = new Bars(element("bars"), (label, threshold) => this.decisions.moveThreshold(label, threshold));
  private readonly whole = new WholeSpectrogram(element<HTMLCanvasElement>("whole"), this.engine, (error) => this.fail(error));
  private readonly view = new ClipView(this.bars, this.decisions.rules, this.whole);
  private readonly latency = new Latency(showLatency);
  private readonly models = new ModelChoice(this.engine, this.latency, this.teller, this.turns, (chosen) => this.settle(chosen));
  private readonly clips = new ClipHearing(
    ...([this.engine, this.models, this.hop, this.view, () => this.picture!, this.teller, this.turns] as const),
  );
  private readonly microphone = new MicrophonePart(
    ...([this.models, this.clips, this.view, this.bars, this.decisions.rules, () => this.picture!, this.teller, this.turns] as const),
  );
  private readonly parity = new ParityPart(this.models, this.teller);
  private picture: SpectrogramPicture | null = null; // at the model's rate

  async begin(): Promise<void> {
    this.teller.say("Loading the model …");
    listenToFiles((file, left) => this.teller.ask(() => this.takeOne(file, left)));
    void this.engine.then(({ note }) => note && this.teller.warn(note));
    const served = await listServed();
    this.models.offer(served.models);
    if (served.records) {
      const recorder = new Recorder((place) => this.openTrained(place), this.engine);
      await recorder.begin();
      if (await recorder.openNewest()) return;
    }
    await this.models.begin();
  }

  private async openTrained(place: number): Promise<void> {
    await this.microphone.stop();
    await this.models.openServed(place);
  }

  fail(error: Error): void {
    this.teller.fail(error);
  }

  // Takes the first of the files that came together, and says which ones are left.
  private async takeOne(file: File, left: string[]): Promise<void> {
    if (!left.length) return this.take(file);
    const said = `One file at a time: ${file.name} was taken, and ${left.join(" and ")} ${left.length > 1 ? "were" : "was"} not`;
    this.teller.warn(said);
    try {
      await this.take(file);
    } catch (error) {
      throw new Error(`${(error as Error).message}. ${said}`);
    }
  }

  private async take(file: File): Promise<void> {
    await this.microphone.stop();
    if (file.name.toLowerCase().endsWith(".tflite")) return this.models.chooseDropped(file);
    this.teller.say(`Reading ${file.name} …`);
    await this.clips.hear(await decodeFile(file, await this.engine));
  }

  // Hears the recording in windows that begin elsewhere; what the microphone hears is heard so when it stops.
  private rehear(): void {
    this.decisions.takeHop();
    if (!this.microphone.listening) this.teller.ask(() => this.clips.again());
  }

  private decide(): void {
    this.view.decide();
    this.bars.refresh();
  }

  // Shows a model that was chosen, and what it says about the recording that is there.
  private async settle({ loaded }: Chosen): Promise<void> {
    for (const part of ["live", "checks", "about"]) element(part).hidden = false;
    this.picture = new SpectrogramPicture(element<HTMLCanvasElement>("spectrogram"), loaded.spec.sample_rate);
    this.view.forget(); // its scores are those of the model before
    this.hop.begin(loaded.spec);
    this.decisions.begin(loaded.spec, loaded.entry.file);
    this.bars.begin(loaded.spec, this.decisions.rules);
    this.parity.begin();
    showMetadata(element("metadata"), loaded);
    await this.clips.again();
  }
}

element("not-started").remove(); // which a style shows where no script runs
const page = new Page();
page.begin().catch((error: Error) => page.fail(error));
