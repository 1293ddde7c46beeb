"""Open many files in one of the loaders that apps use, and score windows with those that open.

    python open_files.py LOADER JOBS.json OUT.json

LOADER is one of task_library, mediapipe, tflite_runtime, litert and tflite_micro. JOBS.json is a list of
`{"model": PATH, "windows": PATH.npy, "sample_rate": HZ}`; the windows are float32 (n, values of one input). OUT.json
gets, for each job, `{"labels": [...], "scores": [...]}`, the labels null where the loader reads none, or
`{"error": "..."}`. Every file is opened in a child process: a loader that crashes takes no other file with it.
"""

import json
import multiprocessing
import os
import sys
import tempfile

import numpy as np

SECONDS = 60  # for one file
ARENA = 2**26  # bytes: as if a microcontroller had memory enough


def main() -> int:
    """Open every file and write the results."""
    loader, jobs_file, out = sys.argv[1:]
    prepare, score = LOADERS[loader]
    prepared = prepare()
    with open(jobs_file, encoding="utf-8") as file:
        jobs = json.load(file)
    results = [_in_child(score, prepared, job) for job in jobs]
    with open(out, "w", encoding="utf-8") as file:
        json.dump(results, file)
    return 0


def _in_child(score, prepared, job):
    """The result of a job, or how its process ended."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryFile() as log:
        child = context.Process(target=_run, args=(score, prepared, job, sender, log.fileno()))
        child.start()
        sender.close()
        try:
            result = receiver.recv() if receiver.poll(SECONDS) else {"error": f"no result in {SECONDS} s"}
        except EOFError:
            result = {"error": "the process crashed"}
        if child.is_alive():
            child.join(1)
            child.kill()
        child.join()
        log.seek(0)
        if "error" in result:
            result |= {"exit_code": child.exitcode, "log": log.read().decode("utf-8", "replace")[:8000]}
    return result


def _run(score, prepared, job, sender, log):
    """Score the windows of a job in this process; what the loader prints goes to the log."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        labels, scores = score(prepared, job["model"], np.load(job["windows"]), job["sample_rate"])
        sender.send({"labels": labels, "scores": [[float(one) for one in np.ravel(row)] for row in scores]})
    except Exception as error:  # whatever the loader raises is its answer
        sender.send({"error": f"{type(error).__name__}: {error}"})


def _import_task_library():
    from tflite_support.task import audio

    return audio


def _task_library(audio, model, windows, _sample_rate):
    """As an app on Android does it."""
    classifier = audio.AudioClassifier.create_from_file(model)
    tensor = classifier.create_input_tensor_audio()
    rows = []
    for window in windows:
        tensor.load_from_array(np.resize(window, (tensor.buffer_size, tensor.format.channels)))
        rows.append(classifier.classify(tensor).classifications[0].categories)
    return _in_order(rows)


def _import_mediapipe():
    from mediapipe.tasks.python import BaseOptions, audio
    from mediapipe.tasks.python.components.containers import AudioData

    return BaseOptions, audio, AudioData


def _mediapipe(names, model, windows, sample_rate):
    """With MediaPipe Tasks."""
    base_options, audio, audio_data = names
    options = audio.AudioClassifierOptions(base_options=base_options(model_asset_path=model))
    rows = []
    with audio.AudioClassifier.create_from_options(options) as classifier:
        for window in windows:
            results = classifier.classify(audio_data.create_from_array(window, float(sample_rate)))
            rows.append(results[0].classifications[0].categories)
    return _in_order(rows)


def _in_order(rows):
    """Labels and scores by the index of each category."""
    ordered = [sorted(row, key=lambda category: category.index) for row in rows]
    labels = [category.category_name for category in ordered[0]]
    return labels, [[category.score for category in row] for row in ordered]


def _import_tflite_runtime():
    from tflite_runtime.interpreter import Interpreter

    return Interpreter


def _import_litert():
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter


def _interpreter(interpreter_class, model, windows, _sample_rate):
    """With a plain interpreter; inputs after the first stay zero."""
    interpreter = interpreter_class(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    first, scores = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for window in windows:
        interpreter.set_tensor(first["index"], np.resize(window, first["shape"]).astype(first["dtype"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(scores["index"]))
    return None, rows


def _import_tflite_micro():
    from tflite_micro.python.tflite_micro import runtime

    return runtime


def _tflite_micro(runtime, model, windows, _sample_rate):
    """With the interpreter of TensorFlow Lite Micro."""
    interpreter = runtime.Interpreter.from_file(model, arena_size=ARENA)
    details = interpreter.get_input_details(0)
    rows = []
    for window in windows:
        interpreter.set_input(np.resize(window, details["shape"]).astype(details["dtype"]), 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0))
    return None, rows


LOADERS = {
    "task_library": (_import_task_library, _task_library),
    "mediapipe": (_import_mediapipe, _mediapipe),
    "tflite_runtime": (_import_tflite_runtime, _interpreter),
    "litert": (_import_litert, _interpreter),
    "tflite_micro": (_import_tflite_micro, _tflite_micro),
}


if __name__ == "__main__":
    sys.exit(main())
