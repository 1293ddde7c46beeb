"""The generated part of a C front end: settings and tables; what computes with them is the same for every model."""

from __future__ import annotations

import math
from pathlib import Path

from edge_runtime.microcontroller.c_text import array, guarded, real
from edge_runtime.microcontroller.front_end_tables import FrontEndTables, q30, scaled_weights
from metadata.spec import MelFrontEnd, frame_padding

SHARED_SOURCES = ("earproof_front_end.h", "earproof_front_end.c", "earproof_front_end_fixed.c")
_PADDING = {"none": "EP_PAD_NONE", "constant": "EP_PAD_ZEROS", "reflect": "EP_PAD_REFLECT"}
_LOG = {"none": "EP_LOG_NONE", "log10": "EP_LOG10", "ln_plus": "EP_LN_PLUS"}
_MANTISSA_BITS = 32


def shared_sources() -> dict[str, str]:
    """Return the C files that every model shares, by name."""
    folder = Path(__file__).parent / "c"
    return {name: (folder / name).read_text(encoding="utf-8") for name in SHARED_SOURCES}


def front_end_sources(name: str, tables: FrontEndTables) -> dict[str, str]:
    """Return the C files of a model's own front end, by name.

    Parameters
    ----------
    name : str
        What names in C begin with.
    tables : FrontEndTables
    """
    return {
        f"{name}_front_end.h": _header(name, tables),
        f"{name}_front_end.c": _float_source(name, tables),
        f"{name}_front_end_fixed.c": _fixed_source(name, tables),
    }


def _header(name: str, tables: FrontEndTables) -> str:
    """Declarations, and the sizes of what the caller keeps in RAM."""
    big = name.upper()
    front_end = tables.front_end
    lines = [
        '#include "earproof_front_end.h"',
        "",
        f"#define {big}_BANDS {tables.n_bands}",
        f"#define {big}_FRAMES {tables.n_frames}",
        f"#define {big}_INPUT_FLOATS ({big}_BANDS * {big}_FRAMES)",
        f"#define {big}_WORK EP_WORK({front_end.n_fft}) /* elements of ep_work */",
        "",
    ]
    if tables.stream_floats:
        lines += [
            "/* For a stream; another hop between windows needs ep_stream_floats(...) floats. */",
            f"#define {big}_WINDOW_HOP {tables.window_hop} /* samples */",
            f"#define {big}_STREAM_FLOATS {tables.stream_floats}",
            f"#define {big}_RECENT EP_RECENT({front_end.n_fft}, {front_end.hop_length}) /* elements of int16_t */",
            "",
        ]
    return guarded(
        f"{big}_FRONT_END_H",
        [
            *lines,
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            f"extern const ep_front_end {name}_front_end;       /* floating point: {name}_front_end.c */",
            f"extern const ep_front_end {name}_front_end_fixed; /* integers: {name}_front_end_fixed.c */",
            "",
            "#ifdef __cplusplus",
            "}",
            "#endif",
        ],
    )


def _float_source(name: str, tables: FrontEndTables) -> str:
    """Tables and settings for floating point."""
    parts = [array("float", "hann", tables.hann), array("float", "cosines", tables.cosines)]
    fields = {"column": "ep_float_column", "hann": "hann", "cosines": "cosines"}
    if tables.band_first is not None:
        parts.append(array("float", "weights", tables.weights))
        fields["weights"] = "weights"
    return _source(name, f"{name}_front_end", tables, parts, fields)


def _fixed_source(name: str, tables: FrontEndTables) -> str:
    """Tables and settings for integers."""
    parts = [array("int32_t", "hann_q30", q30(tables.hann)), array("int32_t", "cosines_q30", q30(tables.cosines))]
    fields = {"column": "ep_fixed_column", "hann_q30": "hann_q30", "cosines_q30": "cosines_q30"}
    if tables.band_first is not None:
        parts.append(array("uint32_t", "weights_scaled", scaled_weights(tables)))
        parts.append(array("uint8_t", "weight_shift", tables.weight_shift))
        fields |= {"weights_scaled": "weights_scaled", "weight_shift": "weight_shift"}
    return _source(name, f"{name}_front_end_fixed", tables, parts, fields)


def _source(name: str, constant: str, tables: FrontEndTables, parts: list[str], fields: dict[str, str]) -> str:
    """One C file: the tables, and the constant that names them."""
    if tables.band_first is not None and tables.band_bins is not None:
        parts.append(array("uint16_t", "band_first", tables.band_first))
        parts.append(array("uint16_t", "band_bins", tables.band_bins))
        fields |= {"band_first": "band_first", "band_bins": "band_bins"}
    settings = "\n".join(f"    .{key} = {value}," for key, value in (_settings(tables) | fields).items())
    head = f'/* Written by earproof from the spec of the model. */\n#include "{name}_front_end.h"'
    return "\n\n".join([head, *parts, f"const ep_front_end {constant} = {{\n{settings}\n}};\n"])


def _settings(tables: FrontEndTables) -> dict[str, str]:
    """What does not depend on the kind of numbers."""
    front_end, spec = tables.front_end, tables.spec
    before, after = frame_padding(front_end)
    floor = front_end.log_floor if isinstance(front_end, MelFrontEnd) else 1.0
    mantissa, exponent = math.frexp(floor)
    numbers = {
        "sample_rate": spec.sample_rate,
        "window_length": spec.window_length,
        "n_fft": front_end.n_fft,
        "hop_length": front_end.hop_length,
        "win_length": front_end.win_length,
        "pad_before": before,
        "pad_after": after,
        "n_frames": tables.n_frames,
        "n_bands": tables.n_bands,
        "power": int(front_end.power),
    }
    return {key: str(number) for key, number in numbers.items()} | {
        "padding": _PADDING[front_end.pad_mode],
        "log": _LOG[tables.log],
        "log_floor": real(floor),
        "floor_mantissa": f"{min(round(mantissa * 2**_MANTISSA_BITS), 2**_MANTISSA_BITS - 1)}u",
        "floor_exponent": str(exponent - _MANTISSA_BITS),
    }
