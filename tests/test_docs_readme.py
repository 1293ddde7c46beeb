"""The README: short, and what it shows is run."""

import re
from pathlib import Path

import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from tiny_tflite import tiny_classifier, tiny_spec

from metadata import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def test_the_readme_is_read_in_two_minutes():
    assert len(README.splitlines()) <= 130


def test_the_two_commands_come_first():
    first, second = re.findall(r"^```\n(.*?)^```", README, re.M | re.S)[0].splitlines()
    assert first == "./setup.sh && .venv/bin/earproof build data_short --out runs/short"
    words = second.split()
    assert words[:3] == [".venv/bin/earproof", "classify", "runs/short/waveform_cnn-int8.tflite"]
    assert all((REPOSITORY / clip).is_file() for clip in words[3:])
    assert len(words) == 4


def test_the_lines_of_python_run_on_a_model_and_a_clip(tmp_path, monkeypatch, capsys):
    assert len(PYTHON) == 1
    assert len([line for line in PYTHON[0].splitlines() if line]) == 5
    model = tmp_path / re.search(r'load\("(.+?)"\)', PYTHON[0])[1]
    model.parent.mkdir(parents=True)
    model.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    soundfile.write(tmp_path / "clip.wav", tone(440, 3.0), SAMPLE_RATE)
    monkeypatch.chdir(tmp_path)

    exec(compile(PYTHON[0], "README.md", "exec"), {})

    labels, decision = capsys.readouterr().out.splitlines()
    assert labels == "('silence', 'song', 'speech') 2.0"
    assert decision.split()[0] in ("silence", "song", "speech")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https?:|#)([^)#\s]+)", README))))
def test_a_link_of_the_readme_leads_to_a_file(link):
    assert (REPOSITORY / link).exists()
