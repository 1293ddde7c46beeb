"""Classify what a microphone delivers, every half second: python examples/microphone.py MODEL.tflite."""

import sys
from collections.abc import Iterator

import numpy as np

import earproof

TICK_SECONDS = 0.5


def microphone_blocks(sample_rate: int) -> Iterator[np.ndarray]:
    """Yield half a second of mono float32 samples at a time."""
    import sounddevice  # ./setup.sh listen installs it, with PortAudio

    with sounddevice.InputStream(samplerate=sample_rate, channels=1, dtype="float32") as stream:
        while True:
            yield stream.read(round(TICK_SECONDS * sample_rate))[0][:, 0]


def main(model_path: str) -> None:
    """Print a decision a tick, until Ctrl-C."""
    model = earproof.load(model_path)
    window = np.zeros(model.spec.window_length, np.float32)
    for block in microphone_blocks(model.spec.sample_rate):
        window = np.concatenate([window, block])[-len(window) :]
        print(model.decide(model.scores(window)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
