"""Settings, .env.example and the README say the same; bad values are refused in plain words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from services.call.timings import Timings
from services.settings import Settings, SettingsError, load_settings

ROOT = Path(__file__).parent.parent
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def _env_example() -> dict[str, tuple[str, str]]:
    """Setting -> (its explanation, its value), as .env.example has them."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        if match := re.fullmatch(r"#([A-Z_]+)=(.*)", line):
            found[match[1]] = (" ".join(comment), match[2])
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:])
        else:
            comment = []
    return found


def test_env_example_lists_each_setting_once_and_no_other() -> None:
    assert sorted(_env_example()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_env_example_explains_the_setting_in_its_own_words(name: str) -> None:
    field = Settings.model_fields[name.lower()]
    assert _env_example()[name][0] == field.description


@pytest.mark.parametrize("name", [name for name in NAMES if name != "PUBLIC_URL"])
def test_env_example_shows_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    default = getattr(Settings(), name.lower())
    monkeypatch.setenv(name, _env_example()[name][1])
    assert getattr(Settings(), name.lower()) == default
    assert Settings.model_fields[name.lower()].default is not PydanticUndefined


def test_the_readme_names_every_setting_and_no_unknown_one() -> None:
    table = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(NAMES)


def test_an_env_file_counts_and_the_environment_counts_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nBUSINESS_NAME=From the file\nGREETING=\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.business_name, settings.greeting) == (9001, "From the file", "")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "http", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535"),
        ("PUBLIC_URL", "agent.example.com", "PUBLIC_URL: Value error, must begin with https://"),
        ("TRUSTED_PROXIES", "localhost", "TRUSTED_PROXIES: Value error"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: Value error, must be DEBUG, INFO"),
        ("OPENAI_BASE_URL", "localhost:11434", "OPENAI_BASE_URL: Value error, must be like https:"),
        ("DEEPGRAM_BASE_URL", "wss://x", "DEEPGRAM_BASE_URL: Value error, must be like https://"),
        ("STT", "whisper", "STT: Input should be '', 'deepgram', 'flux', 'openai' or 'embedded'"),
        ("VAD_MODE", "4", "VAD_MODE: Input should be less than or equal to 3"),
        ("EAGER_REPLIES", "6", "EAGER_REPLIES: Input should be less than or equal to 5"),
    ],
)
def test_a_bad_value_is_named_and_explained(
    name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="^" + re.escape(expected)):
        load_settings()


def test_values_are_brought_into_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", " https://agent.example.com/ ")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings = load_settings()
    assert settings.public_url == "https://agent.example.com"
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.log_level == "DEBUG"


def test_secrets_stay_out_of_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "very-secret")
    monkeypatch.setenv("CONSOLE_PASSWORD", "very-secret")
    for vendor in ("DEEPGRAM", "OPENAI", "OPENAI_FALLBACK", "ELEVENLABS"):
        monkeypatch.setenv(f"{vendor}_API_KEY", "very-secret")
    assert "very-secret" not in repr(load_settings())


KEYS = ["DEEPGRAM_API_KEY", "OPENAI_API_KEY", "OPENAI_FALLBACK_API_KEY", "ELEVENLABS_API_KEY"]


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_taken_without_the_blanks_around_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, " \tsk-abc_1.2~3\r\n\u00a0")
    assert getattr(load_settings(), name.lower()) == "sk-abc_1.2~3"


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(
    "key", ["sk\u2013secret", "sk-\u200bsecret", "sk-\u00e9secret", "sk\nsecret"]
)
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(
    name: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, key)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name}: Value error, holds a character that no key has")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", ["none", "NONE"])
def test_no_fallback_model_is_a_choice_too(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_FALLBACK_MODEL", value)
    assert load_settings().openai_fallback_model == ""


def test_the_core_gets_its_timings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURN_SILENCE_MS", "700")
    monkeypatch.setenv("MAX_CONVO_SECS", "60")
    monkeypatch.setenv("IDLE_SECS", "5")
    monkeypatch.setenv("EAGER_REPLIES", "0")
    timings = load_settings().timings
    assert (timings.turn_silence_ms, timings.max_call_s, timings.idle_ms) == (700, 60, 5000)
    assert timings.eager_replies == 0


def test_the_defaults_of_the_settings_and_of_the_core_are_the_same() -> None:
    assert load_settings().timings == Timings()
