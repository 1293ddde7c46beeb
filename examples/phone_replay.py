"""Replay a WAV file as an Android app receives it: python examples/phone_replay.py MODEL.tflite CLIP.wav."""

import sys

import numpy as np

import earproof


def main(model_path: str, clip_path: str) -> None:
    """Print what the app would show every 500 ms."""
    samples, sample_rate = earproof.read_wav(clip_path)
    shorts = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)  # as a microphone delivers them
    run = earproof.PhoneHarness(classifier=earproof.load(model_path)).run(shorts, sample_rate)
    for seconds, decision in zip(run.times_seconds, run.decisions, strict=True):
        print(f"{seconds:5.1f} s  {decision}")
    print(f"{run.lost_samples} samples lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
