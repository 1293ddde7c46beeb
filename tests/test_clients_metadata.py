"""The real loaders and the tools of tflite-support read what we write, and we read what they write."""

import copy
import json
import subprocess

import numpy as np
import pytest
from foreign_files import constant_model, ending_in, own_spec
from loader_matrix import RATE, WINDOW, make_cases
from test_clients import AUDIO_CLIENTS, CLIENTS, _our_scores, score  # noqa: F401
from test_metadata_codec import EVERYTHING
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from edge_runtime.model.classifier import Classifier
from metadata import find_metadata, pack_model, read_associated_files
from metadata.editing.edited_metadata import EditedMetadata
from metadata.lint.lint_file import lint_model
from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.metadata_schema import ENUMS, UNIONS
from metadata.packing.parser_version import min_parser_version
from metadata.tflite_file.model_content import parse_model

ROUNDING = 2e-7  # of a score that a calibration keeps
GERMAN = ("Stille", "Gesang", "Sprache")


@pytest.fixture
def noise():
    levels = np.geomspace(1e-3, 1.0, 4)[:, np.newaxis]
    return (np.random.default_rng(0).uniform(-0.5, 0.5, (4, 32_000)) * levels).astype(np.float32)


def _calibrated(path, spec, model):
    """Write a model whose loaders apply the thresholds of its spec, with German display names."""
    edited = EditedMetadata(parse_model(pack_model(model, spec)))
    edited.calibrate_thresholds()
    edited.set_labels("\n".join(GERMAN).encode(), "labels_de.txt", "de", None)
    path.write_bytes(edited.packed())


def _shown(scores, thresholds):
    """What an app is to see of each window: the labels from their threshold on."""
    reached = scores >= np.asarray(thresholds, np.float32)
    return [{label for label, is_shown in zip(TINY_LABELS, row, strict=True) if is_shown} for row in reached]


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_label_is_shown_from_its_threshold_on_with_its_score(client, activation, score, noise, tmp_path):  # noqa: F811
    model, path = tiny_classifier(activation=activation), tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(model, tiny_spec(activation=activation)))
    ours = _our_scores(path, noise)
    between = np.sort(ours, axis=0)[1:3].mean(axis=0)  # two windows under each threshold, two above
    thresholds = tuple(float(threshold) for threshold in between)
    _calibrated(path, tiny_spec(activation=activation, thresholds=thresholds), model)
    result = score(client, path, noise, "16000", "de")
    expected = _shown(ours, thresholds)
    assert {len(labels) for labels in expected} != {3}
    assert [set(scores) for scores in result["scores"]] == expected
    for row, scores in zip(ours, result["scores"], strict=True):
        for label, value in scores.items():
            assert abs(value - row[TINY_LABELS.index(label)]) <= 1e-5
    assert result["display_names"] == dict(zip(TINY_LABELS, GERMAN, strict=True))
    _check_that_calibration_keeps_scores(client, path, model, activation, result, score, noise)


def _check_that_calibration_keeps_scores(client, path, model, activation, result, score, noise):  # noqa: F811
    """Compare with what the same loader gives without calibration."""
    path.write_bytes(pack_model(model, tiny_spec(activation=activation)))
    plain = score(client, path, noise)["scores"]
    changes = [
        abs(value - row[label])
        for row, scores in zip(plain, result["scores"], strict=True)
        for label, value in scores.items()
    ]
    print(f"{client} {activation}: calibration moved {len(changes)} scores by at most {max(changes):.1e}")
    assert max(changes) <= ROUNDING


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_logits_are_shown_as_scores_from_their_threshold_on(client, score, noise, tmp_path):  # noqa: F811
    path, windows = tmp_path / "logits.tflite", noise[:, :16_000]
    fields = {"activation": "sigmoid", "score_transform": "sigmoid"}
    path.write_bytes(pack_model(ending_in("LOGITS"), own_spec(**fields)))
    classifier = Classifier(path)
    ours = np.stack([classifier.scores(window) for window in windows])
    thresholds = tuple(float(threshold) for threshold in np.sort(ours, axis=0)[1:3].mean(axis=0))
    _calibrated(path, own_spec(thresholds=thresholds, **fields), ending_in("LOGITS"))
    result = score(client, path, windows)
    assert [set(scores) for scores in result["scores"]] == _shown(ours, thresholds)
    for row, scores in zip(ours, result["scores"], strict=True):
        for label, value in scores.items():
            assert abs(value - row[TINY_LABELS.index(label)]) <= 1e-5


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
def test_a_score_that_equals_its_threshold_is_shown_and_one_under_it_by_a_bit_is_not(client, score, tmp_path):  # noqa: F811
    path = tmp_path / "eighths.tflite"
    just_above = float(np.nextafter(np.float32(0.125), np.float32(1.0)))
    spec = own_spec(labels=tuple("abcdefgh"), thresholds=(*(just_above,) * 7, 0.125))
    edited = EditedMetadata(parse_model(pack_model(constant_model(num_labels=8), spec)))
    edited.calibrate_thresholds()
    path.write_bytes(edited.packed())
    (scores,) = score(client, path, np.zeros((1, 16_000), np.float32))["scores"]
    assert set(scores) == {"h"}
    assert abs(scores["h"] - 0.125) <= ROUNDING


