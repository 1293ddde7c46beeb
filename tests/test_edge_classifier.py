import struct
from pathlib import Path

import numpy as np
import pytest
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from edge_runtime.front_end.mel import mel_spectrogram
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import open_interpreter, runtime_name
from metadata import MelFrontEnd, ModelContractError, ModelWarning, WaveformFrontEnd
from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.packed_model import pack_model, strip_metadata
from metadata.packing.rewrite import add_metadata_buffer
from metadata.packing.standard_metadata import describe_model
from metadata.tflite_file.associated_files import append_files

RATE = 16_000
WINDOW = 32_000


def packed(spec=None, **model):
    spec = spec or tiny_spec()
    return pack_model(tiny_classifier(spec.window_length, len(spec.labels), activation=spec.activation, **model), spec)


def third_party(labels=b"silence\nsong\nspeech\n", change=None, **model):
    """Return a model with standard metadata alone, as other tools write it."""
    values = describe_model(tiny_spec())
    del values["associated_files"]
    if change:
        change(values["subgraph_metadata"][0]["input_tensor_metadata"][0]["content"])
    described = add_metadata_buffer(tiny_classifier(**model), encode_metadata(values))
    return append_files(described, {"labels.txt": labels})


def noise(num_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, num_samples).astype(np.float32)


def write_wav(path, waveform, rate=RATE, channels=1):
    shorts = np.repeat(np.rint(waveform * 32768).astype("<i2"), channels).tobytes()
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(shorts)) + shorts
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


@pytest.fixture(scope="module")
def classifier():
    return Classifier(packed())


def test_a_file_tells_its_spec_by_path_and_by_content(tmp_path, classifier):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(packed())

    assert Classifier(path).spec == Classifier(str(path)).spec == classifier.spec == tiny_spec()


def test_scores_of_a_softmax_model_add_up_to_one(classifier):
    scores = classifier.scores(noise(WINDOW))

    assert scores.dtype == np.float32
    assert scores.shape == (3,)
    assert scores.sum() == pytest.approx(1.0)


def test_scores_are_the_callers_own(classifier):
    first = classifier.scores(noise(WINDOW, 1))
    kept = first.copy()
    classifier.scores(noise(WINDOW, 2))

    assert np.array_equal(first, kept)


@pytest.mark.parametrize("shape", [(1, WINDOW), (WINDOW,), (1, WINDOW, 1), (1, 1, WINDOW)])
def test_every_shape_of_a_waveform_input_gives_the_same_scores(classifier, shape):
    other = Classifier(packed(input_shape=shape))

    assert np.array_equal(other.scores(noise(WINDOW)), classifier.scores(noise(WINDOW)))


@pytest.mark.parametrize("shape", [(1, 128, 63, 1), (1, 128, 63), (1, 128 * 63)])
def test_a_spectrogram_model_hears_the_mel_band_by_band(shape):
    spec = tiny_spec(front_end=MelFrontEnd(inside_model=False))
    spectrogram_form = Classifier(pack_model(tiny_classifier(input_shape=shape), spec))
    mel = mel_spectrogram(noise(WINDOW), MelFrontEnd(), RATE)
    plain = Classifier(packed(tiny_spec(window_length=128 * 63)))  # the same network over the same 8,064 numbers

    assert np.array_equal(spectrogram_form.scores(noise(WINDOW)), plain.scores(mel.reshape(-1)))


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (np.zeros(WINDOW - 1, np.float32), "31999 samples; tiny classifier takes 32000"),
        (np.zeros(WINDOW + 1, np.float32), "32001 samples"),
        (np.zeros((1, WINDOW), np.float32), r"shape \(1, 32000\)"),
        (np.zeros(WINDOW, np.int16), "int16; expected float"),
        (np.full(WINDOW, np.nan, np.float32), "NaN or infinity at sample 0"),
        (np.r_[np.zeros(WINDOW - 1), np.inf].astype(np.float32), "NaN or infinity at sample 31999"),
    ],
)
def test_a_window_the_model_cannot_hear_is_refused(classifier, window, message):
    with pytest.raises(ValueError, match=message):
        classifier.scores(window)


def test_a_model_that_puts_out_nan_is_an_error_and_no_score(classifier):
    broken = Classifier(packed())
    with pytest.raises(ValueError, match=r"puts out \[nan.*export it again"):
        broken.scores(np.full(WINDOW, 3e38, np.float32))


@pytest.mark.parametrize(
    ("scores", "decision"),
    [([0.1, 0.7, 0.2], "song"), ([0.4, 0.2, 0.4], "silence"), ([0.0, 0.0, 1.0], "speech")],
)
def test_softmax_decides_for_the_highest_score(classifier, scores, decision):
    assert classifier.decide(scores) == decision


