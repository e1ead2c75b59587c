"""Starting the server: what it says of itself, what overrides the agent's file, what it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import main
from services.settings import Settings, load_settings
from services.store import prepare
from tests.server import free_port
from tests.simulators.script import ExpectHangUp, parse

ROOT = Path(__file__).parent.parent


def settings(tmp_path: Path, **values: object) -> Settings:
    mock = {"use_mock_streaming": True, "data_dir": tmp_path, "_env_file": None}
    return load_settings(**{**mock, **values})


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a process needs to start the server, and nothing of this machine's settings."""
    names = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    defaults = {
        name.upper(): "" if field.default in (None, ()) else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    defaults["TRUSTED_PROXIES"] = "127.0.0.1"
    return {**inherited, **defaults, "DATA_DIR": str(tmp_path), "USE_MOCK_STREAMING": "true"} | {
        "AGENT_FILE": str(ROOT / "agents/receptionist.toml")
    }


def start(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env={**environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT / "web",  # where there is no .env
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_says_where_it_is_what_runs_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(main.create_app(settings(tmp_path, port=8123))):
        printed = capsys.readouterr().out
    assert "http://localhost:8123/" in printed
    assert "https://YOUR-PUBLIC-HOST/voice-stream" in printed
    assert "mock words (USE_MOCK_STREAMING is set)" in printed
    for name in ("PUBLIC_URL", "TWILIO_AUTH_TOKEN", "CONSOLE_PASSWORD"):
        assert f"- {name}:" in printed


def test_a_server_that_is_set_up_misses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = settings(
        tmp_path,
        public_url="https://agent.example.com",
        twilio_auth_token="secret-token",
        console_password="secret-password",
    )
    with TestClient(main.create_app(complete)):
        printed = capsys.readouterr().out
    assert "https://agent.example.com/voice-stream" in printed
    assert "Missing" not in printed
    assert "secret" not in printed


def test_name_and_greeting_override_the_agents_file(tmp_path: Path) -> None:
    ours = settings(tmp_path, business_name="Bella's Bakery", greeting="Good morning!")
    local = {"base_url": "http://localhost:8000", "client": ("127.0.0.1", 50000)}
    with TestClient(main.create_app(ours), **local) as client:
        info = client.get("/console/info").json()
    assert info["business"] == "Bella's Bakery"
    assert info["greeting"] == "Good morning!"


def test_health_tells_how_many_calls_there_are(tmp_path: Path) -> None:
    with TestClient(main.create_app(settings(tmp_path))) as client:
        assert client.get("/health").json() == {
            "status": "ok",
            "calls": 0,
            "agent_problems": 0,
            "vendor_failures": {},
            "eager_replies": {"begun": 0, "used": 0, "wasted_tokens": 0},
        }


def test_a_full_server_tells_the_caller_so(tmp_path: Path) -> None:
    app: FastAPI = main.create_app(settings(tmp_path, max_calls=1))
    app.state.calls._max_calls = 0
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.post("/voice-stream", data={"CallSid": "CA1", "From": "+1", "To": "+2"})
    assert answer.status_code == 200
    assert "<Say>" in answer.text
    assert "<Stream" not in answer.text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "http", "PORT: Input should be a valid integer"),
        ("AGENT_FILE", "nowhere.toml", "nowhere.toml"),
        ("DATA_DIR", "icon.svg", "DATA_DIR: icon.svg cannot be used"),
        ("DATABASE_URL", "mysql://host/calls", "must begin with postgresql:// or sqlite:///"),
        ("DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/calls", "is it running, and is"),
        ("DATABASE_URL", "postgresql://u:secret@host:port/calls", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "sqlite:///icon.svg/calls.db", "cannot be made or opened"),
        ("DATABASE_URL", "sqlite:///{tmp}/text.db", "file is not a database"),
        ("DATABASE_URL", "sqlite:///{tmp}/newer.db", "start that one, or name another database"),
    ],
)
def test_what_cannot_be_used_is_said_and_ends_the_start(
    name: str, value: str, expected: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "text.db").write_text("no database at all, but a text that is long enough" * 9)
    prepare(f"sqlite:///{tmp_path / 'newer.db'}")
    with closing(sqlite3.connect(tmp_path / "newer.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = 'of the next year'")
        newer.commit()
    value = value.replace("{tmp}", str(tmp_path))
    ended = start({**environment, name: value}, str(ROOT / "main.py"))
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "secret" not in ended.stderr
    assert ended.stderr.startswith("Cannot start:\n")
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_engine_that_is_asked_for_without_its_key_ends_the_start_with_one_sentence(
    environment: dict[str, str],
) -> None:
    ended = start(
        {**environment, "USE_MOCK_STREAMING": "false", "STT": "flux"}, str(ROOT / "main.py")
    )
    assert ended.returncode == 2
    assert ended.stderr == "Cannot start:\nSTT=flux (STT is set) needs DEEPGRAM_API_KEY\n"
    assert ended.stdout == ""


def test_what_went_wrong_with_the_vendors_is_announced_and_the_server_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    embedded = {"use_mock_streaming": False, "stt": "embedded", "tts": "embedded"}
    ours = settings(tmp_path, **embedded, openai_api_key="sk-secret", openai_base_url=nobody)
    with TestClient(main.create_app(ours)) as client:
        printed = capsys.readouterr().out
        assert client.get("/health").json()["status"] == "ok"
    trouble = printed.partition("  Trouble:\n")[2].splitlines()
    assert trouble[0] == f"    - OpenAI ({nobody}) cannot be reached (unreachable)"
    assert trouble[1] == "  Missing for production:"
    assert "gpt-5.4-mini (OPENAI_API_KEY is set); if it fails, a script" in printed
    assert "sk-secret" not in printed


def test_without_trouble_none_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(main.create_app(settings(tmp_path))):
        assert "Trouble" not in capsys.readouterr().out


def test_uvicorn_finds_the_app(environment: dict[str, str]) -> None:
    code = "import uvicorn.importer as i; print(type(i.import_from_string('main:app')).__name__)"
    assert start(environment, "-c", code).stdout.strip() == "FastAPI"


def test_the_module_has_no_other_surprises() -> None:
    with pytest.raises(AttributeError):
        _ = main.nothing


def test_the_openapi_page_is_there(tmp_path: Path) -> None:
    with TestClient(main.create_app(settings(tmp_path))) as client:
        paths = client.get("/openapi.json").json()["paths"]
    assert "/voice-stream" in paths
    assert "/health" in json.dumps(paths)


def test_a_port_in_use_is_said_before_anything_is_announced(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = start({**environment, "PORT": port}, str(ROOT / "main.py"))
    assert ended.returncode != 0
    assert "address already in use" in ended.stderr.lower()
    assert "is answering calls" not in ended.stdout


def test_ctrl_c_ends_the_server_without_a_traceback(environment: dict[str, str]) -> None:
    command = [sys.executable, "main.py"]
    environment["PORT"] = str(free_port())
    with subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "Missing for production" in line:
                break
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "Traceback" not in errors


def test_the_readmes_files_exist_and_its_script_is_one() -> None:
    readme = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", readme):
        assert (ROOT / link).exists() or link.startswith("http"), link
    (script,) = re.findall(r'--script "([^"]+)"', readme)
    assert parse(script)[-1] == ExpectHangUp()
