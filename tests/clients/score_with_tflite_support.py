"""Score windows with the AudioClassifier of the TensorFlow Lite Task library, as an app does.

    python score_with_tflite_support.py MODEL WINDOWS.npy OUT.json [SAMPLE_RATE [LOCALE]]

WINDOWS.npy holds float32 (n, window_length); the rate is the file's own. OUT.json gets `labels` in the model's order,
of those that are shown, for each window the scores by label, and `display_names` by label in LOCALE. Runs in the
environment `tflite_support` of make_clients.py.
"""

import json
import sys

import numpy as np
from tflite_support.task import audio, core, processor


def main() -> int:
    """Score every window and write the result."""
    model, windows_file, out, *rest = sys.argv[1:]
    options = processor.ClassificationOptions(display_names_locale=rest[1] if len(rest) > 1 else None)
    classifier = audio.AudioClassifier.create_from_options(
        audio.AudioClassifierOptions(core.BaseOptions(file_name=model), options)
    )
    tensor = classifier.create_input_tensor_audio()
    labels, display_names, scores = {}, {}, []
    for window in np.load(windows_file):
        tensor.load_from_array(window[:, np.newaxis])
        categories = classifier.classify(tensor).classifications[0].categories
        labels |= {category.index: category.category_name for category in categories}
        display_names |= {category.category_name: category.display_name for category in categories}
        scores.append({category.category_name: category.score for category in categories})
    result = {
        "labels": [labels[index] for index in sorted(labels)],
        "scores": scores,
        "display_names": display_names,
        "sample_rate": tensor.format.sample_rate,
        "window_length": tensor.buffer_size,
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