@pytest.mark.parametrize(
    ("scores", "decision"),
    [([0.3, 0.8, 0.5], ("silence", "speech")), ([0.2, 0.8, 0.4], ()), ([1.0, 1.0, 1.0], TINY_LABELS)],
)
def test_sigmoid_decides_for_every_label_that_reaches_its_threshold(scores, decision):
    several = Classifier(packed(tiny_spec(activation="sigmoid", thresholds=(0.3, 0.9, 0.5))))

    assert several.decide(np.array(scores, np.float32)) == decision


@pytest.mark.parametrize("scores", [[0.5, 0.5], [0.5, 0.2, 0.2, 0.1], [0.5, np.nan, 0.5]])
def test_scores_that_do_not_fit_the_labels_decide_nothing(classifier, scores):
    with pytest.raises(ValueError, match="expected 3 numbers"):
        classifier.decide(scores)


@pytest.mark.parametrize(
    ("num_samples", "hop", "tail", "starts"),
    [
        (1, None, "pad", [0.0]),
        (31_999, None, "pad", [0.0]),
        (32_000, None, "pad", [0.0]),
        (32_001, None, "pad", [0.0, 2.0]),
        (64_000, None, "pad", [0.0, 2.0]),
        (64_000, 16_000, "pad", [0.0, 1.0, 2.0]),
        (70_000, None, "drop", [0.0, 2.0]),
        (72_000, None, "align", [0.0, 2.0, 2.5]),
    ],
)
def test_a_clip_is_classified_window_by_window(classifier, num_samples, hop, tail, starts):
    result = classifier.classify(noise(num_samples), RATE, window_hop=hop, tail=tail)

    assert result.starts_seconds.tolist() == starts
    assert result.scores.shape == (len(starts), 3)
    np.testing.assert_allclose(result.clip_scores, result.scores.mean(axis=0), atol=1e-7)
    assert result.decision == classifier.decide(result.clip_scores)
    assert result.labels == TINY_LABELS


def test_an_empty_clip_is_refused(classifier):
    with pytest.raises(ValueError, match="0 samples"):
        classifier.classify(np.zeros(0, np.float32), RATE)


def test_a_clip_at_another_rate_is_resampled(classifier):
    result = classifier.classify(noise(88_200), sample_rate=44_100)

    assert result.starts_seconds.tolist() == [0.0]


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
@pytest.mark.parametrize(("hop", "tail"), [(None, "pad"), (8000, "align"), (50_000, "pad"), (8000, "drop")])
def test_a_file_gives_the_scores_of_the_whole_clip(tmp_path, classifier, rate, channels, hop, tail):
    waveform = np.rint(noise(rate * 5 + 77) * 32768).astype(np.float32) / 32768
    path = write_wav(tmp_path / "clip.wav", waveform, rate, channels)

    results = list(classifier.classify_file(path, hop, tail))
    expected = classifier.classify(waveform, rate, hop, tail)

    assert np.stack([result.scores for result in results]).tobytes() == expected.scores.tobytes()
    assert [result.start_seconds for result in results] == expected.starts_seconds.tolist()
    assert results[0].end_seconds == 2.0
    assert results[-1].end_seconds <= 5.01
    assert results[0].decision == classifier.decide(results[0].scores)


def test_an_int8_input_is_rounded_and_clipped_and_an_int8_output_widened(monkeypatch):
    fake = _Int8Interpreter()
    monkeypatch.setattr("edge_runtime.model.classifier.open_interpreter", lambda model, num_threads, use_xnnpack: fake)
    quantized = Classifier(packed(tiny_spec(window_length=4, front_end=WaveformFrontEnd())))
    scores = quantized.scores(np.array([0.9 / 128, -0.9 / 128, 1.0, -2.0], np.float32))

    assert fake.heard.tolist() == [[1, -1, 127, -128]]
    assert scores.tolist() == [0.0, 0.5, 255 / 256]


class _Int8Interpreter:
    """Stands for a model with int8 input and output."""

    def get_input_details(self):
        return [{"index": 0, "shape": np.array([1, 4]), "dtype": np.int8, "quantization": (1 / 128, 0)}]

    def get_output_details(self):
        return [{"index": 1, "shape": np.array([1, 3]), "dtype": np.int8, "quantization": (1 / 256, -128)}]

    def set_tensor(self, index, values):
        self.heard = values

    def invoke(self):
        self.done = True

    def get_tensor(self, index):
        return np.array([[-128, 0, 127]], np.int8)


def test_a_third_party_file_runs_as_its_metadata_says(classifier):
    other = Classifier(third_party())

    assert other.spec.labels == TINY_LABELS
    assert other.spec.sample_rate == RATE
    assert other.spec.window_length == WINDOW
    assert np.array_equal(other.scores(noise(WINDOW)), classifier.scores(noise(WINDOW)))


