"""What a file of others is taken for: every field on its own, held against the graph."""

import re
from pathlib import Path

import pytest
from foreign_files import LABELS, STATED, audio_of, ending_in, output_of, own_spec, with_metadata

from metadata import ModelContractError, WaveformFrontEnd, pack_model, read_metadata, read_spec
from metadata.foreign.foreign_contract import foreign_contract
from metadata.foreign.said_fields import SaidFields
from metadata.foreign.stated_fields import read_stated

RATE = 44_100
MODEL = ending_in("SOFTMAX", (1, RATE))
TOLD = ("silence", "song", "speech")


def contract(model=MODEL, change=None, files=None, **said):
    return foreign_contract(with_metadata(model, change, files), SaidFields(**said))


def notes_of(content, **changes):
    """The spec and the notes of a file whose labels.txt holds the content; the note on thresholds is not among them."""
    found = contract(files={"labels.txt": content}, **changes)
    return found.spec, [note for note in found.notes if "threshold" not in note]


def test_what_is_stated_well_is_taken_as_it_is():
    spec, notes = notes_of(LABELS)
    assert notes == []
    assert (spec.name, spec.version, spec.description) == ("clap detector", "v3", "tells claps")
    assert (spec.sample_rate, spec.window_length, spec.labels) == (RATE, RATE, TOLD)
    assert dict(spec.provenance.training) == {"author": "Somebody Else", "license": "Apache-2.0"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"silence\r\nsong\r\nspeech", "has CR LF line ends, read as the lines that were meant"),
        (b"silence\rsong\rspeech\r", "has CR line ends"),
        (b"\xef\xbb\xbf" + LABELS, "byte order mark; read as UTF-8"),
        (LABELS.decode().encode("utf-16"), "byte order mark; read as UTF-16"),
        (LABELS.decode().encode("utf-16-le"), "is UTF-16 text"),
        (LABELS.decode().encode("utf-16-be"), "is UTF-16 text"),
        (LABELS + b"\n\n", "ends with 2 blank lines"),
        (b"silence\n\nsong\n\nspeech\n", "2 blank lines inside"),
        (b"silence \n song\nspeech\n", "spaces before or after 2 labels"),
        (LABELS + b"\0\0", "NUL bytes"),
        (b"silence,song,speech", "3 labels in one line"),
    ],
)
def test_a_label_file_that_was_saved_badly_is_read_as_it_was_meant_with_a_note(content, said):
    spec, notes = notes_of(content)
    assert (spec.labels, spec.sample_rate, spec.name, spec.version) == (TOLD, RATE, "clap detector", "v3")
    assert len(notes) == 2
    assert re.search(said, notes[0])
    assert notes[1].endswith("to mend it: earproof metadata write FILE --out NEW.tflite")


def test_who_mends_a_file_is_not_told_to_mend_it():
    assert not any("to mend" in note for note in notes_of(b"silence\r\nsong\r\nspeech", source="mine.tflite")[1])


def test_latin_1_labels_keep_their_letters():
    spec, notes = notes_of("Käfer\nVögel\nHund\n".encode("latin-1"))
    assert spec.labels == ("Käfer", "Vögel", "Hund")
    assert "not UTF-8; read as Latin-1" in notes[0]


def test_a_blank_line_that_stands_for_an_output_keeps_its_place():
    spec, notes = notes_of(b"silence\n\nspeech\n")
    assert spec.labels == ("silence", "unnamed 2", "speech")
    assert "leaves 1 of 3 lines blank" in notes[0]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "the label file labels.txt is not there; the model holds no files"),
        ({"labels.txt": b""}, "holds no labels"),
        ({"labels.txt": b"silence\nsong\n"}, "has 2 names but the model puts out 3 scores"),
        ({"labels.txt": b"a\na\nb\n"}, "names a more than once"),
        ({"labels.txt": b'["silence", "song", "speech"]'}, "has 1 name but the model puts out 3 scores"),
    ],
)
def test_labels_that_cannot_be_read_are_asked_for_and_take_nothing_with_them(files, said):
    found = contract(files=files)
    assert found.spec is None
    with pytest.raises(ModelContractError, match=r"earproof metadata write .*--labels labels\.txt$") as caught:
        found.settled()
    assert said in str(caught.value)
    given = contract(files=files, labels=("a", "b", "c"))
    assert (given.spec.sample_rate, given.spec.name, given.spec.version) == (RATE, "clap detector", "v3")
    assert any(said in note for note in given.notes)


