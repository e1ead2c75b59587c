"""Who hears with which keys, who hears then, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from services.engines import ears
from services.engines.ears import make_ears
from services.engines.mock import DeafTranscriber
from services.engines.shared import Shared
from services.receptionist.agent import Agent
from services.settings import Settings
from services.stt.flux import FluxTranscriber
from services.vendors import Reports
from tests.engines.chosen import (
    DEEPGRAM,
    OLLAMA,
    OPENAI,
    agent,
    missing,
    opened_in_a_loop,
    settings,
)

NOVA = "Deepgram nova-3 (DEEPGRAM_API_KEY is set); if it fails, Deepgram's files"


def hearing(shared: Shared, chosen: Settings, who: Agent) -> tuple[str, list[str]]:
    """The ears' report, and the ways to words of a call, in order."""
    made = make_ears(chosen, who, shared)
    opened: Any = opened_in_a_loop(lambda: made.open(Reports()))
    if hasattr(opened, "_live"):
        live = "flux" if isinstance(opened._live, FluxTranscriber) else "deepgram"
        return made.report, [live, *(way.breaker.name for way in opened._rescue._ways)]
    words = getattr(opened, "_recogniser", None)
    if hasattr(words, "_ways"):
        return made.report, [way.breaker.name for way in words._ways]
    return made.report, [getattr(words, "name", "nobody")]


@pytest.mark.parametrize(
    ("keys", "engines", "report", "ways"),
    [
        ((), {}, "Moonshine tiny (embedded, English)", ["moonshine"]),
        ((), {"language": "de"}, "Moonshine tiny (embedded, English)", ["moonshine"]),
        ((OLLAMA,), {}, "Moonshine tiny (embedded, English)", ["moonshine"]),
        (
            (DEEPGRAM,),
            {},
            f"{NOVA}, then Moonshine",
            ["deepgram", "deepgram file", "moonshine"],
        ),
        (
            (DEEPGRAM, OPENAI),
            {"language": "multi"},
            f"{NOVA}, then OpenAI, then Moonshine",
            ["deepgram", "deepgram file", "openai transcription", "moonshine"],
        ),
        (
            (DEEPGRAM, OPENAI),
            {"language": "de"},
            f"{NOVA}, then OpenAI",
            ["deepgram", "deepgram file", "openai transcription"],
        ),
        ((DEEPGRAM,), {"language": "de-CH"}, NOVA, ["deepgram", "deepgram file"]),
        (
            (DEEPGRAM, OLLAMA),
            {"language": "en-GB"},
            f"{NOVA}, then Moonshine",
            ["deepgram", "deepgram file", "moonshine"],
        ),
        (
            (DEEPGRAM,),
            {"stt": "flux"},
            "Deepgram flux-general-en (the agent's file says so); if it fails, Deepgram's files, "
            "then Moonshine",
            ["flux", "deepgram file", "moonshine"],
        ),
        (
            (DEEPGRAM,),
            {"stt": "flux", "language": "de"},
            "Deepgram flux-general-multi (the agent's file says so); if it fails, Deepgram's files",
            ["flux", "deepgram file"],
        ),
        (
            (OPENAI,),
            {},
            "OpenAI gpt-transcribe (OPENAI_API_KEY is set); if it fails, Moonshine",
            ["openai transcription", "moonshine"],
        ),
        (
            (OPENAI,),
            {"language": "de"},
            "OpenAI gpt-transcribe (OPENAI_API_KEY is set)",
            ["openai transcription"],
        ),
    ],
)
def test_who_hears_and_who_hears_then(
    shared: Shared,
    keys: tuple[dict[str, str], ...],
    engines: dict[str, Any],
    report: str,
    ways: list[str],
) -> None:
    assert hearing(shared, settings(*keys), agent(**engines)) == (report, ways)


def test_without_a_recogniser_only_typing_works(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "Moonshine", missing)
    made = make_ears(settings(), agent(), shared)
    assert made.report == "no recogniser, only typing works (the model is not installed)"
    assert isinstance(made.open(Reports()), DeafTranscriber)
    report, ways = hearing(shared, settings(DEEPGRAM), agent())
    assert (report, ways) == (NOVA, ["deepgram", "deepgram file"])


@pytest.mark.parametrize("stt", ["deepgram", "flux"])
@pytest.mark.parametrize("url", ["https://api.deepgram.com", "http://127.0.0.1:1"])
def test_all_sockets_share_one_tls_context_where_there_is_tls(
    shared: Shared, stt: str, url: str
) -> None:
    made = make_ears(settings(DEEPGRAM, deepgram_base_url=url), agent(stt=stt), shared)
    calls: list[Any] = [opened_in_a_loop(lambda: made.open(Reports())) for _ in range(2)]
    used = {call._live._line._options.tls for call in calls}
    assert used == {shared.tls if url.startswith("https") else None}
