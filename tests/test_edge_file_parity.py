import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.front_end.mel import mel_spectrogram
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.file_parity import parity_of_file
from edge_runtime.parity.golden_vectors import Golden, read_golden
from edge_runtime.parity.level_text import format_results
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model

RECORDING = np.random.default_rng(1).integers(-5000, 5000, 33_000).astype(np.int16)


def classifier_with(seed=0, **changes):
    return Classifier(pack_model(tiny_classifier(seed=seed), tiny_spec(**changes)))


@pytest.fixture(scope="module")
def classifier():
    return classifier_with()


@pytest.fixture(scope="module")
def golden(classifier):
    windows = np.random.default_rng(0).normal(0, 0.3, (6, 32_000)).astype(np.float32)
    return Golden(windows=windows, scores=np.stack([classifier.scores(window) for window in windows]))


def with_changes(golden, **changes):
    return Golden(**{"windows": golden.windows, "scores": golden.scores, **changes})


def test_a_float_file_is_compared_at_levels_2_and_5_and_a_recording_at_level_4(classifier, golden):
    results = parity_of_file(classifier, golden, [RECORDING])

    assert [(result.level, result.passed) for result in results] == [(2, True), (5, True), (4, True)]


def test_scores_off_by_more_than_the_tolerance_fail(classifier, golden):
    result, builtin = parity_of_file(classifier, with_changes(golden, scores=golden.scores + np.float32(2e-5)))

    assert not result.passed
    assert not builtin.passed
    assert result.measures["max_abs_error"] == pytest.approx(2e-5, rel=0.01)


def test_another_recipe_is_compared_at_level_3_with_the_truth_that_is_there(golden):
    truth = golden.scores.argmax(axis=1)
    groups = np.array(list("aabbcc"))
    result, builtin = parity_of_file(classifier_with(recipe="int8"), with_changes(golden, truth=truth, groups=groups))

    assert result.level == 3
    assert result.passed
    assert result.measures["accuracy"] == 1.0
    assert "int8" in result.name
    assert builtin.level == 5
    assert "built-in kernels" in builtin.name
    assert builtin.tolerance == result.tolerance


def test_a_classifier_without_xnnpack_is_compared_on_its_own_kernels_only(classifier, golden):
    builtin = Classifier(classifier.model, use_xnnpack=False)

    assert [result.level for result in parity_of_file(builtin, golden)] == [2]


def test_mel_spectrograms_are_compared_at_level_1_without_the_logarithm(golden):
    front_end = MelFrontEnd(log="log10")
    logarithmic = classifier_with(front_end=front_end)
    mel = np.stack([mel_spectrogram(window, MelFrontEnd(), 16_000) for window in golden.windows])

    good = parity_of_file(logarithmic, with_changes(golden, mel=mel))
    bad = parity_of_file(logarithmic, with_changes(golden, mel=mel[:, ::-1]))

    assert [(result.level, result.passed) for result in good] == [(1, True), (2, True), (5, True)]
    assert not bad[0].passed


def test_mel_spectrograms_for_a_model_without_them_are_refused(classifier, golden):
    with pytest.raises(ValueError, match="has a waveform front end"):
        parity_of_file(classifier, with_changes(golden, mel=np.zeros((6, 128, 63), np.float32)))


def test_golden_vectors_of_another_model_are_refused(classifier, golden):
    with pytest.raises(ValueError, match="were they made for another model"):
        parity_of_file(classifier, with_changes(golden, scores=golden.scores[:, :2]))


def test_nothing_to_compare_with_is_an_error(classifier):
    with pytest.raises(ValueError, match="neither golden vectors nor recordings"):
        parity_of_file(classifier)


