"""A model file as today's converters write it, whatever wrote it: what the interpreter accepts and tools trip over.

The format promises less than the tools rely on. The quantizer looks an operator up by `builtin_code` alone, which
TensorFlow 2.3 and older left at 0. It knows a tensor by its name, which need not be there and need not be its own. It
takes a float tensor with a scale for one that is quantized already, and rewrites a buffer in which a tensor of another
type has its values too. So it leaves layers as they are without a word, or spoils the file. Hence every file is made
uniform where it is read; what today's converters write is not changed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from metadata.plural import counted

PLACEHOLDER = 127  # in the deprecated field, for operators with a greater number
_OPERATOR_LISTS = ("inputs", "outputs")


def normalise(content: Any) -> list[str]:
    """Make an object tree uniform, in place.

    Parameters
    ----------
    content : schema.ModelT

    Returns
    -------
    list of str
        What was changed, a sentence each; empty for what today's converters write.

    Notes
    -----
    Afterwards every operator code has its number in `builtin_code`, every tensor of the file a name of its own, no
    float tensor a scale, no two types of tensors one buffer, and no list is missing. A name that was there once stays.
    """
    _fill_lists(content)
    changes = (_with_new_codes, _with_own_names, _without_float_scales, _with_own_buffers)
    return [told for change in changes for told in change(content)]


def builtin_number(code: Any) -> int:
    """Return which operator a code stands for, the schema's number.

    Numbers above 127 do not fit the deprecated field, which then holds a placeholder; older writers filled it alone.
    """
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def _fill_lists(content: Any) -> None:
    """Put an empty list where one is missing."""
    content.operatorCodes = content.operatorCodes or []
    for graph in content.subgraphs:
        for field in ("tensors", "operators", *_OPERATOR_LISTS):
            if getattr(graph, field) is None:
                setattr(graph, field, [])
        for operator in graph.operators:
            for field in _OPERATOR_LISTS:
                if getattr(operator, field) is None:
                    setattr(operator, field, [])


def _with_new_codes(content: Any) -> list[str]:
    """Write every operator's number where it is looked up today."""
    old = [code for code in content.operatorCodes if code.builtinCode < code.deprecatedBuiltinCode < PLACEHOLDER]
    for code in old:
        code.builtinCode = code.deprecatedBuiltinCode
    if not old:
        return []
    return [f"{len(old)} operator codes were stored as TensorFlow 2.3 and older store them; they were written anew"]


def _with_own_names(content: Any) -> list[str]:
    """Give every tensor a name of its own, and say how many had none."""
    tensors = [tensor for graph in content.subgraphs for tensor in graph.tensors]
    stored = [_text(tensor.name) for tensor in tensors]
    count = Counter(stored)
    taken = {name for name in stored if name and count[name] == 1}
    changed = 0
    for place, (tensor, name) in enumerate(zip(tensors, stored, strict=True)):
        if not name or count[name] > 1:
            name = _free(f"{name or 'tensor'}_{place}", taken)
        taken.add(name)
        changed += tensor.name != name.encode()
        tensor.name = name.encode()
    return (
        [f"{changed} of {counted(len(tensors), 'tensor')} had no name of their own; they were given one"]
        if changed
        else []
    )


def _text(name: bytes | str | None) -> str:
    """Return a name as text; bytes that are none are replaced."""
    return name.decode("utf-8", errors="replace") if isinstance(name, bytes) else name or ""


def _free(name: str, taken: set[str]) -> str:
    """Return a name that nobody has."""
    while name in taken:
        name += "_"
    return name


def _without_float_scales(content: Any) -> list[str]:
    """Take scales away from float32 tensors, and empty lists of scales from all."""
    from ai_edge_litert import schema_py_generated as schema

    changed = 0
    for graph in content.subgraphs:
        for tensor in graph.tensors:
            scale = None if tensor.quantization is None else tensor.quantization.scale
            if scale is not None and (len(scale) == 0 or tensor.type == schema.TensorType.FLOAT32):
                changed += 1
                tensor.quantization = None
    return [f"{counted(changed, 'tensor')} had a scale without being quantized; it was left out"] if changed else []


def _with_own_buffers(content: Any) -> list[str]:
    """Give tensors of another type than the first one in a buffer a copy of it."""
    from ai_edge_litert import schema_py_generated as schema

    holder: dict[tuple[int, int], int] = {}  # buffer and type -> the buffer that this type has now
    first: dict[int, int] = {}
    changed = 0
    for tensor in (tensor for graph in content.subgraphs for tensor in graph.tensors):
        data = content.buffers[tensor.buffer].data
        if data is None or not len(data) or first.setdefault(tensor.buffer, tensor.type) == tensor.type:
            continue
        place = (tensor.buffer, tensor.type)
        if place not in holder:
            copy = schema.BufferT()
            copy.data = data
            content.buffers.append(copy)
            holder[place] = len(content.buffers) - 1
        tensor.buffer = holder[place]
        changed += 1
    return (
        [f"{counted(changed, 'tensor')} shared a buffer with one of another type; they were given their own"]
        if changed
        else []
    )
