import json

import pytest
from tiny_tflite import tiny_spec

from metadata import MelFrontEnd, ModelContractError, ModelSpec, Provenance, StftFrontEnd, replace_spec

FRONT_ENDS = [
    tiny_spec().front_end,
    MelFrontEnd(inside_model=False, log="log10"),
    StftFrontEnd(n_fft=256, hop_length=64, win_length=256, power=1.0),
]


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=lambda front_end: front_end.kind)
def test_a_spec_comes_back_from_its_json(front_end):
    spec = tiny_spec(front_end=front_end, provenance=Provenance(seed=7, training={"epochs": 3}, packages={"a": "1"}))
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_equal_specs_are_equal_bytes_even_when_a_number_was_given_as_an_integer():
    whole, fraction = (tiny_spec(front_end=MelFrontEnd(fmin=fmin)) for fmin in (0, 0.0))
    assert whole == fraction
    assert whole.to_json() == fraction.to_json()
    assert tiny_spec(thresholds=(0, 1, 1)).to_json() == tiny_spec(thresholds=(0.0, 1.0, 1.0)).to_json()


def test_the_window_has_a_length_in_seconds():
    assert tiny_spec(window_length=32_000, sample_rate=16_000).window_seconds == 2.0


def test_a_front_end_outside_the_model_means_the_input_is_no_waveform():
    assert tiny_spec().input_is_waveform
    assert not tiny_spec(front_end=MelFrontEnd(inside_model=False)).input_is_waveform


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "name is empty"),
        ({"sample_rate": 0}, "expected Hz above 0"),
        ({"sample_rate": 16_000.0}, "sample_rate is 16000.0; expected int"),
        ({"sample_rate": True}, "expected int"),
        ({"window_length": 0}, "expected samples above 0"),
        ({"labels": ("a", "a"), "thresholds": (0.5, 0.5)}, "more than once"),
        ({"labels": (), "thresholds": ()}, "no labels"),
        ({"labels": ["a", "b"], "thresholds": (0.5, 0.5)}, "expected tuple"),
        ({"thresholds": (0.5,)}, "there are 1 threshold for 3 labels"),
        ({"thresholds": (0.5, 0.5, 1.5)}, "threshold of speech is 1.5"),
        ({"thresholds": (0.5, 0.5, float("nan"))}, "thresholds is"),
        ({"activation": "relu"}, "'softmax' or 'sigmoid'"),
        ({"front_end": MelFrontEnd(), "sample_rate": 8_000}, "at most half the sample rate"),
        ({"front_end": MelFrontEnd(), "window_length": 1_024}, "needs 1024 samples of reflection"),
        ({"spec_version": 2}, "reads 1"),
    ],
)
def test_a_spec_that_cannot_be_true_is_refused(changes, said):
    with pytest.raises(ModelContractError, match=said):
        tiny_spec(**changes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_fft": 2_047}, "expected an even number"),
        ({"hop_length": 0}, "expected at least 1"),
        ({"win_length": 4_096}, "expected 1 to n_fft"),
        ({"n_mels": 0}, "expected at least 1"),
        ({"fmin": 8_000.0}, "0 <= fmin < fmax"),
        ({"power": 0.0}, "positive exponent"),
        ({"log_floor": 0.0}, "positive value"),
        ({"pad_mode": "edge"}, "'reflect' or 'constant'"),
    ],
)
def test_a_mel_front_end_that_cannot_be_computed_is_refused(settings, said):
    with pytest.raises(ModelContractError, match=said):
        MelFrontEnd(**settings)


def _changed(**changes):
    return json.dumps(json.loads(tiny_spec().to_json()) | changes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not valid JSON"),
        ("[]", "list; expected a JSON object"),
        ("[" * 100_000, "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (_changed(colour="blue"), "unknown fields: colour"),
        ("{}", "lacks fields: activation"),
        (_changed(front_end={"kind": "chroma"}), "front_end.kind is 'chroma'"),
        (_changed(front_end="mel"), "front_end.kind is None"),
        (_changed(front_end={"kind": ["mel"]}), "front_end.kind is"),
        (_changed(provenance=3), "provenance is int"),
        (_changed(labels="abc"), "labels is 'abc'"),
        (_changed(sample_rate="NaN").replace('"NaN"', "NaN"), "NaN is not a JSON number"),
    ],
)
def test_json_that_is_no_spec_is_refused(text, said):
    with pytest.raises(ModelContractError, match=said):
        ModelSpec.from_json(text)


def test_provenance_that_json_cannot_hold_is_refused_when_the_spec_is_written():
    with pytest.raises(ModelContractError, match="provenance holds what JSON cannot"):
        tiny_spec(provenance=Provenance(training={"loss": float("nan")})).to_json()


def test_replacing_a_field_checks_the_spec_again():
    assert replace_spec(tiny_spec(), recipe="int8").recipe == "int8"
    with pytest.raises(ModelContractError, match="thresholds for 1 label"):
        replace_spec(tiny_spec(), labels=("a",))