def test_what_the_writer_of_tflite_support_wrote_is_read_field_by_field(clients, tmp_path):
    (tmp_path / "model.tflite").write_bytes(tiny_classifier())
    folder = tmp_path / "files"
    folder.mkdir()
    contents = {"labels.txt": b"silence\nsong\nspeech\n", "labels_de.txt": b"Stille\nGesang\nSprache\n"}
    contents["score_calibration.txt"] = b"1,1,0,0.5\n\n0.9,2,0.25"
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    script, out = CLIENTS / "write_with_tflite_support.py", tmp_path / "out.tflite"
    subprocess.run([clients["tflite_support"], script, tmp_path / "model.tflite", folder, out], check=True)
    written = out.read_bytes()
    assert read_associated_files(written) == contents
    values = find_metadata(written)
    texts = [item.pop("description") for item in _scores(values)["associated_files"]]
    assert [text.split()[0] for text in texts] == ["Labels", "Labels", "Contains"]
    assert values == {
        "name": "claps",
        "description": "hears claps",
        "version": "v2",
        "author": "Ada",
        "license": "MIT",
        "subgraph_metadata": [
            {
                "input_tensor_metadata": [
                    {
                        "name": "audio",
                        "description": "heard",
                        "content": {
                            "content_properties_type": "AudioProperties",
                            "content_properties": {"sample_rate": 16_000, "channels": 1},
                        },
                        "stats": {},
                    }
                ],
                "output_tensor_metadata": [
                    {
                        "name": "scores",
                        "description": "of claps",
                        "content": {"content_properties_type": "FeatureProperties", "content_properties": {}},
                        "process_units": [
                            {
                                "options_type": "ScoreCalibrationOptions",
                                "options": {"score_transformation": "INVERSE_LOGISTIC", "default_score": 0.25},
                            }
                        ],
                        "stats": {"max": [1.0], "min": [0.0]},
                        "associated_files": [
                            {"name": "labels.txt", "type": "TENSOR_AXIS_LABELS"},
                            {"name": "labels_de.txt", "type": "TENSOR_AXIS_LABELS", "locale": "de"},
                            {"name": "score_calibration.txt", "type": "TENSOR_AXIS_SCORE_CALIBRATION"},
                        ],
                    }
                ],
            }
        ],
        "min_parser_version": "1.3.0",
    }
    edited = EditedMetadata(parse_model(written))
    edited.set("author", "Grace")
    assert find_metadata(edited.packed()) == find_metadata(written) | {"author": "Grace"}


def test_tflite_support_reads_every_field_that_we_write_and_asks_for_the_same_parser(clients, tmp_path):
    cases = {f"{number:03}": values for number, values in enumerate(_every_field())}
    for name, values in cases.items():
        (tmp_path / name).write_bytes(encode_metadata(values))
    script = CLIENTS / "read_metadata_with_tflite_support.py"
    done = subprocess.run([clients["tflite_support"], script, tmp_path], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert {name: item["metadata"] for name, item in found.items()} == cases
    assert {name: item["version"] for name, item in found.items()} == {
        name: min_parser_version(values) for name, values in cases.items()
    }
    assert {item["version"] for item in found.values()} == {
        *("1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1", "1.3.0", "1.4.0", "1.4.1", "1.5.0")
    }


def _every_field():
    """Yield metadata with everything in it, with nothing, and with each thing that has a version of its own."""
    yield copy.deepcopy(EVERYTHING)
    yield {"name": "n"}
    for kind in ENUMS["AssociatedFileType"][1:]:
        yield {"associated_files": [{"name": "f", "type": kind}]}
        yield {"subgraph_metadata": [{"associated_files": [{"name": "f", "type": kind}]}]}
    yield {"associated_files": [{"name": "f", "version": "2"}]}
    for kind in UNIONS["ProcessUnitOptions"]:
        unit = {"options_type": kind, "options": {}}
        yield {"subgraph_metadata": [{"output_tensor_metadata": [{"process_units": [unit]}]}]}
        yield {"subgraph_metadata": [{"input_process_units": [unit]}]}
        yield {"subgraph_metadata": [{"output_process_units": [unit]}]}
    for kind in UNIONS["ContentProperties"]:
        content = {"content_properties_type": kind, "content_properties": {}}
        yield {"subgraph_metadata": [{"input_tensor_metadata": [{"content": content}]}]}
    yield {"subgraph_metadata": [{"input_tensor_groups": [{"name": "g", "tensor_names": ["a"]}]}]}
    yield {"subgraph_metadata": [{"output_tensor_groups": [{"name": "g"}]}]}
    yield {"subgraph_metadata": [{"custom_metadata": [{"name": "c", "data": [1, 2]}]}]}


def _scores(values):
    """The output in a description."""
    return values["subgraph_metadata"][0]["output_tensor_metadata"][0]


@pytest.mark.parametrize("client", AUDIO_CLIENTS)
@pytest.mark.parametrize("name", ["display_names_too_few", "display_names_cr_lf"])
def test_the_linter_says_of_display_names_what_an_app_with_their_locale_gets(client, name, score, tmp_path):  # noqa: F811
    path, windows = tmp_path / "file.tflite", np.zeros((1, WINDOW), np.float32)
    path.write_bytes(make_cases()[name].content)
    key = "task_library" if client == "tflite_support" else "mediapipe"
    verdict = next(one for one in lint_model(path.read_bytes()) if one.loader.key == key)
    said = " ".join(finding.reason for finding in verdict.findings)
    assert verdict.is_taken
    assert set(score(client, path, windows, str(RATE))["labels"]) == set(TINY_LABELS)  # without the locale
    german = score(client, path, windows, str(RATE), "de")
    assert ("Mismatch between number of labels (3) and display names (2)" in german.get("error", "")) is (
        "Mismatch between number of labels (3) and display names (2)" in said
    )
    assert ("error" in german) is (name == "display_names_too_few")
    shown = [*german.get("display_names", {}).values()]
    assert any("\r" in text for text in shown) is ("gets 'Ruhe\\r'" in said)
    assert {text.strip() for text in shown} == (set() if "error" in german else {"Ruhe", "Gesang", "Sprache"})
