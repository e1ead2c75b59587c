"""Weights out of an ONNX file, without a runtime for it.

A network that we compute ourselves needs only the numbers in its file. ONNX is protobuf: this reads
its wire format (protobuf.dev, "Encoding") and the few fields on the way to a tensor (onnx.proto of
the ONNX project).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.audio.models import ModelMissing

Weights = NDArray[np.float32]

_MODEL_GRAPH, _GRAPH_NODE = 7, 1
_NODE_OUTPUT, _NODE_ATTRIBUTE = 2, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 6
_TENSOR_DIMS, _TENSOR_RAW_DATA = 1, 9
_VARINT, _BYTES = 0, 2  # wire types
_FIXED_SIZES = {1: 8, 5: 4}  # the other wire types -> bytes


def constants(path: Path, names: Iterable[str]) -> list[Weights]:
    """The float tensors that the Constant nodes with these outputs hold, in nested graphs too.

    They are read-only. Raises ModelMissing if the file is damaged or has no such constants.
    """
    try:
        (graph,) = _message(memoryview(path.read_bytes()))[_MODEL_GRAPH]
        tensors = dict(_tensors(graph))
        return [_weights(tensors[name]) for name in names]
    except OSError as error:
        raise ModelMissing(f"{path.name}: {error.strerror}") from error
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ModelMissing(f"{path.name} is damaged or another model: {error}") from error


def _tensors(graph: memoryview) -> Iterator[tuple[str, memoryview]]:
    for node in map(_message, _message(graph)[_GRAPH_NODE]):
        for attribute in map(_message, node[_NODE_ATTRIBUTE]):
            for tensor in attribute[_ATTRIBUTE_TENSOR]:
                yield str(node[_NODE_OUTPUT][0], "utf-8"), tensor
            for inner in attribute[_ATTRIBUTE_GRAPH]:
                yield from _tensors(inner)


def _weights(tensor: memoryview) -> Weights:
    fields = _message(tensor)
    (raw,) = fields[_TENSOR_RAW_DATA]  # little-endian
    return np.frombuffer(raw, dtype="<f4").reshape(fields[_TENSOR_DIMS])


def _message(data: memoryview) -> defaultdict[int, list[Any]]:
    """The values of a message's fields by number: numbers of varints, bytes of all else."""
    fields: defaultdict[int, list[Any]] = defaultdict(list)
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at)
            fields[number].append(value)
            continue
        size, at = _varint(data, at) if wire_type == _BYTES else (_FIXED_SIZES[wire_type], at)
        fields[number].append(data[at : at + size])
        at += size
    if at > len(data):
        raise ValueError("it ends too early")
    return fields


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, seven bits a byte, lowest first; and where it ends."""
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1
