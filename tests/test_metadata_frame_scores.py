"""A second output with the scores of every frame: its contract, its description in a file, and how it is read."""

import json

import numpy as np
import pytest
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_detector, tiny_spec

from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import open_interpreter
from metadata import FrameScores, ModelContractError, ModelSpec, pack_model, read_metadata, read_model_labels, read_spec
from metadata.foreign.foreign_contract import foreign_contract

FRAMES = FrameScores(125, 256, (0.2, 0.3, 0.4))


def detector_spec(**changes):
    return tiny_spec(**{"activation": "sigmoid", "frames": FRAMES, **changes})


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-0.5, 0.5, 32_000).astype(np.float32)


def test_a_spec_with_frame_scores_comes_back_from_its_json():
    assert ModelSpec.from_json(detector_spec().to_json()) == detector_spec()


def test_a_spec_without_frame_scores_has_the_json_that_older_readers_know():
    assert "frames" not in json.loads(tiny_spec().to_json())


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ((0, 256), "num_frames is 0"),
        ((125, 0), "hop_length is 0"),
        ((126, 256), "the last of 126 frames begins at sample 32000; expected one inside the window of 32000"),
        ((125, 256, (0.5,)), "there are 1 threshold of frames for 3 labels"),
        ((125, 256, (0.5, 0.5, 2.0)), "frame threshold of speech is 2.0"),
    ],
)
def test_frames_that_cannot_be_true_are_refused(frames, said):
    with pytest.raises(ModelContractError, match=said):
        detector_spec(frames=FrameScores(*frames))


def test_frames_without_thresholds_of_their_own_count_from_those_of_the_window():
    assert detector_spec().frame_thresholds == (0.2, 0.3, 0.4)
    assert detector_spec(frames=FrameScores(125, 256), thresholds=(0.1, 0.2, 0.3)).frame_thresholds == (0.1, 0.2, 0.3)


@pytest.mark.parametrize("frames_first", [False, True])
def test_both_outputs_are_described_and_found_wherever_they_stand(frames_first, noise):
    model = tiny_detector(frames_first=frames_first)
    file = pack_model(model, detector_spec())
    described = read_metadata(file)["subgraph_metadata"][0]["output_tensor_metadata"]
    names = [one["name"] for one in described]
    assert names == (["frame_scores", "scores"] if frames_first else ["scores", "frame_scores"])
    assert ["associated_files" in one for one in described] == [name == "scores" for name in names]
    assert read_model_labels(file) == TINY_LABELS
    assert read_spec(file) == detector_spec()
    classifier = Classifier(file)
    interpreter = open_interpreter(model)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], noise[np.newaxis])
    interpreter.invoke()
    outputs = {one["name"]: interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()}
    assert np.array_equal(classifier.scores(noise), outputs["scores"][0])
    frames = classifier.read_frame_scores()
    assert frames.shape == (125, 3)
    assert np.array_equal(frames.reshape(-1), outputs["frame_scores"][0])
    assert np.array_equal(classifier.frame_scores(noise), frames)


def test_a_file_without_frame_scores_says_so_when_asked_for_them(noise):
    classifier = Classifier(pack_model(tiny_classifier(), tiny_spec()))
    with pytest.raises(ModelContractError, match="has no frame scores; expected a detector of sound events"):
        classifier.frame_scores(noise)


def test_a_spec_of_other_frames_than_the_file_has_is_refused():
    with pytest.raises(ModelContractError, match=r"124 frames, so 3 scores and 372 scores, but .* puts out 3 and 375"):
        pack_model(tiny_detector(), detector_spec(frames=FrameScores(124, 256)))
    with pytest.raises(ModelContractError, match="expected 2"):
        pack_model(tiny_classifier(activation="sigmoid"), detector_spec())
    with pytest.raises(ModelContractError, match=r"2 outputs .* expected one"):
        pack_model(tiny_detector(), detector_spec(frames=None))


def test_a_file_of_others_with_two_outputs_is_refused_as_before():
    contract = foreign_contract(tiny_detector())
    assert contract.spec is None
    assert contract.faults == ("the model has 1 input and 2 outputs; expected one of each",)


def test_a_file_of_ours_with_frame_scores_is_taken_for_what_it_says():
    assert foreign_contract(pack_model(tiny_detector(), detector_spec())).settled().frames == FRAMES
