"""The runtime's line about its delegate stays off the screen, and everything else that goes to stderr is seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.model.announcement import ANNOUNCEMENT
from metadata.packing.packed_model import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
OPEN = """
import sys
from edge_runtime.model.interpreter import {name}
model = open(sys.argv[1], 'rb').read()
"""


def stderr_of(code, *arguments, **options):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=REPOSITORY, capture_output=True, check=True, **options
    )
    return done.stderr


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


def test_the_runtime_itself_does_announce_its_delegate(model):
    code = OPEN.format(name="_find_runtime") + "_find_runtime()[1].Interpreter(model_content=model).allocate_tensors()"

    assert ANNOUNCEMENT in stderr_of(code, model)


@pytest.mark.parametrize("kernels", ["", "open_interpreter(model, use_xnnpack=False)"])
def test_opening_a_model_prints_nothing(model, kernels):
    code = OPEN.format(name="open_interpreter") + f"{kernels}\nfor _ in range(3): open_interpreter(model)"

    assert stderr_of(code, model) == b""


def test_what_else_is_printed_meanwhile_is_seen_in_its_order_and_later_lines_go_straight_to_stderr(model):
    code = """
import os, sys
from edge_runtime.model.announcement import ANNOUNCEMENT, without_announcement
print("before", file=sys.stderr)
try:
    with without_announcement():
        os.write(2, b"ERROR: node 3\\n" + ANNOUNCEMENT + b"\\nhalf a line")
        raise ValueError
except ValueError:
    print(" after", file=sys.stderr)
with without_announcement():
    os.write(2, ANNOUNCEMENT + b"\\n")
with without_announcement():
    os.write(2, ANNOUNCEMENT + b" again\\n")
"""

    expected = b"before\nERROR: node 3\nhalf a line after\n" + ANNOUNCEMENT + b" again\n"
    assert stderr_of(code, model) == expected


def test_more_than_a_pipe_holds_does_not_stop_the_process(model):
    code = """
import os
from edge_runtime.model.announcement import without_announcement
with without_announcement():
    try:
        for _ in range(100): os.write(2, b"x" * 9_999 + b"\\n")
    except BlockingIOError:
        pass
"""

    assert len(stderr_of(code, model, timeout=60)) >= 10_000


def test_a_process_without_stderr_opens_models_too(model):
    code = OPEN.format(name="open_interpreter") + "import os\nos.close(2)\nopen_interpreter(model)\nprint('open')"
    done = subprocess.run([sys.executable, "-c", code, model], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)

    assert done.stdout.strip() == b"open"


def test_classify_prints_no_line_of_the_runtime(model, tmp_path):
    clip = REPOSITORY / "data_short" / "song" / "baritone.flac"
    command = [sys.executable, "-m", "earproof", "classify", model, clip]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, env=dict(os.environ))

    assert done.stdout
    assert b"INFO" not in done.stderr
