"""The files over which the linter is held against the loaders: good ones, and one for each thing that can be wrong.

    python tests/loader_matrix.py FOLDER

writes them all. Every file is a tiny classifier of one second at 16 kHz, unless its name says otherwise.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from foreign_files import LABELS, audio_of, output_of, with_metadata
from hand_made import altered
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

from metadata import FrameScores, MelFrontEnd, pack_model, strip_metadata
from metadata.tflite_file.associated_files import append_files, find_archive

RATE, WINDOW = 16_000, 16_000
NUM_LABELS = 3
Change = Callable[[Any], Any]


class Case(NamedTuple):
    """A file, and what `lint --fix` makes of it.

    Attributes
    ----------
    content : bytes
    fix : str
        `none`: nothing is wrong, or nothing can be mended; `mended`: both Android loaders take what is written.
    options : tuple of str
        What the user says to `lint --fix`.
    """

    content: bytes
    fix: str = "none"
    options: tuple[str, ...] = ()


def make_cases() -> dict[str, Case]:
    """Return every file by name."""
    return {**_good(), **_described_wrongly(), **_shaped_otherwise(), **_computed_otherwise(), **_damaged()}


def labels_file(folder: Path) -> Path:
    """Write the label file that a user gives, and return its path."""
    path = folder / "labels.txt"
    path.write_bytes(LABELS)
    return path


def _good() -> dict[str, Case]:
    """Files that we write."""
    spec, plain = _spec(), tiny_classifier(WINDOW)
    detector = _spec(activation="sigmoid", frames=FrameScores(64, 250))
    many = tuple(f"label {number}" for number in range(521))
    mel = tiny_classifier(input_shape=(1, 128, 63, 1))
    files = {
        "softmax": pack_model(plain, spec),
        "sigmoid": pack_model(tiny_classifier(WINDOW, activation="sigmoid"), _spec(activation="sigmoid")),
        "float16_weights": pack_model(half_weights(plain), spec),
        "frame_scores": pack_model(_detector(), detector),
        "frame_scores_first": pack_model(_detector(frames_first=True), detector),
        "rate_44100": pack_model(tiny_classifier(4_410), _spec(window_length=4_410, sample_rate=44_100)),
        "many_labels": pack_model(tiny_classifier(WINDOW, len(many)), _spec(labels=many)),
        "labels_in_unicode": pack_model(tiny_classifier(WINDOW, 2), _spec(labels=("Vögel", "雨"))),
        "int8_inside": pack_model(integer(plain, outside="float32"), _spec(recipe="int8")),
        "int8_weights": pack_model(eight_bit_weights(plain), spec),
        "rank_1": pack_model(tiny_classifier(input_shape=(WINDOW,)), spec),
        "theirs": described(),
    }
    outside = _spec(window_length=32_000, front_end=MelFrontEnd(inside_model=False))
    return {name: Case(content) for name, content in files.items()} | {
        "spectrogram": Case(pack_model(mel, outside)),
        "int8_io": Case(pack_model(integer(plain), _spec(recipe="int8_io"))),
    }


def _described_wrongly() -> dict[str, Case]:
    """The network is good; what is said about it is not."""
    plain = tiny_classifier(WINDOW)
    said = ("--labels", "labels.txt", "--sample-rate", str(RATE))
    labels = said[:2]
    cases = {
        "no_metadata": Case(plain, "mended", said),
        "no_audio_properties": Case(described(_content("FeatureProperties")), "mended", said[2:]),
        "image_properties": Case(described(_content("ImageProperties")), "mended", said[2:]),
        "no_content": Case(described(lambda values: _input(values).pop("content")), "mended", said[2:]),
        "no_input_described": Case(described(lambda values: _graph(values).update(input_tensor_metadata=[]))),
        "two_inputs_described": Case(described(lambda values: _graph(values)["input_tensor_metadata"].append({}))),
        "two_outputs_described": Case(described(lambda values: _graph(values)["output_tensor_metadata"].append({}))),
        "no_output_described": Case(described(lambda values: _graph(values).pop("output_tensor_metadata")), "", labels),
        "no_subgraph_described": Case(described(lambda values: values.pop("subgraph_metadata")), "mended", said),
        "two_subgraphs_described": Case(described(lambda values: values["subgraph_metadata"].append({}))),
        "rate_0": Case(described(_audio(sample_rate=0)), "mended", said[2:]),
        "channels_2": Case(described(_audio(channels=2))),
        "channels_0": Case(described(_audio(channels=0)), "mended"),
        "no_rate": Case(described(lambda values: audio_of(values)["content_properties"].pop("sample_rate")), "", said),
        "no_stats": Case(described(lambda values: output_of(values).pop("stats", None))),
        "too_few_labels": Case(_with_labels(b"silence\nsong\n"), "mended", labels),
        "too_many_labels": Case(_with_labels(LABELS + b"more\n"), "mended", labels),
        "no_label_file_named": Case(described(lambda values: output_of(values).pop("associated_files")), "", labels),
        "labels_cr_lf": Case(_with_labels(LABELS.replace(b"\n", b"\r\n")), "mended"),
        "labels_with_mark": Case(_with_labels(b"\xef\xbb\xbf" + LABELS), "mended"),
        "labels_in_utf_16": Case(_with_labels(LABELS.decode().encode("utf-16")), "mended"),
        "labels_with_blank_line": Case(_with_labels(b"silence\n\nspeech\n"), "mended"),
        "display_names_too_few": Case(_with_display_names(b"Ruhe\nGesang\n"), "mended"),
        "display_names_cr_lf": Case(_with_display_names(b"Ruhe\r\nGesang\r\nSprache\r\n"), "mended"),
        "labels_twice": Case(_with_labels(b"song\nsong\nspeech\n"), "mended", labels),
        "labels_empty": Case(_with_labels(b""), "mended", labels),
        "labels_without_last_line_end": Case(_with_labels(LABELS[:-1])),
        "labels_with_blank_end": Case(_with_labels(LABELS + b"\n"), "mended"),
        "labels_with_blank_ends": Case(_with_labels(LABELS + b"\n\n"), "mended"),
        "labels_with_spaces": Case(_with_labels(b" silence\nsong \nspeech\n"), "mended"),
        "labels_cr": Case(_with_labels(LABELS.replace(b"\n", b"\r")), "mended"),
        "labels_of_blanks": Case(_with_labels(b"\n\n\n"), "mended", labels),
        "labels_deflated": Case(_deflated()),
        "label_file_of_another_name": Case(described(files={"other.txt": LABELS}), "mended"),
        "zip_dropped": Case(described(files={}), "mended", labels),
        "zip_truncated": Case(described()[:-10], "mended", labels),
        "zip_cut_short": Case(described()[:-80], "mended", labels),
        "zip_behind_a_gap": Case(_moved_zip()),
        "parser_9_0_0": Case(_parser("9.0.0"), "mended"),
        "parser_1_5_0": Case(_parser("1.5.0")),
        "parser_1_4_1": Case(_parser("1.4.1")),
        "parser_1_6_0": Case(_parser("1.6.0"), "mended"),
        "parser_no_number": Case(_parser("next")),
        "parser_missing": Case(described(lambda values: values.pop("min_parser_version"))),
        "metadata_identifier": Case(described().replace(b"M001", b"M002"), "mended", said),
        "metadata_is_noise": Case(_noisy(), "mended", said),
        "threshold_of_3": Case(described(_thresholded(3.0))),
        "calibration_missing": Case(described(_calibrated())),
        "calibration": Case(
            described(_calibrated(), {"labels.txt": LABELS, "calibration.txt": b"1,1,0\n1,1,0\n1,1,0"})
        ),
        "calibration_with_line_end": Case(
            described(_calibrated(), {"labels.txt": LABELS, "calibration.txt": b"1,1,0\n" * 3})
        ),
        "calibration_short": Case(described(_calibrated(), {"labels.txt": LABELS, "calibration.txt": b"1,1,0\n"})),
        "normalization": Case(described(_normalized)),
    }
    return {name: case._replace(fix="mended") if case.fix == "" else case for name, case in cases.items()}


def _shaped_otherwise() -> dict[str, Case]:
    """Inputs and outputs of other shapes and types than loaders take."""
    shapes: dict[str, Sequence[int]] = {
        "rank_3": (1, WINDOW, 1),
        "rank_3_in_front": (1, 1, WINDOW),
        "rank_4": (1, 1, WINDOW, 1),
        "two_windows": (2, WINDOW),
        "samples_first": (WINDOW, 1),
        "two_channels": (1, WINDOW, 2),
    }
    mended = ("rank_3", "rank_3_in_front", "rank_4")
    cases = {
        name: Case(described(model=tiny_classifier(input_shape=shape)), "mended" if name in mended else "none")
        for name, shape in shapes.items()
    }
    stereo = described(_audio(channels=2), model=tiny_classifier(input_shape=(1, 2 * WINDOW)))
    return cases | {
        "two_channels_in_a_row": Case(stereo),
        "float16_input": Case(_changed(_converted_input(schema.TensorType.FLOAT16))),
        "float64_input": Case(_changed(_converted_input(schema.TensorType.FLOAT64))),
        "int8_input": Case(described(model=integer(tiny_classifier(WINDOW)))),
        "uint8_input": Case(described(model=integer(tiny_classifier(WINDOW), dtype="uint8"))),
        "int8_output": Case(described(model=integer(tiny_classifier(WINDOW), outside="int8_output"))),
        "uint8_output": Case(described(model=integer(tiny_classifier(WINDOW), "uint8", "int8_output"))),
        "two_inputs": Case(_changed(_second_input)),
        "two_inputs_both_described": Case(_changed(_second_input, _both_inputs)),
        "two_outputs": Case(_changed(_second_output)),
        "signature_of_other_outputs": Case(_changed(lambda content: _emptied(content.signatureDefs[0]))),
        "no_output": Case(_changed(lambda content: setattr(content.subgraphs[0], "outputs", _places([])))),
        "output_of_rank_1": Case(_changed(_shaped_output((3,)))),
        "output_of_rank_3": Case(_changed(_shaped_output((1, 1, 3)))),
        "open_batch": Case(_changed(_opened((-1, WINDOW))), "mended"),
        "open_length": Case(_changed(_opened((1, -1), (1, 1)))),
        "open_length_with_a_size": Case(_changed(_opened((1, -1)))),
    }


def _computed_otherwise() -> dict[str, Case]:
    """Operators that a loader lacks."""
    newest = schema.BuiltinOperator.STABLEHLO_LOGISTIC
    return {
        "flex_operator": Case(_changed(_custom(b"FlexErf"))),
        "custom_operator": Case(_changed(_custom(b"MyOwn"))),
        "operator_version_99": Case(_changed(_versioned("FULLY_CONNECTED", 99))),
        "operator_version_13": Case(_changed(_versioned("FULLY_CONNECTED", 13))),
        "operator_version_12": Case(_changed(_versioned("FULLY_CONNECTED", 12))),
        "operator_newer": Case(_changed(_renumbered(newest))),
        "operator_unknown": Case(_changed(_renumbered(2000))),
        "operator_gelu": Case(_changed(_elementwise("GELU"))),
        "operator_erf_like": Case(_changed(_elementwise("SIGN"))),
        "operator_relu_0_to_1": Case(_changed(_elementwise("RELU_0_TO_1"))),
        "operator_sin": Case(_changed(_elementwise("SIN"))),
        "operator_without_micro_kernel": Case(_changed(_elementwise("LOG_SOFTMAX"))),
    }


def _damaged() -> dict[str, Case]:
    """Files that are no models, or broken ones."""
    plain = described()
    return {
        "identifier_TFL2": Case(plain.replace(b"TFL3", b"TFL2")),
        "schema_version_4": Case(_changed(lambda content: setattr(content, "version", 4))),
        "half_a_model": Case(strip_metadata(plain)[: len(strip_metadata(plain)) // 2]),
        "empty": Case(b""),
        "text": Case(b"version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 311341\n"),
        "onnx": Case(b"\x08\x08\x12\x07pytorch\x1a\x05" + bytes(400)),
        "zeroed_end": Case(plain[:-1000] + bytes(1000), "none"),
    }


def half_weights(model: bytes) -> bytes:
    """The model with float16 weights behind DEQUANTIZE, as converters write them."""

    def change(content: Any) -> None:
        graph = content.subgraphs[0]
        for place in _weights(content):
            tensor = graph.tensors[place]
            values = np.frombuffer(bytes(content.buffers[tensor.buffer].data), np.float32)
            content.buffers[tensor.buffer].data = np.frombuffer(values.astype(np.float16).tobytes(), np.uint8)
            tensor.type = schema.TensorType.FLOAT16
            _converted(content, place, "DEQUANTIZE", schema.TensorType.FLOAT32)

    return altered(model, change)


def eight_bit_weights(model: bytes) -> bytes:
    """The model with int8 weights in the dense layers, computed in float (dynamic range)."""

    def change(content: Any) -> None:
        _quantize_weights(content)
        _set_version(content, "FULLY_CONNECTED", 3)

    return altered(model, change)


def integer(model: bytes, dtype: str = "int8", outside: str = "") -> bytes:
    """The model in 8-bit integers; `outside` float32 keeps both ends in float, int8_output the input alone."""
    shift = 128 if dtype == "uint8" else 0
    kind = schema.TensorType.UINT8 if dtype == "uint8" else schema.TensorType.INT8
    ranges = {"audio": (1 / 128, 0), "blocks": (1 / 128, 0), "features": (0.05, -128), "pooled": (0.05, -128)}
    ranges |= {"logits": (0.1, 0), "scores": (1 / 256, -128)}

    def change(content: Any) -> None:
        graph = content.subgraphs[0]
        _quantize_weights(content, dtype)
        for tensor in graph.tensors:
            name = tensor.name.decode()
            if name in ranges:
                scale, zero = ranges[name]
                tensor.type, tensor.quantization = kind, _quantization(scale, zero + shift)
        for layer, source in (("features", "blocks"), ("logits", "pooled")):
            _quantize_bias(content, layer, ranges[source][0])
        _set_version(content, "FULLY_CONNECTED", 4 if dtype == "int8" else 1)
        _set_version(content, "MEAN", 2 if dtype == "int8" else 1)
        _set_version(content, "SOFTMAX", 2 if dtype == "int8" else 1)
        if outside:
            _float_input(content)
        if outside == "float32":
            (last,) = graph.outputs
            graph.outputs = _places([_converted(content, int(last), "DEQUANTIZE", schema.TensorType.FLOAT32)])
        content.signatureDefs = None

    return altered(model, change)


def _spec(**changes: object) -> Any:
    """Our spec of a second at 16 kHz."""
    return tiny_spec(**{"window_length": WINDOW, **changes})


def _detector(frames_first: bool = False) -> bytes:
    """A second with 64 frames of 250 samples."""
    return tiny_detector(WINDOW, frames_first=frames_first)


def described(change: Change | None = None, files: dict[str, bytes] | None = None, model: bytes | None = None) -> bytes:
    """A model as another tool describes it."""

    def all_changes(values: dict[str, Any]) -> None:
        audio_of(values)["content_properties"]["sample_rate"] = RATE
        output_of(values)["content"] = {"content_properties_type": "FeatureProperties", "content_properties": {}}
        if change:
            change(values)

    return with_metadata(tiny_classifier(WINDOW) if model is None else model, all_changes, files)


def _changed(change: Change, describe: Change | None = None) -> bytes:
    """A model whose network was changed, as another tool describes it."""
    return described(describe, model=altered(tiny_classifier(WINDOW), change))


def _with_labels(content: bytes) -> bytes:
    return described(files={"labels.txt": content})


def _with_display_names(content: bytes) -> bytes:
    named = {"name": "labels_de.txt", "type": "TENSOR_AXIS_LABELS", "locale": "de"}
    files = {"labels.txt": LABELS, "labels_de.txt": content}
    return described(lambda values: output_of(values)["associated_files"].append(named), files)


def _graph(values: dict[str, Any]) -> dict[str, Any]:
    return values["subgraph_metadata"][0]


def _input(values: dict[str, Any]) -> dict[str, Any]:
    return _graph(values)["input_tensor_metadata"][0]


def _content(kind: str) -> Change:
    content = {"content_properties_type": kind, "content_properties": {}}
    return lambda values: _input(values).update(content=content)


def _audio(**properties: int) -> Change:
    return lambda values: audio_of(values)["content_properties"].update(properties)


def _parser(version: str) -> bytes:
    return described(lambda values: values.update(min_parser_version=version))


def _both_inputs(values: dict[str, Any]) -> None:
    _graph(values)["input_tensor_metadata"] *= 2


def _thresholded(threshold: float) -> Change:
    unit = {"options_type": "ScoreThresholdingOptions", "options": {"global_score_threshold": threshold}}
    return lambda values: output_of(values).update(process_units=[unit])


def _calibrated() -> Change:
    def change(values: dict[str, Any]) -> None:
        options = {"score_transformation": "IDENTITY", "default_score": 0.0}
        output_of(values)["process_units"] = [{"options_type": "ScoreCalibrationOptions", "options": options}]
        named = {"name": "calibration.txt", "type": "TENSOR_AXIS_SCORE_CALIBRATION"}
        output_of(values)["associated_files"].append(named)

    return change


def _normalized(values: dict[str, Any]) -> None:
    options = {"mean": [0.5], "std": [2.0]}
    _input(values)["process_units"] = [{"options_type": "NormalizationOptions", "options": options}]


def _without_zip(model: bytes) -> bytes:
    return model[: find_archive(model)]


def _deflated() -> bytes:
    """The label file packed by deflate, as zip tools do by default."""
    alone = _without_zip(described())
    stream = io.BytesIO()
    stream.write(alone)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt"), LABELS * 20, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _moved_zip() -> bytes:
    """A ZIP whose offsets count from its own beginning, as one that was made apart and appended."""
    alone = _without_zip(described())
    return alone + append_files(b"", {"labels.txt": LABELS})


def _noisy() -> bytes:
    """A metadata buffer that is no FlatBuffer."""
    content = described()
    place = content.index(b"M001")
    return content[: place + 4] + b"\xff" * 60 + content[place + 64 :]


def _places(numbers: Sequence[int]) -> np.ndarray:
    return np.array(numbers, np.int32)


def _weights(content: Any) -> list[int]:
    """The tensors that hold weights and biases."""
    names = [tensor.name.decode() for tensor in content.subgraphs[0].tensors]
    return [place for place, name in enumerate(names) if name.endswith(("/weights", "/bias"))]


def _quantization(scale: float, zero: int) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = np.array([scale], np.float32), np.array([zero], np.int64)
    return quantization


def _quantize_weights(content: Any, dtype: str = "int8") -> None:
    graph, shift = content.subgraphs[0], 128 if dtype == "uint8" else 0
    for place in _weights(content):
        tensor = graph.tensors[place]
        if not tensor.name.endswith(b"/weights"):
            continue
        values = np.frombuffer(bytes(content.buffers[tensor.buffer].data), np.float32)
        scale = float(np.abs(values).max() / 127)
        stored = (np.round(values / scale) + shift).astype(dtype)
        content.buffers[tensor.buffer].data = np.frombuffer(stored.tobytes(), np.uint8)
        tensor.type = schema.TensorType.UINT8 if dtype == "uint8" else schema.TensorType.INT8
        tensor.quantization = _quantization(scale, shift)


def _quantize_bias(content: Any, layer: str, source_scale: float) -> None:
    tensors = {tensor.name.decode(): tensor for tensor in content.subgraphs[0].tensors}
    bias, weights = tensors[f"{layer}/bias"], tensors[f"{layer}/weights"]
    scale = source_scale * float(weights.quantization.scale[0])
    values = np.frombuffer(bytes(content.buffers[bias.buffer].data), np.float32)
    content.buffers[bias.buffer].data = np.frombuffer(np.round(values / scale).astype(np.int32).tobytes(), np.uint8)
    bias.type, bias.quantization = schema.TensorType.INT32, _quantization(scale, 0)


def _code(content: Any, name: str, custom: bytes | None = None) -> int:
    """Add an operator code and return its place."""
    entry = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, name)
    entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = number, min(number, 127), 1
    entry.customCode = custom
    content.operatorCodes.append(entry)
    return len(content.operatorCodes) - 1


def _add_tensor(content: Any, name: bytes, shape: Sequence[int], kind: int) -> int:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, _places(shape), kind, 0
    content.subgraphs[0].tensors.append(tensor)
    return len(content.subgraphs[0].tensors) - 1


def _operator(content: Any, code: int, sources: Sequence[int], target: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, _places(sources), _places([target])
    return operator


def _converted(content: Any, place: int, name: str, kind: int) -> int:
    """Put an operator behind a tensor: of a constant its readers read what comes out; return the new tensor."""
    graph = content.subgraphs[0]
    tensor = graph.tensors[place]
    made = _add_tensor(content, tensor.name + b"/converted", tensor.shape, kind)
    is_constant = content.buffers[tensor.buffer].data is not None
    for operator in graph.operators if is_constant else ():
        operator.inputs = _places([made if source == place else source for source in operator.inputs])
    added = _operator(content, _code(content, name), [place], made)
    graph.operators.insert(0 if is_constant else len(graph.operators), added)
    return made


def _float_input(content: Any) -> None:
    """Put QUANTIZE before an integer input."""
    graph = content.subgraphs[0]
    (place,) = graph.inputs
    made = _add_tensor(content, b"float_audio", graph.tensors[place].shape, schema.TensorType.FLOAT32)
    graph.operators.insert(0, _operator(content, _code(content, "QUANTIZE"), [made], int(place)))
    graph.inputs = _places([made])


def _converted_input(kind: int) -> Change:
    """An input of another type that is made float32."""

    def change(content: Any) -> None:
        graph = content.subgraphs[0]
        (place,) = graph.inputs
        made = _add_tensor(content, b"other", graph.tensors[place].shape, kind)
        operator = _operator(content, _code(content, "CAST"), [made], int(place))
        operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.CastOptions, schema.CastOptionsT()
        operator.builtinOptions.inDataType = kind
        graph.operators.insert(0, operator)
        graph.inputs, content.signatureDefs = _places([made]), None

    return change


def _second_input(content: Any) -> None:
    graph = content.subgraphs[0]
    graph.inputs = _places([*graph.inputs, _add_tensor(content, b"other", (1, WINDOW), schema.TensorType.FLOAT32)])
    content.signatureDefs = None


def _second_output(content: Any) -> None:
    graph = content.subgraphs[0]
    names = [tensor.name for tensor in graph.tensors]
    graph.outputs = _places([*graph.outputs, names.index(b"logits")])
    content.signatureDefs = None


def _emptied(signature: Any) -> None:
    signature.outputs = []


def _shaped_output(shape: Sequence[int]) -> Change:
    """RESHAPE behind the scores."""

    def change(content: Any) -> None:
        graph = content.subgraphs[0]
        wanted = _add_tensor(content, b"wanted", (len(shape),), schema.TensorType.INT32)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(_places(shape).tobytes(), np.uint8)
        content.buffers.append(buffer)
        graph.tensors[wanted].buffer = len(content.buffers) - 1
        made = _add_tensor(content, b"shaped", shape, schema.TensorType.FLOAT32)
        graph.operators.append(_operator(content, _code(content, "RESHAPE"), [int(graph.outputs[0]), wanted], made))
        graph.outputs, content.signatureDefs = _places([made]), None

    return change


def _opened(signature: Sequence[int], shape: Sequence[int] | None = None) -> Change:
    def change(content: Any) -> None:
        tensor = content.subgraphs[0].tensors[content.subgraphs[0].inputs[0]]
        tensor.shapeSignature = _places(signature)
        if shape is not None:
            tensor.shape = _places(shape)

    return change


def _custom(name: bytes) -> Change:
    """A custom operator behind the scores."""

    def change(content: Any) -> None:
        graph = content.subgraphs[0]
        made = _add_tensor(content, b"custom", (1, NUM_LABELS), schema.TensorType.FLOAT32)
        graph.operators.append(_operator(content, _code(content, "CUSTOM", name), [int(graph.outputs[0])], made))
        graph.outputs, content.signatureDefs = _places([made]), None

    return change


def _elementwise(name: str) -> Change:
    """A built-in operator of one input behind the scores."""
    return lambda content: add_operator(content, name, 1, runs=True)


def add_operator(content: Any, name: str, version: int, *, runs: bool) -> None:
    """Add the code of a built-in operator; with `runs` it takes the scores and gives others."""
    code = _code(content, name)
    content.operatorCodes[code].version = version
    if runs:
        graph = content.subgraphs[0]
        made = _add_tensor(content, name.encode(), (1, NUM_LABELS), schema.TensorType.FLOAT32)
        graph.operators.append(_operator(content, code, [int(graph.outputs[0])], made))
        graph.outputs, content.signatureDefs = _places([made]), None


def _set_version(content: Any, name: str, version: int) -> None:
    for code in content.operatorCodes:
        if code.builtinCode == getattr(schema.BuiltinOperator, name):
            code.version = version


def _versioned(name: str, version: int) -> Change:
    return lambda content: _set_version(content, name, version)


def _renumbered(number: int) -> Change:
    def change(content: Any) -> None:
        content.operatorCodes[-1].builtinCode, content.operatorCodes[-1].deprecatedBuiltinCode = number, 127

    return change


def write_cases(folder: Path) -> dict[str, Case]:
    """Write every file as NAME.tflite, and return them."""
    cases = make_cases()
    for name, case in cases.items():
        (folder / f"{name}.tflite").write_bytes(case.content)
    return cases


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    print(len(write_cases(target)), "files")
