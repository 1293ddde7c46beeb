"""What the scores of a model are: by its last operators, by what comes out, and by what is claimed."""

from pathlib import Path

import numpy as np
import pytest
from foreign_files import ENDINGS, constant_model, ending_in, own_spec, with_metadata
from tiny_tflite import tiny_classifier

from edge_runtime.model.classifier import Classifier
from edge_runtime.model.probe import hear_test_signals, make_test_signals
from edge_runtime.model.score_transform import to_scores
from metadata import ModelContractError, ModelSpec, ModelWarning, pack_model, read_spec
from metadata.foreign.foreign_contract import foreign_contract
from metadata.foreign.probed_scores import judge_rows
from metadata.foreign.said_fields import SaidFields
from metadata.tflite_file.model_content import read_content
from metadata.tflite_file.score_operator import score_kind, score_operator

LENGTH = 16_000
LABELS = ("silence", "song", "speech")


def told(ending, activation=None, insists=False, hear=hear_test_signals):
    said = SaidFields(labels=LABELS, sample_rate=16_000, activation=activation, insists=insists)
    return foreign_contract(ending_in(ending), said, hear)


@pytest.mark.parametrize(
    ("ending", "activation", "transform"),
    [
        ("SOFTMAX", "softmax", "none"),
        ("LOGISTIC", "sigmoid", "none"),
        ("MEAN", "softmax", "none"),
        ("LOG_SOFTMAX", "softmax", "exp"),
        ("LOG", "softmax", "exp"),
        ("DB", "", "none"),
        ("TANH", "", "none"),
        ("LOGITS", "", "none"),
    ],
)
def test_the_graph_tells_what_its_scores_are(ending, activation, transform):
    kind = score_kind(read_content(ending_in(ending)))
    assert (kind.activation, kind.transform, kind.is_linear) == (activation, transform, ending == "LOGITS")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_last_operator_is_found(ending):
    names = {"LOGITS": "FULLY_CONNECTED", "DB": "MUL"}
    assert score_operator(ending_in(ending)) == names.get(ending, ending)


@pytest.mark.parametrize("ending", ["LOG_SOFTMAX", "LOG"])
def test_logarithms_are_brought_to_the_probabilities_of_the_same_network_with_a_softmax(ending):
    spec = told(ending).spec
    window = make_test_signals(LENGTH, 16_000)[2]
    expected = Classifier(ending_in("SOFTMAX"), spec=own_spec()).scores(window)
    found = Classifier(ending_in(ending), spec=spec).scores(window)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert any("their exp is taken for the score" in note for note in told(ending).notes)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_logits_are_asked_about_and_become_what_the_answer_says(activation):
    asked = told("LOGITS")
    assert asked.options == ("--activation softmax (or sigmoid)",)
    assert "logits, as it seems" in asked.faults[0]
    spec = told("LOGITS", activation).spec
    assert (spec.activation, spec.score_transform) == (activation, activation)
    window = make_test_signals(LENGTH, 16_000)[2]
    expected = Classifier(tiny_classifier(LENGTH, activation=activation), spec=own_spec(activation=activation))
    found = Classifier(ending_in("LOGITS"), spec=spec).scores(window)
    np.testing.assert_allclose(found, expected.scores(window), atol=1e-6)


@pytest.mark.parametrize("ending", ["TANH", "DB"])
@pytest.mark.parametrize("activation", [None, "softmax"])
def test_what_is_neither_score_nor_logit_is_refused(ending, activation):
    found = told(ending, activation)
    assert found.spec is None
    assert "neither scores nor logits; export it with a softmax or sigmoid" in found.faults[0]


@pytest.mark.parametrize(
    ("ending", "claimed", "said"),
    [
        ("SOFTMAX", "sigmoid", "makes its scores with SOFTMAX; expected softmax"),
        ("LOGISTIC", "softmax", "makes its scores with LOGISTIC; expected sigmoid"),
        ("LOG_SOFTMAX", "sigmoid", "puts out log-softmax scores; expected softmax"),
    ],
)
@pytest.mark.parametrize("hear", [None, hear_test_signals])
def test_an_activation_that_the_graph_contradicts_is_refused(ending, claimed, said, hear):
    found = told(ending, claimed, True, hear)
    assert found.spec is None
    assert said in found.faults[0]


@pytest.mark.parametrize(
    ("ending", "claimed"), [("SOFTMAX", "sigmoid"), ("LOGISTIC", "softmax"), ("LOG_SOFTMAX", "softmax")]
)
def test_a_packed_file_whose_spec_the_graph_contradicts_does_not_open(ending, claimed):
    packed = pack_model(ending_in(ending), own_spec(activation=claimed))
    with pytest.raises(ModelContractError, match=f"says {claimed} but the model ends with {ending}.*metadata write"):
        Classifier(packed)


