"""A model as a C array, with its labels, thresholds and settings, and the operators to register for it."""

from __future__ import annotations

from edge_runtime.microcontroller.c_text import array, guarded, string, wrapped
from metadata.microcontroller.arena_plan import ArenaPlan
from metadata.spec import ModelSpec
from metadata.tflite_file.model_content import ModelContent, TensorInfo

_ALIGNED = """/* TensorFlow Lite Micro reads the model where it lies, so it lies at a multiple of 16. */
#if defined(__cplusplus)
#define {big}_ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define {big}_ALIGNED _Alignas(16)
#else
#define {big}_ALIGNED __attribute__((aligned(16)))
#endif"""


def model_sources(
    name: str, model: ModelContent, spec: ModelSpec, arena: ArenaPlan, methods: list[str]
) -> dict[str, str]:
    """Return the C files of a model, by name.

    Parameters
    ----------
    name : str
        What names in C begin with.
    model : ModelContent
    spec : ModelSpec
    arena : ArenaPlan
    methods : list of str
        Of `MicroMutableOpResolver`, as `resolver_methods` gives them.
    """
    return {
        f"{name}_model.h": _header(name, model, spec, arena),
        f"{name}_model.c": _source(name, model, spec),
        f"{name}_resolver.h": _resolver(name, methods),
    }


def model_bytes(model: ModelContent) -> bytes:
    """Return the file without the ZIP behind it, which holds labels and spec and which no interpreter reads."""
    return model.model[: model.end]


def _header(name: str, model: ModelContent, spec: ModelSpec, arena: ArenaPlan) -> str:
    """Declarations and constants."""
    big = name.upper()
    numbers = {
        "SAMPLE_RATE": (spec.sample_rate, "Hz"),
        "WINDOW_LENGTH": (spec.window_length, "samples of one window"),
        "NUM_LABELS": (len(spec.labels), ""),
        "IS_SIGMOID": (int(spec.activation == "sigmoid"), "1: every label whose score reaches its threshold"),
        "ARENA_BYTES": (arena.total, "of the tensor arena, for reference kernels; a vendor's may need more"),
    }
    lines = [f"#define {big}_{key} {value}{f' /* {note} */' if note else ''}" for key, (value, note) in numbers.items()]
    for side, tensors in (("INPUT", model.tensors.inputs[:1]), ("OUTPUT", model.tensors.outputs[:1])):
        lines += [line for tensor in tensors for line in _tensor_lines(f"{big}_{side}", tensor)]
    return guarded(
        f"{big}_MODEL_H",
        [
            *lines,
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            f"extern const unsigned char {name}_model[]; /* aligned to 16 bytes */",
            f"extern const unsigned int {name}_model_length;",
            f"extern const char *const {name}_labels[{big}_NUM_LABELS]; /* UTF-8, in the order of the scores */",
            f"extern const float {name}_thresholds[{big}_NUM_LABELS];   /* scores from which a label counts */",
            "",
            "#ifdef __cplusplus",
            "}",
            "#endif",
        ],
    )


def _tensor_lines(prefix: str, tensor: TensorInfo) -> list[str]:
    """Size of a tensor, and of one of integers scale and zero point."""
    lines = [f"#define {prefix}_SIZE {tensor.size} /* {tensor.dtype} */"]
    if len(tensor.scales) == 1:
        lines.append(f"#define {prefix}_SCALE {tensor.scales[0]!r}f")
        lines.append(f"#define {prefix}_ZERO_POINT ({(tensor.zero_points or (0,))[0]})")
    return lines


def _source(name: str, model: ModelContent, spec: ModelSpec) -> str:
    """The bytes of the model, labels and thresholds."""
    content = model_bytes(model)
    rows = "\n".join(wrapped(str(byte) for byte in content))
    labels = "\n".join(f"    {string(label)}," for label in spec.labels)
    return "\n".join(
        [
            f'#include "{name}_model.h"',
            "",
            _ALIGNED.replace("{big}", name.upper()),
            "",
            f"{name.upper()}_ALIGNED const unsigned char {name}_model[{len(content)}] = {{\n{rows}\n}};",
            f"const unsigned int {name}_model_length = {len(content)};",
            "",
            f"const char *const {name}_labels[{len(spec.labels)}] = {{\n{labels}\n}};",
            "",
            array("float", f"{name}_thresholds", spec.thresholds, is_static=False),
            "",
        ]
    )


def _resolver(name: str, methods: list[str]) -> str:
    """The operators that the model uses, and no others: each costs flash."""
    return guarded(
        f"{name.upper()}_RESOLVER_H",
        [
            '#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"',
            "",
            f"using {name}_resolver = tflite::MicroMutableOpResolver<{len(methods)}>;",
            "",
            f"inline TfLiteStatus {name}_register({name}_resolver& resolver) {{",
            *(f"  TF_LITE_ENSURE_STATUS(resolver.{method}());" for method in methods),
            "  return kTfLiteOk;",
            "}",
        ],
    )
