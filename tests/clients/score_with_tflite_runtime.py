"""Score inputs with the plain interpreter of tflite-runtime.

    python score_with_tflite_runtime.py MODEL INPUTS.npy OUT.json

INPUTS.npy holds float32 (n, values of one input); each row is given the shape of the model's input.
OUT.json gets the scores of each row, in the model's order. Runs in the environment `tflite_support`
of make_clients.py.
"""

import json
import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter


def main() -> int:
    """Score every input and write the result."""
    model, inputs_file, out = sys.argv[1:]
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    audio, scores = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for row in np.load(inputs_file):
        interpreter.set_tensor(audio["index"], row.reshape(audio["shape"]).astype(audio["dtype"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(scores["index"]).ravel().tolist())
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"scores": rows}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
