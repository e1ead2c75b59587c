"""Weights are found in an ONNX file wherever they are nested; a damaged file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from services.audio.models import ModelMissing
from services.audio.onnx_weights import constants

EDGES = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32)
BIAS = np.array(0.5, dtype=np.float32)


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def constant(name: str, values: np.ndarray) -> bytes:
    """A node of a graph: Constant, with a tensor for its ``value``."""
    dims = b"".join(number(1, size) for size in values.shape)
    tensor = dims + number(2, 1) + block(9, values.tobytes())
    return block(1, block(2, name.encode()) + block(5, block(1, b"value") + block(5, tensor)))


def branch(*nodes: bytes) -> bytes:
    """A node of a graph: If, with these nodes in one branch and a number beside it."""
    other = varint(2 << 3 | 5) + bytes(4)  # of fixed size
    return block(1, block(5, other + block(6, b"".join(nodes))) + block(4, b"If"))


MODEL = number(1, 8) + block(7, constant("bias", BIAS) + branch(branch(constant("edges", EDGES))))


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


def test_constants_are_found_by_name_in_any_branch(tmp_path: Path) -> None:
    edges, bias = constants(written(tmp_path, MODEL), ["edges", "bias"])
    assert np.array_equal(edges, EDGES)
    assert edges.dtype == np.float32
    assert bias == BIAS
    assert bias.shape == ()


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    for size in range(len(MODEL)):
        with pytest.raises(ModelMissing, match=r"model\.onnx is damaged"):
            constants(written(tmp_path, MODEL[:size]), ["edges", "bias"])


def test_nothing_but_model_missing_comes_of_a_changed_byte(tmp_path: Path) -> None:
    refused = 0
    for at in range(len(MODEL)):
        changed = bytearray(MODEL)
        changed[at] ^= 0xFF
        try:
            (edges,) = constants(written(tmp_path, bytes(changed)), ["edges"])
        except ModelMissing:
            refused += 1
        else:
            assert edges.size == EDGES.size
    assert refused > 50


def test_a_constant_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="corners"):
        constants(written(tmp_path, MODEL), ["corners"])


def test_numbers_of_another_size_are_refused(tmp_path: Path) -> None:
    data = block(7, constant("edges", EDGES.astype(np.float64)))
    with pytest.raises(ModelMissing, match="damaged or another model"):
        constants(written(tmp_path, data), ["edges"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"model\.onnx"):
        constants(tmp_path / "model.onnx", ["edges"])
