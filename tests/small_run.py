"""A run folder as a build leaves it, small and made up: two files of one model, three labels, eight test windows."""

from __future__ import annotations

import json

import numpy as np

from edge_runtime.parity.golden_vectors import Golden

LABELS = ("dog", "rain", "wind")
RATE, LENGTH = 8_000, 4_000
TRUTH = [0, 0, 0, 1, 1, 1, 2, 2]
WRONG = {1: (1, 0.9), 4: (2, 0.6), 7: (0, 0.7)}  # place: what was decided, and its score
MACHINE = {"cpu": "a processor", "architecture": "x86_64", "cores": 2, "runtime": "a runtime 1.0"}


def write_small_run(folder, /, name="net", wrong=WRONG, seed=0, **changes):
    """Write the folder and return it; `changes` are of report.json, None leaves an entry out."""
    for below in (name, "golden"):
        (folder / below).mkdir(parents=True)
    report = {**small_report(folder, name), **changes}
    report = {key: value for key, value in report.items() if value is not None}
    (folder / "report.json").write_text(json.dumps(report))
    (folder / name / "spec.json").write_text(json.dumps(small_spec(name, seed)))
    (folder / name / "history.csv").write_text(
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,0.9,0.5,0.8,0.6\n2,0.4,0.8,0.5,0.7\n"
    )
    rows = [
        f"audio/{LABELS[label]}/{place}.wav,{LABELS[label]},group-{place},test" for place, label in enumerate(TRUTH)
    ]
    (folder / name / "split.csv").write_text("\n".join(["path,labels,group,split", *rows, ""]))
    golden = small_golden(wrong)
    with (folder / "golden" / f"{name}.npz").open("wb") as file:
        np.savez(file, **golden.arrays())
    return folder


def small_golden(wrong=WRONG):
    """Eight windows of noise, each scored 0.8 for its label but for the wrong ones."""
    rng = np.random.default_rng(0)
    scores = np.full((len(TRUTH), len(LABELS)), 0.1, np.float32)
    scores[np.arange(len(TRUTH)), TRUTH] = 0.8
    for place, (decided, score) in wrong.items():
        scores[place] = (1 - score) / 2
        scores[place, decided] = score
    windows = rng.integers(-9000, 9000, (len(TRUTH), LENGTH)).astype(np.float32) / 32768
    groups = np.array([f"group-{place}" for place in range(len(TRUTH))])
    return Golden(windows=windows, scores=scores, truth=np.array(TRUTH), groups=groups)


def small_spec(name="net", seed=0):
    """What of spec.json a page takes."""
    training = {"variant": "plain", "epochs": 2, "learning_rate": 0.001, "seed": seed}
    provenance = {"data_sha256": "d" * 64, "split_sha256": "s" * 64, "seed": seed, "packages": {"keras": "3.0"}}
    return {
        "name": name,
        "description": "Tells three sounds apart.",
        "labels": list(LABELS),
        "activation": "softmax",
        "sample_rate": RATE,
        "window_length": LENGTH,
        "thresholds": [0.5] * 3,
        "provenance": {**provenance, "training": training},
    }


def small_report(folder, name="net"):
    """report.json of two files."""
    files = [_file(name, "float32", 1000), _file(name, "int8", 300)]
    text = [f"**Take `{name}-int8.tflite`**: accuracy 62.5% [30.0%, 90.0%].", "The label found least is 'wind'."]
    candidates = [{"file": file["file"]} for file in files]
    return {
        "verdict": {"take": True, "model": name, "file": f"{name}-int8.tflite", "text": text},
        "machine": MACHINE,
        "folder": str(folder),
        "training": [{"model": name, "parameters": 1234, "epochs": 2, "kept_epoch": 2, "test": {"window": _window()}}],
        "files": files,
        "choices": [
            {
                "model": name,
                "input": "waveform",
                "front": [f"{name}-int8.tflite"],
                "recommended": f"{name}-int8.tflite",
                "reason": "none is smaller",
                "candidates": candidates,
            }
        ],
        "passed": True,
        "data": {"source": "audio", "clips": 8, "notes": [], "unreadable": [], "not_read": {}},
    }


def timing(middle):
    """Statistics and samples of five runs."""
    samples = [middle * factor for factor in (0.9, 0.95, 1.0, 1.05, 1.5)]
    names = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "mean_ms", "std_ms")
    return {**dict.fromkeys(names, middle), "samples_ms": samples}


def _file(name, recipe, size):
    """One file."""
    level = 2 if recipe == "float32" else 3
    return {
        "file": f"{name}-{recipe}.tflite",
        "model": name,
        "input": "waveform",
        "recipe": recipe,
        "refused_by": [],
        "loaders": {
            "litert": {"name": "LiteRT", "taken": True},
            "mediapipe": {"name": "MediaPipe", "taken": recipe == "float32"},
        },
        "size_bytes": size * 1000,
        "passed": True,
        "test": {"window": _window()},
        "parity": [
            {
                "level": level,
                "name": f"{name}-{recipe}.tflite against its reference",
                "passed": True,
                "measures": {"decision_agreement": 0.995, "max_abs_error": 0.01},
                "tolerance": {"decision_agreement": 0.98},
                "num_windows": 8,
                "detail": "",
            }
        ],
        "latency": {
            "invoke": timing(1.5),
            "end_to_end": timing(2.5),
            "real_time_factor": 0.005,
            "num_runs": 5,
            "warmup_runs": 1,
            "num_threads": 1,
            "machine": MACHINE,
        },
    }


def _window():
    """The evaluation of the test windows."""
    labels = [{"label": label, "precision": 0.5, "recall": 0.75, "f1": 0.6, "support": 3} for label in LABELS]
    confusion = [[2, 1, 0], [0, 2, 1], [1, 0, 1]]
    return {
        "accuracy": 0.625,
        "interval": [0.3, 0.9],
        "num_decisions": 8,
        "num_groups": 8,
        "labels": labels,
        "macro_f1": 0.6,
        "confusion": confusion,
    }
