"""A folder as `earproof build` leaves it, with tiny models made by code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.bench.test_signal import speech_like
from edge_runtime.model.classifier import Classifier
from metadata import MelFrontEnd, pack_model, replace_spec

NUM_WINDOWS = 2
WAVEFORM_FILES = ("wave-float32.tflite", "wave-int8.tflite")
SPECTROGRAM_FILES = ("mel-spectrogram-float32.tflite", "mel-spectrogram-int8.tflite")


def make_tiny_run(folder: Path, **changes: object) -> Path:
    """Fill a folder with two models in two recipes each, their golden vectors and a report; `changes` to both specs.

    The files of one model hold the same weights, so that every one of them agrees with the golden vectors.
    """
    (folder / "golden").mkdir(parents=True)
    windows = np.stack([speech_like(2.0, 16_000, seed) for seed in range(NUM_WINDOWS)])
    specs = {
        "wave": tiny_spec(name="wave", **changes),
        "mel": tiny_spec(name="mel", front_end=MelFrontEnd(inside_model=False), **changes),
    }
    reported = []
    for name in (*WAVEFORM_FILES, *SPECTROGRAM_FILES):
        model = name.split("-")[0]
        recipe = name.removesuffix(".tflite").split("-")[-1]
        shape = (1, 32_000) if model == "wave" else (1, 128, 63, 1)
        spec = replace_spec(specs[model], recipe=recipe)
        content = tiny_classifier(input_shape=shape, activation=spec.activation)
        (folder / name).write_bytes(pack_model(content, spec))
        size = (folder / name).stat().st_size
        reported.append({"file": name, "model": model, "recipe": recipe, "size_bytes": size, "passed": True})
    for model, name in (("wave", WAVEFORM_FILES[0]), ("mel", SPECTROGRAM_FILES[0])):
        classifier = Classifier(folder / name)
        scores = np.stack([classifier.scores(window) for window in windows])
        np.savez_compressed(folder / "golden" / f"{model}.npz", windows=windows, scores=scores)
    (folder / "report.json").write_text(json.dumps({"files": reported}))
    return folder
