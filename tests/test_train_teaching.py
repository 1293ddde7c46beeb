"""Teachers and students: whose scores are learned, of which recordings, and what a teacher must not have heard."""

import json

import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

import earproof
from train.settings import TrainingSettings

QUICK = {"batch_size": 4, "epoch_windows": 8, "epochs": 2, "variant": "abdoli_1600"}
PLAIN = TrainingSettings(batch_size=4, epoch_windows=8, teacher_weight=0.25)


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """A folder of tones with a teacher that was trained on it, and tones without labels."""
    root = tmp_path_factory.mktemp("school")
    for place, label in enumerate(("low", "high")):
        (root / "data" / label).mkdir(parents=True)
        for number in range(6):
            soundfile.write(
                root / "data" / label / f"{number}.wav", tone(200 * 6**place + 17 * number, 0.6), SAMPLE_RATE
            )
    (root / "more" / "deep").mkdir(parents=True)
    for number in range(3):
        soundfile.write(root / "more" / "deep" / f"m{number}.wav", tone(230 + 31 * number, 0.6), SAMPLE_RATE)
    words = {"cache": root / "cache", "augment": False, **QUICK}
    earproof.train("waveform_cnn", root / "data", out=root / "teacher", **words)
    return root, words


def _train(school, out, **changes):
    root, words = school
    return earproof.train("waveform_cnn", root / "data", out=root / out, teacher=root / "teacher", **words, **changes)


def test_smoke(school):
    metrics = _train(school, "student", unlabelled=school[0] / "more")
    print(json.dumps(metrics["taught"], indent=1))
    print((school[0] / "student" / "split.csv").read_text())
    print((school[0] / "student" / "training.json").read_text())