def test_scores_above_1_are_no_scores():
    packed = Classifier(pack_model(ending_in("LOGITS"), own_spec()))
    with pytest.raises(ModelContractError, match=r"expected scores in 0 to 1.*--activation softmax"):
        packed.scores(make_test_signals(LENGTH, 16_000)[2])


def test_a_model_that_does_not_hear_its_input_is_refused_and_told_to_who_describes_it_himself():
    said = "the model puts out the same for 7 test signals"
    with pytest.raises(ModelContractError, match=said):
        Classifier(with_metadata(constant_model(length=44_100)))
    own = SaidFields(labels=LABELS, sample_rate=16_000, insists=True)
    found = foreign_contract(constant_model(), own, hear_test_signals)
    assert found.spec is not None
    assert any(said in note for note in found.notes)


@pytest.mark.parametrize(
    ("rows", "activation", "transform"),
    [
        ([[0.2, 0.8], [0.5, 0.5]], "softmax", "none"),
        ([[0.2, 0.9], [0.5, 0.1]], "", "none"),
        ([[np.log(0.2), np.log(0.8)], [np.log(0.5), np.log(0.5)]], "softmax", "exp"),
        ([[-3.0, 5.0], [1.0, 2.0]], "", "none"),
        ([[0.3], [0.4]], "", "none"),
    ],
)
def test_what_comes_out_tells_where_the_graph_does_not(rows, activation, transform):
    kind = judge_rows(rows).kind
    assert (kind.activation, kind.transform) == (activation, transform)


def test_nan_for_silence_is_odd_and_nan_for_everything_a_fault():
    nan = float("nan")
    assert "NaN for silence" in judge_rows([[nan, nan], [0.2, 0.8], [0.3, 0.7]]).notes[0]
    assert "NaN for 1 of 3 test signals" in judge_rows([[0.5, 0.5], [nan, 0.8], [0.3, 0.7]]).notes[0]
    assert judge_rows([[nan, nan], [nan, nan]]).faults == ("puts out NaN for every test signal",)


def test_transforms_give_what_is_known_by_hand_and_do_not_overflow():
    np.testing.assert_allclose(to_scores(np.log(np.float32([0.25, 0.75])), "exp"), [0.25, 0.75], atol=1e-6)
    np.testing.assert_allclose(to_scores(np.float32([0.0, np.log(3.0)]), "softmax"), [0.25, 0.75], atol=1e-6)
    np.testing.assert_allclose(to_scores(np.float32([0.0, np.log(3.0)]), "sigmoid"), [0.5, 0.75], atol=1e-6)
    np.testing.assert_array_equal(to_scores(np.float32([-1e4, 1e4]), "sigmoid"), [0.0, 1.0])
    np.testing.assert_array_equal(to_scores(np.float32([-1e4, 1e4]), "softmax"), [0.0, 1.0])
    with pytest.raises(ValueError, match="expected exp, softmax or sigmoid"):
        to_scores(np.float32([1.0]), "none")


def test_the_test_signals_are_silence_and_sounds_at_two_levels():
    signals = make_test_signals(LENGTH, 16_000)
    assert signals.shape == (7, LENGTH)
    peaks = np.abs(signals).max(axis=1)
    np.testing.assert_allclose(peaks, [0.0, 0.02, 0.5, 0.02, 0.5, 0.02, 0.5], rtol=0.05)
    assert np.array_equal(signals, make_test_signals(LENGTH, 16_000))


def test_a_transform_travels_in_the_spec_and_a_spec_without_one_is_written_as_ever():
    spec = told("LOG_SOFTMAX").spec
    assert '"score_transform": "exp"' in spec.to_json()
    assert read_spec(pack_model(ending_in("LOG_SOFTMAX"), spec)) == spec
    assert "score_transform" not in own_spec().to_json()
    assert ModelSpec.from_json(own_spec().to_json()) == own_spec()


def test_a_transform_of_another_activation_is_refused():
    with pytest.raises(ModelContractError, match="score_transform is sigmoid and activation softmax"):
        own_spec(score_transform="sigmoid")


def test_a_threshold_that_an_integer_output_cannot_reach_is_told():
    classifier = Classifier((Path(__file__).parent / "damaged_files/sound/int8_io.tflite").read_bytes())
    with pytest.warns(ModelWarning, match=r"highest score of the int8 output is 0\.9961; .*song \(0\.999\) is never"):
        classifier.use_thresholds([0.5, 0.999, 0.5])
