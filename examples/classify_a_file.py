"""Classify one WAV file: python examples/classify_a_file.py MODEL.tflite CLIP.wav."""

import sys

import earproof


def main(model_path: str, clip_path: str) -> None:
    """Print the decision for the clip, then one line a window."""
    model = earproof.load(model_path)
    result = model.classify(*earproof.read_wav(clip_path))
    print(f"{clip_path}: {result.decision}")
    for start, scores in zip(result.starts_seconds, result.scores, strict=True):
        told = ", ".join(f"{label} {score:.2f}" for label, score in zip(result.labels, scores, strict=True))
        print(f"  from {start:.1f} s: {told}")


if __name__ == "__main__":
    main(*sys.argv[1:])
