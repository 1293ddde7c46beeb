import json

import numpy as np
from tiny_tflite import tiny_spec

from train.evaluation.evaluate import TestWindows, evaluate_scores
from train.evaluation.evaluation_text import describe_evaluations, headline


def _test_side(scores, truth, groups, clips, **changes):
    scores = np.array(scores, np.float32)
    cut = TestWindows(np.zeros((len(scores), 4)), np.array(truth), np.array(clips), np.array(groups))
    found = evaluate_scores(scores, cut, tiny_spec(labels=("dog", "rain"), **changes))
    return json.loads(json.dumps({level: one.as_dict() for level, one in found.items()}))


def test_a_softmax_model_is_described_by_its_accuracy():
    lines = describe_evaluations(_test_side([[0.9, 0.1], [0.8, 0.2]] * 2, [0, 1] * 2, ["a"] * 4, [0, 1, 0, 1]))
    assert lines[0] == "  test windows: accuracy 50.0% [15.0%, 85.0%], macro F1 0.333 (4 in 1 group)"
    assert lines[2].startswith("  test clips, vote: ")
    assert lines[3] == "    dog          precision 0.500  recall 1.000  F1 0.667  of 2"
    assert len(lines) == 5


def test_a_sigmoid_model_is_described_by_its_sets_of_labels():
    truth, groups = [[True, False], [True, True], [True, True]], [["a", ""], ["a", "b"], ["a", "b"]]
    found = _test_side(
        [[0.9, 0.1], [0.8, 0.2], [0.7, 0.2]], truth, groups, [0, 1, 1], activation="sigmoid", thresholds=(0.5, 0.25)
    )
    lines = describe_evaluations(found)
    assert lines[0].startswith("  test windows: exact match 33.3% [")
    assert lines[0].endswith("], mAP 1.000, micro F1 0.750, macro F1 0.500, Hamming loss 0.333 (3 in 2 groups)")
    assert lines[1].startswith("    with 1 label: exact match 100.0% [")
    assert lines[2].startswith("    with 2 labels: exact match 0.0% [")
    assert any(line.startswith("  test clips, union of windows: exact match") for line in lines)
    assert lines[-1] == "    rain         precision 0.000  recall 0.000  F1 0.000  of 2  from 0.250, AP 1.000"
    assert headline(found["window"]).startswith("exact match 33.3%")


def test_a_label_that_never_occurs_has_a_dash_for_its_average_precision():
    found = _test_side([[0.9, 0.1]], [[True, False]], ["a"], [0], activation="sigmoid")
    assert describe_evaluations(found)[-1].endswith("of 0  from 0.500, AP -")


def test_where_every_clip_is_one_window_it_is_described_once():
    found = _test_side([[0.9, 0.1]], [[True, False]], ["a"], [0], activation="sigmoid")
    assert [line for line in describe_evaluations(found) if line.startswith("  test")] == [
        "  test windows: exact match 100.0% [20.7%, 100.0%], mAP 1.000, micro F1 1.000, macro F1 0.500, "
        "Hamming loss 0.000 (1 in 1 group)"
    ]