def test_golden_vectors_come_back_from_their_file(tmp_path, golden):
    path = tmp_path / "golden.npz"
    np.savez(path, windows=golden.windows, scores=golden.scores)

    assert np.array_equal(read_golden(path).scores, golden.scores)
    assert read_golden(path).mel is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"windows": np.zeros((1, 4))}, "expected windows, scores"),
        ({"windows": np.zeros((1, 4)), "scores": np.zeros((1, 2)), "other": np.zeros(1)}, "expected windows, scores"),
        ({"windows": np.zeros((2, 4)), "scores": np.zeros((1, 2))}, r"\(2, 4\), scores \(1, 2\)"),
        ({"windows": np.zeros((0, 4)), "scores": np.zeros((0, 2))}, "at least one window"),
        ({"windows": np.zeros((1, 4)), "scores": np.zeros((1, 2)), "groups": np.array(["a", "b"])}, "2 entries for 1"),
        ({"windows": np.array([object()]), "scores": np.zeros((1, 2))}, "is not an .npz file"),
    ],
)
def test_a_golden_file_that_does_not_fit_is_refused_with_its_name(tmp_path, arrays, message):
    path = tmp_path / "golden.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_golden(path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no arrays in here", b"PK\3\4 cut off"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "golden.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is not an \.npz file"):
        read_golden(path)


def test_a_single_array_is_no_npz(tmp_path):
    np.save(tmp_path / "golden.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"is not an \.npz file"):
        read_golden(tmp_path / "golden.npy")


def test_a_result_is_one_line_with_measures_and_limits(classifier, golden):
    lines = format_results(parity_of_file(classifier, golden, [RECORDING])).splitlines()

    assert lines[0].startswith("level 2  pass  float scores")
    assert "max_abs_error 0 (<= 1e-05)" in lines[0]
    assert "decision_agreement 1 (>= 1)" in lines[0]
    assert lines[1].startswith("level 5  pass")
    assert lines[2].startswith("level 4  pass")


def test_a_failure_shows_its_reason(classifier, golden):
    broken = golden.scores.copy()
    broken[0, 0] = np.nan
    text = format_results(parity_of_file(classifier, with_changes(golden, scores=broken)))

    assert "FAIL" in text
    assert "max_abs_error not measured" in text
    assert "of the reference are NaN" in text


def with_flipped(golden, share):
    """Golden vectors of a model that decides a share of the windows otherwise."""
    scores = golden.scores.copy()
    count = round(share * len(scores))
    scores[:count] = np.roll(scores[:count], 1, axis=1)
    return Golden(windows=golden.windows, again=golden.again, scores=scores)


@pytest.fixture(scope="module")
def many(classifier):
    """Two hundred golden windows: ten, and nineteen rotated copies of each."""
    rng = np.random.default_rng(3)
    windows = rng.normal(0, 0.3, (10, 32_000)).astype(np.float32)
    again = np.stack([np.arange(190) % 10, rng.integers(0, 32_000, 190)], axis=1).astype(np.int32)
    empty = Golden(windows=windows, again=again, scores=np.zeros((200, 3), np.float32))
    heard = [*windows, *empty.rotated_windows()]
    return Golden(windows=windows, again=again, scores=np.stack([classifier.scores(window) for window in heard]))


@pytest.mark.parametrize(
    ("recipe", "limits"),
    [
        ("int8", (0.98, 0.005)),
        ("auto", (0.98, 0.005)),
        ("float16", (0.995, 0.002)),
        ("int8_io", (0.95, 0.03)),
        ("somebody-elses", (0.95, 0.02)),
    ],
)
def test_a_file_that_decides_4_percent_otherwise_is_judged_by_its_recipe_as_convert_judges_it(many, recipe, limits):
    """0.96 agree: less than the 0.98 of int8, and enough for the 0.95 of int8_io."""
    from metadata.recipe import find_tolerance

    own = classifier_with(recipe=recipe)
    good, _ = parity_of_file(own, many)
    other, builtin = parity_of_file(own, with_flipped(many, 0.04))

    assert good.passed
    assert other.num_windows == 200
    assert other.measures["decision_agreement"] == pytest.approx(0.96)
    assert tuple(other.tolerance.values()) == tuple(find_tolerance(recipe).values()) == limits
    assert other.passed == builtin.passed == (limits[0] <= 0.96)
    assert ("the limits are the default" in other.detail) == (recipe == "somebody-elses")


def test_a_slow_file_hears_no_window_again_and_says_so(many, monkeypatch):
    monkeypatch.setattr("edge_runtime.parity.file_parity.SLOW_MS", 0.0)
    (result, _) = parity_of_file(classifier_with(recipe="int8"), many)

    assert result.num_windows == 10
    assert "none was rotated" in result.detail
