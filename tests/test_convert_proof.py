"""The desk judges a file that decides 4 % of the windows otherwise; test_edge_file_parity has the same on a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_quantizer")

from tiny_tflite import tiny_spec

from convert.converted_file import WAVEFORM_FORM, ConvertedFile
from convert.recipes import RECIPES
from convert.report.proof import _score_parity
from train.evaluation.evaluate import TestWindows

NUM_WINDOWS = 200


@pytest.mark.parametrize(
    ("recipe", "passes"), [("float16", False), ("int8", False), ("auto", False), ("int8_io", True)]
)
def test_a_file_that_decides_4_percent_otherwise_is_judged_by_its_recipe(recipe, passes):
    spec = tiny_spec(recipe=recipe)
    reference = np.tile(np.float32([0.7, 0.2, 0.1]), (NUM_WINDOWS, 1))
    scores = reference.copy()
    scores[:8] = np.roll(scores[:8], 1, axis=1)
    truth = np.arange(NUM_WINDOWS) % 3  # the first is right as often as the second: accuracy hardly moves
    groups = np.arange(NUM_WINDOWS).astype(str)
    cut = TestWindows(windows=np.zeros((NUM_WINDOWS, 1), np.float32), truth=truth, clips=truth, groups=groups)
    file = ConvertedFile(Path("tiny.tflite"), WAVEFORM_FORM, RECIPES[recipe], spec, b"")
    found = _score_parity(file, reference, scores, cut)
    assert found.measures["decision_agreement"] == pytest.approx(0.96)
    assert found.tolerance == RECIPES[recipe].tolerance
    assert found.passed == passes
