"""Where the windows are the same, the phone harness scores as scoring offline does, bit for bit."""

import numpy as np
import pytest
import soundfile

from edge_runtime.audio.recordings import open_recording
from edge_runtime.audio.windows import Windowing
from edge_runtime.listen.listener import Listener, ListenSettings
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.harness import PhoneHarness
from train.recordings.decoding.decoded_blocks import DecodedBlocks

RECIPES = ("waveform_cnn-int8", "waveform_cnn-float32", "mel_cnn-dynamic_int8", "mel_cnn-spectrogram-int8")
HOP = 8000  # samples, half a second


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("label", ["silence", "song", "speech"])
def test_a_recording_through_the_phone_scores_as_it_does_offline(built, data_short, name, label):
    classifier = Classifier(built.path / f"{name}.tflite")
    path = max((data_short / label).glob("*.flac"), key=lambda path: path.stat().st_size)
    shorts, rate = soundfile.read(path, dtype="int16")
    assert rate == classifier.spec.sample_rate
    full = classifier.spec.window_length // HOP  # the tick at which the ring buffer is full for the first time
    for pcm, scale in (("float", 32768), ("int16", 32767)):
        phone = PhoneHarness(classifier=classifier, pcm=pcm).run(shorts, classifier.spec.sample_rate).scores
        offline = classifier.classify(
            shorts / np.float32(scale), classifier.spec.sample_rate, window_hop=HOP, tail="drop"
        ).scores
        listener = Listener(classifier, ListenSettings(pcm=pcm))
        heard = np.stack([tick.scores for tick in listener.push(shorts, classifier.spec.sample_rate)])

        assert len(offline) >= 5
        assert phone[full : full + len(offline)].tobytes() == offline.tobytes()
        assert heard[full - 1 :].tobytes() == offline.tobytes()
        if pcm == "float":  # what `earproof classify --hop 0.5` prints
            with open_recording(path, DecodedBlocks) as recording:
                results = list(classifier.classify_recording(recording, Windowing(hop=HOP, tail="drop")))
            assert np.stack([result.scores for result in results]).tobytes() == offline.tobytes()
