"""How often the bytes of a model are walked, its ZIP looked for, its graph judged and its constants read."""

from collections import Counter

import numpy as np
import pytest
from foreign_files import ending_in, with_metadata
from tiny_tflite import tiny_classifier, tiny_spec

import edge_runtime.model.weight_check
import metadata.gate.model_check
import metadata.tflite_file.model_content
from edge_runtime.model.classifier import Classifier
from metadata import ModelWarning, pack_model
from metadata.tflite_file.flat_model import ModelFlatBuffer

PACKED = pack_model(tiny_classifier(), tiny_spec())


@pytest.fixture
def walks(monkeypatch):
    """Counts the calls of what reads a model's bytes."""
    counts = Counter()

    def count(module, name):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (counts.update([name]), original(*given))[1])

    count(metadata.tflite_file.model_content, "walk_model")
    count(metadata.tflite_file.model_content, "find_zip")
    count(metadata.gate.model_check, "check_graphs")
    count(edge_runtime.model.weight_check, "_multiplied")  # of the one graph
    count(ModelFlatBuffer, "__init__")
    return counts


ONCE = {"walk_model": 1, "find_zip": 1, "check_graphs": 1, "_multiplied": 1}


def test_a_file_of_ours_is_parsed_once_from_its_path_to_its_decision(walks, tmp_path):
    (tmp_path / "tiny.tflite").write_bytes(PACKED)
    Classifier(tmp_path / "tiny.tflite").classify(np.zeros(32_000, np.float32), 16_000)

    assert walks == ONCE


def test_a_file_of_others_is_parsed_once_though_it_is_probed_and_opened(walks):
    theirs = with_metadata(ending_in("SOFTMAX", (1, 16_000)))
    walks.clear()
    with pytest.warns(ModelWarning):
        assert Classifier(theirs).spec.recipe == "unknown"

    assert walks == ONCE
