import json

import numpy as np
from tiny_tflite import tiny_spec

from train.evaluate import TestWindows, evaluate_scores
from train.evaluation_text import describe_evaluations, headline


def _test_side(scores, truth, groups, **changes):
    scores = np.array(scores, np.float32)
    cut = TestWindows(np.zeros((len(scores), 4)), np.array(truth), np.arange(len(scores)), np.array(groups))
    found = evaluate_scores(scores, cut, tiny_spec(labels=("dog", "rain"), **changes))
    return json.loads(json.dumps({level: one.as_dict() for level, one in found.items()}))


def test_a_softmax_model_is_described_by_its_accuracy():
    lines = describe_evaluations(_test_side([[0.9, 0.1], [0.8, 0.2]], [0, 1], ["a", "a"]))
    assert lines[0] == "  test windows: accuracy 50.0% [9.5%, 90.5%], macro F1 0.333 (2 in 1 groups)"
    assert lines[2].startswith("  test clips, vote: ")
    assert lines[3] == "    dog          precision 0.500  recall 1.000  F1 0.667  of 1"
    assert len(lines) == 5


def test_a_sigmoid_model_is_described_by_its_sets_of_labels():
    truth, groups = [[True, False], [True, True]], [["a", ""], ["a", "b"]]
    found = _test_side([[0.9, 0.1], [0.8, 0.2]], truth, groups, activation="sigmoid", thresholds=(0.5, 0.25))
    lines = describe_evaluations(found)
    assert lines[0].startswith("  test windows: exact match 50.0% [")
    assert lines[0].endswith("], mAP 1.000, micro F1 0.800, macro F1 0.500, Hamming loss 0.250 (2 in 2 groups)")
    assert lines[1].startswith("    with 1 label: exact match 100.0% [")
    assert lines[2].startswith("    with 2 labels: exact match 0.0% [")
    assert any(line.startswith("  test clips, union of windows: exact match") for line in lines)
    assert lines[-1] == "    rain         precision 0.000  recall 0.000  F1 0.000  of 1  from 0.250, AP 1.000"
    assert headline(found["window"]).startswith("exact match 50.0%")


def test_a_label_that_never_occurs_has_a_dash_for_its_average_precision():
    found = _test_side([[0.9, 0.1]], [[True, False]], ["a"], activation="sigmoid")
    assert describe_evaluations(found)[-1].endswith("of 0  from 0.500, AP -")
