"""README and docs name only what there is: files, places, modules, settings, keys, addresses."""

from __future__ import annotations

import re
import shlex
import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

import main
from services.receptionist.agent import parse_agent
from services.settings import Settings
from tests.simulators.carrier.__main__ import _parser, telephone
from tests.simulators.script import ExpectHangUp, parse_arguments

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_OURS = {"KEY", "PYTHON"}
"""Variables of the shell and of make."""

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks(document: Path, language: str) -> list[str]:
    """The code blocks in one language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text_of(document), re.M | re.S)


def commands(document: Path) -> list[str]:
    """The lines of the shell, with those put together that a backslash continues."""
    script = "\n".join(blocks(document, "sh"))
    return [line.strip() for line in re.sub(r"\\\n", " ", script).splitlines() if line.strip()]


def anchors(document: Path) -> set[str]:
    """What a link can point to in it: its headings, as they are spelt in addresses."""
    titles = re.findall(r"^#+ (.+)$", text_of(document), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text_of(document)):
        if link.startswith("http"):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_each_document_can_be_found_from_the_readme() -> None:
    readme = text_of(DOCUMENTS[0])
    assert [path.name for path in DOCUMENTS[1:] if f"docs/{path.name}" not in readme] == []


@each_document
def test_the_modules_and_files_of_commands_exist(document: Path) -> None:
    for command in commands(document):
        for name in re.findall(r"python -m (\S+)", command):
            assert find_spec(name), command
        for file in re.findall(r"\S+\.(?:txt|toml|py)\b", command):
            assert (ROOT / file).exists(), command


@each_document
def test_the_settings_of_commands_exist(document: Path) -> None:
    ours = {name.upper() for name in Settings.model_fields}
    for command in commands(document):
        named = re.findall(r"(?:^|\s)([A-Z][A-Z_]+)=", command)
        assert set(named) <= ours | NOT_OURS, command


@each_document
def test_parts_of_agent_files_are_understood(document: Path) -> None:
    for block in blocks(document, "toml"):
        agent = parse_agent({"name": "Ava", "business": {"name": "Us"}, **tomllib.loads(block)})
        assert agent.services or agent.people


@cache
def routes() -> tuple[re.Pattern[str], ...]:
    """The addresses that the server answers."""
    settings = Settings(_env_file=None, use_mock_streaming=True, agents_dir=ROOT / "agents")  # type: ignore[call-arg]
    app = main.create_app(settings)
    paths = [str(route.path) for route in iter_route_contexts(app.routes)]
    plain = [re.sub(r"\\\{\w+(?::path)?\\\}", "[^/?]+", re.escape(path)) for path in paths]
    return tuple(re.compile(path) for path in plain)


@each_document
def test_the_addresses_are_the_servers(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = re.findall(r"`(?:GET|POST|PATCH|DELETE) (/[^\s`]*)`", text_of(document))
    named += re.findall(r"localhost:8000(/[^\s\"'>`]*)", text_of(document))
    named += re.findall(r"(?:HOST|abc\.ngrok\.app)(/[a-z][^\s\"'<>`]*)", text_of(document))
    for address in named:
        path = address.partition("?")[0].replace("CA...", "CA1")
        assert any(route.fullmatch(path) for route in routes()), address


def test_the_phone_in_the_box_is_given_what_it_understands() -> None:
    lines = [line for line in commands(DOCUMENTS[0]) if "simulators.carrier" in line]
    assert len(lines) == 2
    people = set(re.findall(r'number = "(\+\d+)"', text_of(ROOT / "agents/receptionist.toml")))
    for line in lines:
        options = _parser().parse_args(shlex.split(line)[3:])
        rings = [telephone(each)[0] for each in options.telephone]
        if options.actions:
            assert parse_arguments(options.actions)[-1] == ExpectHangUp()
            assert set(rings) <= people
        else:
            assert rings
