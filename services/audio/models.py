"""Model files that packages carry: finding them, checking them, opening them for one thread."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class ModelMissing(RuntimeError):
    """A model or what runs it is not installed, or is not the file we know. The text says which."""


def packaged_file(package: str, name: str) -> Path:
    """The file ``name`` inside an installed package, which is not imported for it.

    Raises ModelMissing.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path
    raise ModelMissing(f"{package} is not installed, or without {name}")


def verified(path: Path, sha256: str) -> Path:
    """``path``, if the file has this SHA-256 (hexadecimal). Raises ModelMissing."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelMissing(f"{path.name}: {error.strerror}") from error
    if found != sha256:
        raise ModelMissing(f"{path.name} is not the file that was tested (SHA-256 {found})")
    return path


def open_session(path: Path) -> Any:
    """An onnxruntime session that computes in the calling thread and never spins.

    ``run`` gives up the interpreter lock and may be called from several threads at once. Raises
    ModelMissing.
    """
    try:
        import onnxruntime  # not on every machine: a server with cloud voices runs without
    except ImportError as error:
        raise ModelMissing("onnxruntime is not installed") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
