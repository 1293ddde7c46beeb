"""Score windows with MediaPipe's AudioClassifier.

    python score_with_mediapipe.py MODEL WINDOWS.npy OUT.json [SAMPLE_RATE [LOCALE]]

WINDOWS.npy holds float32 (n, window_length) at SAMPLE_RATE (16000 Hz where it is not given).
OUT.json gets `labels` in the model's order, of those that are shown, for each window the scores by label, and
`display_names` by label in LOCALE. Runs in the environment `mediapipe` of make_clients.py.
"""

import json
import sys

import numpy as np
from mediapipe.tasks.python import BaseOptions, audio
from mediapipe.tasks.python.components.containers import AudioData


def main() -> int:
    """Score every window and write the result."""
    model, windows_file, out, *rest = sys.argv[1:]
    sample_rate = float(rest[0]) if rest else 16_000.0
    options = audio.AudioClassifierOptions(
        base_options=BaseOptions(model_asset_path=model), display_names_locale=rest[1] if len(rest) > 1 else None
    )
    labels, display_names, scores = {}, {}, []
    with audio.AudioClassifier.create_from_options(options) as classifier:
        for window in np.load(windows_file):
            results = classifier.classify(AudioData.create_from_array(window, sample_rate))
            if len(results) != 1:
                raise ValueError(f"MediaPipe cut one window into {len(results)}; expected 1")
            categories = results[0].classifications[0].categories
            labels |= {category.index: category.category_name for category in categories}
            display_names |= {category.category_name: category.display_name for category in categories}
            scores.append({category.category_name: category.score for category in categories})
    result = {
        "labels": [labels[index] for index in sorted(labels)],
        "scores": scores,
        "display_names": display_names,
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
