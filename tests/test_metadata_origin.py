"""Where a backbone came from goes along: in the standard metadata, in other backbones, in the README of a bundle."""

import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from convert.bundle.bundle_readme import bundle_readme
from edge_runtime.bundle.manifest import BundledModel
from metadata import Provenance, pack_model
from metadata.file_report import describe_file, format_report
from metadata.origin import backbone_origin, origin_of
from metadata.packing.packed_model import find_metadata

TRAINING = {
    "backbone": "mine",
    "backbone_sha256": "ab12",
    "backbone_licence": "Apache-2.0",
    "backbone_source": "somebody, on something",
}
CLAUSE = "begins with the backbone mine: somebody, on something; licence Apache-2.0; SHA-256 ab12"


def begun(**changes):
    return tiny_spec(provenance=Provenance(data_sha256="c" * 64, training={**TRAINING, **changes}))


def packed(spec):
    return pack_model(tiny_classifier(), spec)


def test_a_file_states_licence_and_origin_of_its_backbone(tmp_path):
    content = packed(begun())
    values = find_metadata(content)
    assert values["license"] == "backbone mine: Apache-2.0"
    assert values["description"].endswith(f"It {CLAUSE}.")
    shown = format_report(describe_file(tmp_path / "a.tflite", content))
    assert "backbone mine: Apache-2.0" in shown
    assert CLAUSE in shown


def test_what_nobody_said_is_said_to_be_unknown():
    values = find_metadata(packed(begun(backbone_licence="", backbone_source="")))
    assert values["license"] == "backbone mine: licence not said"
    assert "source not said; licence not said" in values["description"]


def test_a_licence_of_the_whole_model_comes_first():
    assert find_metadata(packed(begun(license="MIT")))["license"] == "MIT"


def test_a_model_without_a_backbone_states_nothing():
    spec = tiny_spec()
    assert backbone_origin(spec) is None
    values = find_metadata(packed(spec))
    assert "license" not in values
    assert values["description"] == spec.description


@pytest.mark.parametrize(
    ("spec", "licence", "told"), [(begun(), "Apache-2.0", f"; it {CLAUSE}"), (tiny_spec(), "", "")]
)
def test_a_model_that_others_begin_with_hands_on_what_it_began_with(spec, licence, told):
    digest = spec.provenance.data_sha256[:12] or "not recorded"
    expected = f"{spec.name}, trained by earproof on data with SHA-256 {digest}{told}"
    assert origin_of(spec) == (licence, expected)


def test_a_bundle_says_it_in_its_readme():
    model = BundledModel(file="a.tflite", model="a", recipe="int8", golden="g", stream="s", expected="e")
    machine = {"cpu": "some", "runtime": "ai-edge-litert 2"}
    plain = bundle_readme("title", "1", "wheel", machine, [model]).decode()
    told = bundle_readme("title", "1", "wheel", machine, [model], {"a.tflite": backbone_origin(begun())}).decode()
    assert told == f"{plain}\n## Backbones\n\n- `a.tflite` {CLAUSE}.\n"
