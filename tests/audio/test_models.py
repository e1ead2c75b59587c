"""A model that is missing or is another one is refused in plain words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.audio.models import ModelMissing, packaged_file, verified


def test_a_file_of_an_installed_package_is_found() -> None:
    assert packaged_file("pytest", "__init__.py").is_file()


@pytest.mark.parametrize(("package", "name"), [("no_such_package", "x"), ("pytest", "no_such")])
def test_what_is_not_installed_is_named(package: str, name: str) -> None:
    with pytest.raises(ModelMissing, match=package):
        packaged_file(package, name)


def test_only_the_known_file_passes(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(ModelMissing, match="model.onnx"):
        verified(path, "0" * 64)
    path.write_bytes(b"weights")
    assert verified(path, hashlib.sha256(b"weights").hexdigest()) == path
    with pytest.raises(ModelMissing, match="not the file"):
        verified(path, "0" * 64)