def test_labels_under_another_name_than_the_metadata_says_are_found():
    found = contract(files={"label_map.txt": LABELS})
    assert found.spec.labels == TOLD
    assert any("labels.txt is not there" in note for note in found.notes)
    assert any("label_map.txt is not named as a label file" in note for note in found.notes)


def test_of_label_files_in_several_languages_the_english_one_is_taken_and_that_is_told():
    def translate(values):
        kinds = [("de.txt", "de"), ("labels.txt", "en")]
        output_of(values)["associated_files"] = [
            {"name": name, "type": "TENSOR_AXIS_LABELS", "locale": locale} for name, locale in kinds
        ]

    found = contract(change=translate, files={"de.txt": b"Stille\nLied\nRede\n", "labels.txt": LABELS})
    assert found.spec.labels == TOLD
    assert any("2 label files (labels.txt for en, de.txt for de)" in note for note in found.notes)


@pytest.mark.parametrize("rate", [0, 1, 99, 1_000_001, 10**9])
def test_a_rate_that_cannot_be_is_said_and_asked_for_and_the_labels_are_kept(rate):
    found = contract(change=lambda values: audio_of(values)["content_properties"].update(sample_rate=rate))
    assert found.spec is None
    assert found.labels == TOLD
    assert f"AudioProperties.sample_rate is {rate} Hz and is not used" in found.notes[0]
    with pytest.raises(ModelContractError, match=r"no AudioProperties with a sample rate.*--sample-rate HZ"):
        found.settled()


def test_a_rate_that_a_description_speaks_of_is_offered_and_not_taken():
    def in_words(values):
        audio_of(values).update(content_properties_type="FeatureProperties", content_properties={})
        values["description"] = "hears 22.05 kHz audio"

    found = contract(change=in_words)
    assert found.options == ("--sample-rate 22050",)
    assert contract(change=in_words, sample_rate=22_050).spec.sample_rate == 22_050


def test_a_rate_that_the_user_gives_counts_more_and_the_other_is_told():
    found = contract(sample_rate=48_000)
    assert found.spec.sample_rate == 48_000
    assert "the file states 44100 Hz; taken at the 48000 Hz that were given" in found.notes


def test_other_labels_than_those_in_the_file_are_told():
    found = contract(labels=("speech", "song", "silence"))
    assert any("the file names its scores silence, song, speech" in note for note in found.notes)


def test_a_number_of_channels_that_is_not_stated_is_taken_for_one_and_told():
    found = contract(change=lambda values: audio_of(values)["content_properties"].pop("channels"))
    assert found.spec is not None
    assert "AudioProperties states no number of channels; taken for 1 (mono)" in found.notes


def test_a_parser_of_the_future_several_graphs_and_unknown_processing_are_told():
    def change(values):
        values["min_parser_version"] = "9.9.0"
        values["subgraph_metadata"].append({"name": "another"})
        unit = {"options_type": "NormalizationOptions", "options": {"mean": [0.0], "std": [32768.0]}}
        values["subgraph_metadata"][0]["input_tensor_metadata"][0]["process_units"] = [unit]

    found = contract(change=change)
    assert found.spec.sample_rate == RATE
    for said in ("min_parser_version is 9.9.0", "2 graphs", "NormalizationOptions (mean [0.0], std [32768.0])"):
        assert any(said in note for note in found.notes), said


def test_a_text_that_is_not_utf_8_costs_no_other_field():
    model = with_metadata(MODEL).replace(b"tells claps", b"tells cl\xe4ps")
    found = foreign_contract(model)
    assert (found.spec.description, found.spec.name, found.spec.labels) == ("tells cläps", "clap detector", TOLD)
    assert any("description is not UTF-8; read as Latin-1" in note for note in found.notes)


def test_metadata_that_is_none_is_said_and_the_labels_behind_it_are_found():
    found = foreign_contract(with_metadata(MODEL).replace(b"M001", b"M00?"))
    assert "the metadata is not used" in found.notes[0]
    assert (found.labels, found.options) == (TOLD, ("--sample-rate HZ",))


def test_a_name_and_a_version_that_nobody_states_are_assumed_and_told():
    def forget(values):
        del values["name"], values["version"]

    found = contract(change=forget, default_name="theirs", default_version="1.0.0")
    assert (found.spec.name, found.spec.version) == ("theirs", "1.0.0")
    assert "the file states no name and no version; taken for 'theirs' and '1.0.0'" in found.notes


