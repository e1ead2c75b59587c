"""The folder, its list and its README agree."""

from __future__ import annotations

import re

from tests.speech import FOLDER, TEXTS, prompt


def test_every_file_has_its_text_and_every_text_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.wav")} == TEXTS.keys()
    assert all(len(prompt(name)) > 8000 for name in TEXTS)


def test_the_readme_lists_them_with_licence_and_speaker() -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    assert (
        dict(re.findall(r"^\| ([\w-]+) \| (.*) \|$", readme, re.MULTILINE))
        == {"file": "what is said"} | TEXTS
    )
    assert "Attribution-ShareAlike 3.0" in readme
    assert "Allison Smith" in readme
