import numpy as np
import pytest
from tiny_tflite import tiny_classifier

from edge_runtime.bench.arena import arena_bytes, covered
from edge_runtime.model.interpreter import open_interpreter


class FakeInterpreter:
    """Tensors at places of one block of memory; None for one without memory."""

    def __init__(self, views):
        self._views = views

    def get_tensor_details(self):
        return [{"index": index} for index in range(len(self._views))]

    def tensor(self, index):
        def view():
            if self._views[index] is None:
                raise ValueError("Tensor data is null. Run allocate_tensors() first")
            return self._views[index]

        return view


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0),
        ([(10, 20)], 10),
        ([(10, 20), (20, 30)], 20),
        ([(15, 30), (10, 20)], 20),
        ([(10, 40), (20, 30)], 30),
        ([(0, 1), (100, 101), (0, 1)], 2),
    ],
)
def test_shared_memory_counts_once(spans, expected):
    assert covered(spans) == expected


def test_weights_in_the_file_and_tensors_of_a_delegate_are_no_part_of_it():
    model = bytes(1000)
    memory = np.zeros(400, np.uint8)
    weights = np.frombuffer(model, np.float32, 10, 100)
    interpreter = FakeInterpreter([memory[:200], memory[100:300], None, weights, memory[:0]])

    assert arena_bytes(interpreter, model) == 300


def test_the_arena_of_a_tiny_model_holds_its_largest_operator():
    model = tiny_classifier()
    audio, features = 32_000 * 4, 125 * 8 * 4  # bytes: the waveform, and 8 features of 125 blocks of 256 samples
    plain = arena_bytes(open_interpreter(model, use_xnnpack=False), model)

    assert audio + features <= plain <= 2 * audio + 2 * features + 4096
    assert audio <= arena_bytes(open_interpreter(model), model) <= plain
