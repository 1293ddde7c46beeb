"""The report on a counter with its classifiers: shares worked out by hand."""

import numpy as np
import pytest
from matplotlib.image import imread

from convert.held_out.pipeline_picture import plot_pipeline, square_of
from convert.held_out.pipeline_report import NUM_SETS_SHOWN, PipelineDecisions, describe_pipeline, format_pipeline

LABELS = ("dog", "rain", "sea")
COUNTS = ("one", "two")


def _sets(*names):
    return np.array([[label in row for label in LABELS] for row in names])


def _heard(truth, named, counts, plain=None, groups=None):
    groups = np.array(groups or [f"g{row}" for row in range(len(truth))])
    plain = None if plain is None else _sets(*plain)
    return PipelineDecisions(_sets(*truth), groups, np.array(counts), _sets(*named), plain)


ONE = _heard(
    truth=[["dog"], ["dog"], ["rain"], ["sea"]],
    named=[["dog"], ["rain"], ["rain"], ["sea", "dog"]],  # right, another label, right, another number
    counts=[1, 1, 1, 2],
    plain=[["dog"], ["dog"], [], []],
)
TWO = _heard(
    truth=[["dog", "rain"], ["rain", "sea"]],
    named=[["dog", "rain"], ["sea"]],
    counts=[2, 1],
    plain=[["dog"], ["sea"]],
    groups=[["a", "b"], ["b", "c"]],
)


def test_counts_then_labels_given_the_count_then_both():
    report = describe_pipeline([ONE, TWO], COUNTS, LABELS)
    one, two = report["sources"]
    assert [one[name]["share"] for name in ("count", "labels_given_count", "both", "plain")] == [
        0.75,
        pytest.approx(2 / 3),
        0.5,
        0.5,
    ]
    assert [two[name]["share"] for name in ("count", "labels_given_count", "both", "plain")] == [0.5, 1.0, 0.5, 0.0]
    assert report["mean_count_accuracy"] == pytest.approx(0.625)
    assert report["count_confusion"]["windows"] == [[3, 1], [1, 1]]
    assert two["num_groups"] == 3  # of the parts, not of the mixtures


def test_the_difference_is_paired_window_by_window():
    one, two = describe_pipeline([ONE, TWO], COUNTS, LABELS)["sources"]
    assert one["difference"]["points"] == 0.0
    low, high = one["difference"]["interval"]
    assert low < 0.0 < high  # one window gained, one lost
    assert two["difference"]["points"] == 50.0


def test_a_label_counts_where_the_number_is_right():
    labels = {row["label"]: row["named"] for row in describe_pipeline([ONE, TWO], COUNTS, LABELS)["labels"]}
    assert labels == {"dog": [0.5, 1.0], "rain": [1.0, 1.0], "sea": [None, None]}


def test_a_count_that_is_never_right_has_no_share_of_labels():
    never = _heard([["dog"], ["sea"]], [["dog", "sea"]] * 2, [2, 2])
    two = _heard([["dog", "rain"]], [["dog", "rain"]], [2], groups=[["a", "b"]])
    report = describe_pipeline([never, two], COUNTS, LABELS)
    assert report["sources"][0]["labels_given_count"] is None
    assert "plain" not in report["sources"][0]
    text = "\n".join(format_pipeline(report))
    assert "| 1       | 2       | 2      | 0.0% [" in text
    assert "plain" not in text


def test_the_text_has_every_number_that_the_report_has():
    text = "\n".join(format_pipeline(describe_pipeline([ONE, TWO], COUNTS, LABELS)))
    for expected in ("75.0% [", "66.7% [", "+50.0 [", "counted two", "62.5%", "named, two sources", "plain classifier"):
        assert expected in text


def test_sets_of_labels_come_worst_counted_first():
    one, two = describe_pipeline([ONE, TWO], COUNTS, LABELS)["label_sets"]
    assert one == [
        {"labels": ["sea"], "num_windows": 1, "count": 0.0, "both": 0.0, "mean_count": 2.0},
        {"labels": ["dog"], "num_windows": 2, "count": 1.0, "both": 0.5, "mean_count": 1.0},
        {"labels": ["rain"], "num_windows": 1, "count": 1.0, "both": 1.0, "mean_count": 1.0},
    ]
    assert [row["labels"] for row in two] == [["rain", "sea"], ["dog", "rain"]]
    lines = format_pipeline(describe_pipeline([ONE, TWO], COUNTS, LABELS))
    worst = lines[lines.index(next(line for line in lines if "counted worst:" in line)) :]
    assert "of 5 sets of labels the 2 that are counted worst" in worst[0]
    assert [line.split("|")[1].strip() for line in worst[4:]] == ["sea", "rain + sea"]  # the right ones are left out


def test_no_table_of_the_worst_where_every_count_is_right():
    right = _heard([["dog"], ["sea"]], [["dog"], ["sea"]], [1, 1])
    assert "counted worst" not in "\n".join(format_pipeline(describe_pipeline([right], COUNTS[:1], LABELS)))


def test_the_table_of_the_worst_has_an_end():
    labels = tuple(f"label_{number:02}" for number in range(NUM_SETS_SHOWN + 3))
    truth = np.eye(len(labels), dtype=bool)
    groups = np.array([f"g{row}" for row in range(len(labels))])
    pairs = truth | np.roll(truth, 1, axis=1)
    wrong, right = (PipelineDecisions(these, groups, np.full(len(labels), 2), these) for these in (truth, pairs))
    text = "\n".join(format_pipeline(describe_pipeline([wrong, right], COUNTS, labels)))
    before, worst = text.split(f"of {2 * len(labels)} sets of labels the {NUM_SETS_SHOWN} that are counted worst:")
    assert labels[NUM_SETS_SHOWN] in before
    assert labels[NUM_SETS_SHOWN - 1] in worst
    assert labels[NUM_SETS_SHOWN] not in worst


def test_the_square_has_single_sounds_on_its_diagonal_and_pairs_below(tmp_path):
    report = describe_pipeline([ONE, TWO], COUNTS, LABELS)
    sets = [row for rows in report["label_sets"] for row in rows]
    unknown = np.nan
    expected = [[1.0, unknown, unknown], [1.0, 1.0, unknown], [unknown, 0.0, 0.0]]
    np.testing.assert_array_equal(square_of(sets, LABELS, "count"), expected)
    plot_pipeline(report, tmp_path / "pipeline.png", "counter")
    picture = imread(tmp_path / "pipeline.png")
    assert picture.shape[1] > 2 * picture.shape[0]
    assert picture.std() > 0.05
