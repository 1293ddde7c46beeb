"""Made-up decisions on a made-up test side, and the verdict on them."""

from __future__ import annotations

import numpy as np

from convert.report.choose import Candidate, choose
from convert.report.test_side import TestSide
from convert.report.verdict import Evidence, judge

LABELS = ("dog", "rain")


def side(groups_a_label=6, windows_a_group=4, labels=LABELS, in_all=0, seconds=2.0):
    truth = np.repeat(np.arange(len(labels)), groups_a_label * windows_a_group)
    groups = np.array([f"{labels[label]}-{place // windows_a_group}" for place, label in enumerate(truth)])
    clips = np.unique(groups, return_inverse=True)[1]
    counts = dict.fromkeys(labels, in_all) if in_all else {}
    return TestSide(
        labels=labels, truth=truth, groups=groups, clips=clips, window_seconds=seconds, groups_in_all=counts
    )


def candidate(file="net-int8.tflite", **changes):
    facts = {
        "recipe": file.removesuffix(".tflite").rpartition("-")[2],
        "accuracy": 0.9,
        "accuracy_loss": 0.0,
        "decision_agreement": 1.0,
        "size_bytes": 300_000,
        "p50_ms": 0.5,
        "passed": True,
    }
    return Candidate(file=file, **{**facts, **changes})


def evidence(decided, heard, model="net", form="waveform", **changes):
    file = changes.pop("file", f"{model}-int8.tflite")
    return Evidence(candidate=candidate(file, **changes), model=model, input=form, side=heard, decided=decided)


def verdict(*found, near_copies=""):
    kinds = dict.fromkeys((one.model, one.input) for one in found)
    choices = [
        choose(model, form, [one.candidate for one in found if (one.model, one.input) == (model, form)])
        for model, form in kinds
    ]
    return judge(choices, found, near_copies)


def wrong_on(truth, places, labels=LABELS):
    decided = truth.copy()
    decided[places] = (decided[places] + 1) % len(labels)
    return decided
