// The page: its parts, and what one tells another.

import { decodeFile } from "./audio/decoding";
import { RemoteEngine } from "./engine/remote_engine";
import { Latency } from "./model/latency";
import { listServed } from "./model/models";
import { ClipHearing } from "./parts/clip_hearing";
import { Decisions } from "./parts/decisions";
import { listenToFiles } from "./parts/file_intake";
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
  private readonly decisions = new Decisions(this.teller, () => this.decide());
  private readonly bars = new Bars(element("bars"), (label, threshold) => this.decisions.moveThreshold(label, threshold));
  private readonly whole = new WholeSpectrogram(element<HTMLCanvasElement>("whole"), this.engine, (error) => this.fail(error));
  private readonly view = new ClipView(this.bars, this.decisions.rules, this.whole);
  private readonly latency = new Latency(showLatency);
  private readonly models = new ModelChoice(this.engine, this.latency, this.teller, this.turns, (chosen) => this.settle(chosen));
  private readonly clips = new ClipHearing(this.engine, this.models, this.view, () => this.picture!, this.teller, this.turns);
  private readonly microphone = new MicrophonePart(
    ...([this.models, this.clips, this.view, this.bars, this.decisions.rules, () => this.picture!, this.teller, this.turns] as const),
  );
  private readonly parity = new ParityPart(this.models, this.teller);
  private picture: SpectrogramPicture | null = null; // at the model's rate

  async begin(): Promise<void> {
    listenToFiles((file) => this.teller.ask(() => this.take(file)));
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

  private async take(file: File): Promise<void> {
    await this.microphone.stop();
    if (file.name.toLowerCase().endsWith(".tflite")) return this.models.chooseDropped(file);
    this.teller.say(`Reading ${file.name} …`);
    await this.clips.hear(await decodeFile(file, await this.engine));
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
    this.decisions.begin(loaded.spec, loaded.entry.file);
    this.bars.begin(loaded.spec, this.decisions.rules);
    this.clips.begin(loaded.spec);
    this.parity.begin();
    showMetadata(element("metadata"), loaded);
    await this.clips.again();
  }
}

const page = new Page();
page.begin().catch((error: Error) => page.fail(error));