def test_a_threshold_that_is_stated_is_taken_and_a_bad_one_told():
    def threshold(score):
        unit = {"options_type": "ScoreThresholdingOptions", "options": {"global_score_threshold": score}}
        return lambda values: output_of(values).update(process_units=[unit])

    assert contract(change=threshold(0.25)).spec.thresholds == (0.25,) * 3
    bad = contract(change=threshold(7.0))
    assert bad.spec.thresholds == (0.5,) * 3
    assert any("global_score_threshold is 7.0 and is not used" in note for note in bad.notes)


def test_author_and_license_are_in_the_metadata_of_what_is_written():
    packed = pack_model(MODEL, contract().spec)
    values = read_metadata(packed)
    assert (values["author"], values["license"]) == (STATED["author"], STATED["license"])
    assert pack_model(packed, read_spec(packed)) == packed


def test_every_fault_is_named_at_once():
    found = foreign_contract(ending_in("LOGITS"))
    with pytest.raises(ModelContractError) as caught:
        found.settled()
    for said in ("what the scores of the model stand for", "nothing states its sample rate", "softmax or sigmoid?"):
        assert said in str(caught.value)
    assert found.options == ("--labels labels.txt", "--sample-rate HZ", "--activation softmax (or sigmoid)")


def test_a_spec_of_ours_is_taken_as_it_is():
    spec = own_spec(sample_rate=8000, thresholds=(0.1, 0.2, 0.3))
    found = foreign_contract(pack_model(ending_in("SOFTMAX"), spec))
    assert (found.spec, found.notes) == (spec, ())


@pytest.mark.parametrize(
    ("shape", "rate", "said"),
    [
        ((1, 40), 16_000, "2.5 ms at 16000 Hz: too short for a waveform"),
        ((1, 13), 44_100, "too short for a waveform"),
        ((1, 98, 40), 16_000, "which is no waveform"),
    ],
)
def test_what_is_no_waveform_is_refused_whatever_the_metadata_says(shape, rate, said):
    found = contract(ending_in("SOFTMAX", shape), sample_rate=rate)
    assert found.spec is None
    assert any(said in fault for fault in found.faults)


def test_forty_numbers_without_metadata_are_asked_about_before_the_rate_is_known():
    found = foreign_contract(ending_in("SOFTMAX", (1, 40)), SaidFields(labels=TOLD))
    assert any("takes 40 numbers, too few for a waveform" in fault for fault in found.faults)


@pytest.mark.parametrize(("shape", "said"), [((1, 512), "32 ms at 16000 Hz"), ((1, 1960), "a table of 8 x 245")])
def test_a_short_input_is_a_waveform_where_somebody_says_so(shape, said):
    model = ending_in("SOFTMAX", shape)
    asked = foreign_contract(model, SaidFields(labels=TOLD, sample_rate=16_000))
    assert said in asked.faults[0]
    assert asked.options == ("--front-end waveform",)
    said_so = SaidFields(labels=TOLD, sample_rate=16_000, front_end=WaveformFrontEnd())
    for found in (foreign_contract(model, said_so), contract(model, sample_rate=16_000)):
        assert found.spec.window_length == shape[1]
        assert any(said in note for note in found.notes)


def test_the_fields_of_the_published_yamnet_are_read_without_a_note():
    path = Path(__file__).parents[2] / "shared/data/backbones/yamnet_audio_classifier_with_metadata.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    stated = read_stated(path.read_bytes())
    assert (stated.sample_rate, stated.channels, stated.version, stated.author) == (16_000, 1, "v1", "TensorFlow")
    assert (len(stated.labels), stated.labels[0], stated.labels[-1]) == (521, "Speech", "Field recording")
    assert stated.notes == ()
    assert stated.license.startswith("Apache License. Version 2.0")


@pytest.mark.parametrize(
    ("kind", "said", "not_said"),
    [
        ("SOFTMAX", "the label with the highest score is the decision, however low that is", "labels count from"),
        ("LOGISTIC", "labels count from 0.5 on", "highest"),
    ],
)
def test_without_a_stated_threshold_it_is_told_what_decides(kind, said, not_said):
    found = contract(ending_in(kind, (1, RATE)))
    (note,) = (note for note in found.notes if "no threshold" in note)

    assert said in note
    assert not_said not in note


def test_no_option_is_offered_where_none_would_help():
    found = contract(change=lambda values: audio_of(values)["content_properties"].update(channels=2), files={})
    assert any("takes 2 channels" in fault for fault in found.faults)
    assert (found.spec, found.options) == (None, ())
    with pytest.raises(ModelContractError, match=r"^(?!.*say so with)"):
        found.settled()
