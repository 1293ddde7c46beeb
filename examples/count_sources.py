"""Tell how many sources sound, and which.

python examples/count_sources.py COUNTER.tflite ONE.tflite TWO.tflite CLIP.wav
"""

import sys

import earproof


def main(counter: str, one: str, two: str, clip_path: str) -> None:
    """Print the number of sources and their labels, window by window and for the clip."""
    pipeline = earproof.CountedClassifier(earproof.load(counter), {1: earproof.load(one), 2: earproof.load(two)})
    result = pipeline.classify(*earproof.read_wav(clip_path), merge="union")
    for window in result.windows:
        print(f"from {window.start_seconds:.1f} s: {window.heard.count}, {' and '.join(window.heard.labels)}")
    print(f"{clip_path}: {result.clip.count}, {' and '.join(result.clip.labels)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
