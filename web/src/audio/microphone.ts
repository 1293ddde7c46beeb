// The microphone as it is: what browsers do to a voice on the phone makes sounds unrecognisable.

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const REASONS: Record<string, string> = {
  NotFoundError: "there is no microphone; connect one, or choose a file",
  NotAllowedError: "the microphone was refused; allow it for this page in the browser, then press the button again",
  NotReadableError: "the microphone is used by another program, or the system refuses it",
};

export class Microphone {
  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
    readonly notes: string[],
  ) {}

  // Opens it; `heard` gets its samples, and `lost` is called where it is taken away. An error says why there is none.
  static async open(heard: (samples: Float32Array) => void, lost: () => void): Promise<Microphone> {
    if (!navigator.mediaDevices) {
      throw new Error("the browser gives a microphone only to pages from this machine or over https");
    }
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
    } catch (error) {
      const { name, message } = error as Error;
      throw new Error(REASONS[name] ?? `the microphone does not open: ${message}`);
    }
    stream.getAudioTracks()[0].addEventListener("ended", lost); // not fired where the page itself stops it
    const context = new AudioContext();
    await context.audioWorklet.addModule(new URL("microphone_worklet.js", document.baseURI));
    const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    recorder.port.onmessage = ({ data }) => heard(data as Float32Array);
    context.createMediaStreamSource(stream).connect(recorder);
    await context.resume();
    return new Microphone(stream, context, stillOn(stream));
  }

  get sampleRate(): number {
    return this.context.sampleRate;
  }

  async close(): Promise<void> {
    this.stream.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}

// What the browser does to the sound although it was asked not to.
function stillOn(stream: MediaStream): string[] {
  const settings = stream.getAudioTracks()[0].getSettings();
  const names = { echoCancellation: "echo cancellation", noiseSuppression: "noise suppression", autoGainControl: "gain control" };
  return Object.entries(names)
    .filter(([key]) => settings[key as keyof MediaTrackSettings])
    .map(([, name]) => `this browser keeps its ${name} on, which changes the sound`);
}