def test_a_third_party_file_with_sigmoid_scores_is_decided_label_by_label_from_one_half_on():
    other = Classifier(third_party(activation="sigmoid"))

    assert other.spec.activation == "sigmoid"
    assert other.decide([0.5, 0.4, 0.9]) == ("silence", "speech")
    assert other.decide([0.2, 0.4, 0.1]) == ()


def test_audio_metadata_on_a_spectrogram_input_is_refused():
    with pytest.raises(ModelContractError, match="which is no waveform"):
        Classifier(third_party(input_shape=(1, 128, 63, 1)))


def test_a_third_party_file_without_sample_rate_is_refused():
    def forget_audio(content):
        content["content_properties_type"], content["content_properties"] = "FeatureProperties", {}

    with pytest.raises(ModelContractError, match="no AudioProperties with a sample rate"):
        Classifier(third_party(change=forget_audio))


def test_a_third_party_stereo_model_is_refused():
    def make_stereo(content):
        content["content_properties"]["channels"] = 2

    with pytest.raises(ModelContractError, match="takes 2 channels"):
        Classifier(third_party(change=make_stereo))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (b"silence\nsong\n", "2 names but the model puts out 3 scores"),
        (b"a\na\nb\n", "more than once"),
    ],
)
def test_a_label_file_that_does_not_fit_is_refused(labels, message):
    with pytest.raises(ModelContractError, match=message):
        Classifier(third_party(labels))


def test_a_spec_for_another_window_is_refused():
    spec = tiny_spec(window_length=16_000)
    files = {"labels.txt": b"silence\nsong\nspeech\n", "model_spec.json": spec.to_json().encode()}
    described = add_metadata_buffer(tiny_classifier(), encode_metadata(describe_model(spec)))
    with pytest.raises(ModelContractError, match=r"32000 values but model_spec\.json says windows of 16000"):
        Classifier(append_files(described, files))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"TFL3", "4 bytes"),
        (b"RIFF\0\0\0\0WAVEfmt this is not a model at all, but a sound file", "RIFF"),
        (b"\x1c\0\0\0TFL3" + b"\xff" * 200, "damaged"),
    ],
)
def test_what_is_no_model_is_refused_with_the_name_of_the_file(tmp_path, content, message):
    path = tmp_path / "no_model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelContractError, match=message) as caught:
        Classifier(path)

    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_model_is_refused_before_the_interpreter_reads_it(share):
    model = packed()
    with pytest.raises(ModelContractError):
        Classifier(model[: int(len(model) * share)])
    with pytest.raises(ModelContractError):
        open_interpreter(tiny_classifier()[: int(9000 * share)])


def test_a_model_without_any_metadata_says_how_to_write_it():
    with pytest.raises(ModelContractError, match="earproof metadata write"):
        Classifier(strip_metadata(packed()))


def test_a_missing_file_is_not_found():
    with pytest.raises(FileNotFoundError):
        Classifier(Path("no_such_file.tflite"))


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="num_threads is 0"):
        Classifier(packed(), num_threads=0)


def test_two_threads_give_the_scores_of_one(classifier):
    np.testing.assert_allclose(
        Classifier(packed(), num_threads=2).scores(noise(WINDOW)), classifier.scores(noise(WINDOW)), atol=1e-6
    )


def test_the_runtime_is_named_with_its_version():
    assert runtime_name().split()[0] in ("ai-edge-litert", "tflite-runtime")
    assert runtime_name().split()[1][0].isdigit()


def test_a_label_file_with_cr_lf_is_read_as_it_was_meant_with_a_warning():
    with pytest.warns(ModelWarning, match="CR LF line ends"):
        other = Classifier(third_party(b"silence\r\nsong\r\nspeech\r\n"))
    assert other.spec.labels == TINY_LABELS
    assert any("CR LF" in note for note in other.notes)


def test_samples_without_their_rate_are_refused(classifier):
    with pytest.raises(TypeError, match="sample_rate"):
        classifier.classify(noise(WINDOW))
    with pytest.raises(ValueError, match="sample rates are None and 16000"):
        classifier.classify(noise(WINDOW), None)


def test_blocks_of_another_rate_are_resampled(classifier):
    waveform = noise(88_200)
    blocks = classifier.classify_windows(np.array_split(waveform, 5), waveform.size, 44_100)

    assert [one.scores.tolist() for one in blocks] == classifier.classify(waveform, 44_100).scores.tolist()


@pytest.mark.parametrize("name", [b"audio", b"scores"])
def test_a_name_of_input_or_output_that_is_not_utf_8_is_refused_in_words(name):
    model = tiny_classifier()
    assert name + b"\0" in model
    with pytest.raises(ModelContractError, match="not UTF-8"):
        open_interpreter(model.replace(name + b"\0", b"\xfe" + name[1:] + b"\0"))
