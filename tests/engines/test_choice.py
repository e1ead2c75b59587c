"""Engines put together: for each set of keys who works, who takes over, and what is said of it."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.audio.models import ModelMissing
from services.call.effects import Purpose
from services.engines import ears, voices
from services.engines.brains import make_brains
from services.engines.choice import WARM_WITHIN_S, Engines
from services.engines.ears import make_ears
from services.engines.mock import DeafTranscriber, MockBrain, ToneVoice
from services.engines.shared import Shared
from services.engines.voices import make_voices
from services.engines.wanted import NotConfigured
from services.llm.faq import AnswersAhead
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, Faq
from services.settings import Settings
from services.stt.flux import FluxTranscriber
from services.vendors import Reports
from tests.engines.chosen import DEEPGRAM, ELEVENLABS, OLLAMA, OPENAI, SPEECH, agent, settings
from tests.server import free_port
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

SILENT = b"\x20" * 800


class FakeHibari:
    """The embedded voice without its model."""

    name = "hibari"

    def __init__(self, workers: object) -> None: ...

    async def render(self, text: str) -> bytes:
        return SILENT


def missing(*given: object) -> Any:
    raise ModelMissing("the model is not installed")


@pytest.fixture(autouse=True)
def _embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both embedded models are there, and cost nothing."""
    monkeypatch.setattr(ears, "Moonshine", lambda folder: object())
    monkeypatch.setattr(voices, "HibariVoice", FakeHibari)


@pytest.fixture
def shared() -> Iterator[Shared]:
    made = Shared(1)
    yield made
    asyncio.run(made.close())


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


def thinking(shared: Shared, chosen: Settings, who: Agent) -> tuple[str, list[str], list[str]]:
    """The brain's report, the models that are asked, and those for plain questions."""
    made = make_brains(chosen, who, shared)
    brain: Any = made.open("+15550001", Reports())
    if isinstance(brain, ScriptedBrain):
        return made.report, [], []
    cheap = brain._cheap if isinstance(brain, AnswersAhead) else None
    main = brain._brain if isinstance(brain, AnswersAhead) else brain
    assert isinstance(main._last_resort, ScriptedBrain)
    links = [link.breaker.name for link in main._links]
    return made.report, links, [link.breaker.name for link in cheap._links] if cheap else []


def speaking(shared: Shared, chosen: Settings, who: Agent) -> tuple[str, list[str]]:
    """The voice's report, and a call's voices, in order."""
    made = make_voices(chosen, who, shared)
    opened: Any = opened_in_a_loop(lambda: made.open(Reports()))
    if hasattr(opened, "_voices"):
        return made.report, [breaker.name for _, breaker in opened._voices]
    return made.report, [opened.name]


def opened_in_a_loop(make: Any) -> Any:
    async def work() -> Any:
        return make()

    return asyncio.run(work())


# --- ears -----------------------------------------------------------------------------------------

NOVA = "Deepgram nova-3 (DEEPGRAM_API_KEY is set); if it fails, Deepgram's files"


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


# --- brain ----------------------------------------------------------------------------------------

OPENAI_URL, OLLAMA_URL = "https://api.openai.com", "http://localhost:11434"
SCRIPT = "a script over the agent's file"


def test_without_a_key_a_script_thinks(shared: Shared) -> None:
    assert thinking(shared, settings(DEEPGRAM), agent()) == (f"{SCRIPT} (no key is set)", [], [])


def test_at_openai_a_second_model_stands_by(shared: Shared) -> None:
    report, links, cheap = thinking(shared, settings(OPENAI), agent())
    assert report == (
        f"gpt-5.4-mini (OPENAI_API_KEY is set); if it fails, gpt-5.6-luna, then {SCRIPT}"
    )
    assert links == [f"{OPENAI_URL} gpt-5.4-mini", f"{OPENAI_URL} gpt-5.6-luna"]
    assert cheap == []


def test_another_server_is_not_asked_for_openais_models(shared: Shared) -> None:
    report, links, _ = thinking(shared, settings(OLLAMA), agent())
    assert report == f"llama3 (OPENAI_API_KEY is set); if it fails, {SCRIPT}"
    assert links == [f"{OLLAMA_URL} llama3"]


def test_the_fallback_model_may_be_elsewhere_and_take_another_key(shared: Shared) -> None:
    chosen = settings(
        OLLAMA,
        openai_fallback_base_url="https://llm.example.com/v1",
        openai_fallback_model="big",
        openai_fallback_api_key="other",
    )
    report, links, _ = thinking(shared, chosen, agent())
    assert report == f"llama3 (OPENAI_API_KEY is set); if it fails, big, then {SCRIPT}"
    assert links == [f"{OLLAMA_URL} llama3", "https://llm.example.com/v1 big"]
    assert shared.clients.openai("other", "https://llm.example.com/v1").api_key == "other"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://llm.example.com/v1", "none"),
        ("https://api.openai.com.example.org", "none"),
        ("https://eu.api.openai.com/v1", "oa-key"),
        ("https://api.openai.com/v2", "oa-key"),
    ],
)
def test_a_key_is_not_sent_to_another_vendor(shared: Shared, url: str, key: str) -> None:
    chosen = settings(OPENAI, openai_fallback_base_url=url, openai_fallback_model="big")
    thinking(shared, chosen, agent())
    keys = {one for one, place in shared.clients._openai if place == url}
    assert keys == {key}


def test_plain_questions_may_go_to_a_cheaper_model_with_the_others_behind_it(
    shared: Shared,
) -> None:
    _, links, cheap = thinking(shared, settings(OPENAI, openai_faq_model="nano"), agent())
    assert cheap == [f"{OPENAI_URL} nano", *links]


def test_an_agents_answers_are_rendered_ahead_if_a_model_thinks_and_it_is_wanted(
    shared: Shared,
) -> None:
    known = Faq(("Do you take cards?",), "Yes, at {business} we do.")
    who = replace(agent(), faq=(known,))
    ahead = make_brains(settings(OPENAI), who, shared).ahead
    assert "Yes, at Bright Smile Dental we do." in ahead
    assert make_brains(settings(OPENAI, faq_ahead=False), who, shared).ahead == ()
    assert make_brains(settings(), who, shared).ahead == ()


# --- voice ----------------------------------------------------------------------------------------

SOCKET = "ElevenLabs eleven_flash_v2_5, one socket a call (ELEVENLABS_API_KEY is set)"
REQUESTS = "ElevenLabs eleven_flash_v2_5, a request a phrase (ELEVENLABS_API_KEY is set)"
SPOKEN_BY_OPENAI = (
    "OpenAI gpt-4o-mini-tts (OPENAI_API_KEY and OPENAI_SPEECH_MODEL are set)",
    ["openai speech"],
)


@pytest.mark.parametrize(
    ("keys", "engines", "report", "chain"),
    [
        ((), {}, "Hibari (embedded, English)", ["hibari"]),
        ((OPENAI,), {}, "Hibari (embedded, English)", ["hibari"]),
        (
            (ELEVENLABS,),
            {},
            f"{SOCKET}; if it fails, Hibari",
            ["elevenlabs socket", "elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS,),
            {"language": "de"},
            f"{SOCKET}; if it fails, Hibari (English)",
            ["elevenlabs socket", "elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS,),
            {"use_persistent_tts": False},
            f"{REQUESTS}; if it fails, Hibari",
            ["elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {},
            f"{SOCKET}; if it fails, OpenAI gpt-4o-mini-tts, then Hibari",
            ["elevenlabs socket", "elevenlabs rest", "openai speech", "hibari"],
        ),
        (
            (OPENAI, SPEECH),
            {},
            f"{SPOKEN_BY_OPENAI[0]}; if it fails, Hibari",
            [*SPOKEN_BY_OPENAI[1], "hibari"],
        ),
        (
            (OPENAI, SPEECH),
            {"language": "de"},
            f"{SPOKEN_BY_OPENAI[0]}; if it fails, Hibari (English)",
            [*SPOKEN_BY_OPENAI[1], "hibari"],
        ),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {"tts": "openai"},
            "OpenAI gpt-4o-mini-tts (the agent's file says so); if it fails, Hibari",
            ["openai speech", "hibari"],
        ),
        ((ELEVENLABS,), {"tts": "embedded"}, "Hibari (embedded, English)", ["hibari"]),
    ],
)
def test_who_speaks_and_who_speaks_then(
    shared: Shared,
    keys: tuple[dict[str, str], ...],
    engines: dict[str, Any],
    report: str,
    chain: list[str],
) -> None:
    assert speaking(shared, settings(*keys), agent(**engines)) == (report, chain)


@pytest.mark.parametrize(
    ("keys", "engines", "name"),
    [
        ((ELEVENLABS,), {}, "elevenlabs eleven_flash_v2_5 EXAVITQu4vr4xnSDxMaL"),
        ((ELEVENLABS,), {"voice": "her"}, "elevenlabs eleven_flash_v2_5 her"),
        ((OPENAI, SPEECH), {}, "openai gpt-4o-mini-tts marin"),
        ((OPENAI, SPEECH), {"voice": "cedar"}, "openai gpt-4o-mini-tts cedar"),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {"voice": "cedar", "tts": "openai"},
            "openai gpt-4o-mini-tts cedar",
        ),
        ((), {"voice": "her"}, "hibari"),
    ],
)
def test_lines_are_rendered_in_the_agents_own_voice(
    shared: Shared, keys: tuple[dict[str, str], ...], engines: dict[str, Any], name: str
) -> None:
    renderer = make_voices(settings(*keys), agent(**engines), shared).renderer
    assert renderer.name.startswith(name)


def test_a_voice_of_elevenlabs_means_nothing_to_openai_behind_it(shared: Shared) -> None:
    made = make_voices(settings(ELEVENLABS, OPENAI, SPEECH), agent(voice="her"), shared)
    chain: Any = opened_in_a_loop(lambda: made.open(Reports()))
    names = [getattr(voice, "name", "") for voice, _ in chain._voices]
    assert "openai gpt-4o-mini-tts marin" in names


def test_without_a_voice_a_tone_says_why(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "HibariVoice", missing)
    made = make_voices(settings(), agent(), shared)
    assert made.report == "a tone instead of a voice (the model is not installed)"
    assert isinstance(made.renderer, ToneVoice)
    report, chain = speaking(shared, settings(ELEVENLABS), agent())
    assert (report, chain) == (SOCKET, ["elevenlabs socket", "elevenlabs rest"])


def test_only_the_last_voice_is_waited_for_patiently(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def patience(*keys: dict[str, str]) -> list[float]:
        made = make_voices(settings(*keys), agent(), shared)
        chain: Any = opened_in_a_loop(lambda: made.open(Reports()))
        by_phrase = [voice._voice for voice, _ in chain._voices if hasattr(voice, "_voice")]
        return [voice._patience.first_audio_s for voice in by_phrase]

    assert patience(ELEVENLABS, OPENAI, SPEECH) == [1.2, 1.5]
    monkeypatch.setattr(voices, "HibariVoice", missing)
    assert patience(ELEVENLABS, OPENAI, SPEECH) == [1.2, 5.0]
    assert patience(ELEVENLABS) == [5.0]


# --- all together ---------------------------------------------------------------------------------

KEYS = [
    tuple(
        key for key, is_there in zip((DEEPGRAM, OPENAI, ELEVENLABS), there, strict=True) if is_there
    )
    for there in itertools.product([False, True], repeat=3)
]


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_for_any_keys_there_is_an_engine_and_its_report_can_be_read(
    tmp_path: Path, keys: tuple[dict[str, str], ...], language: str
) -> None:
    async def work() -> None:
        engines = Engines(settings(*keys, data_dir=tmp_path), agent(language=language))
        assert [part for part, _ in engines.report] == ["Ears", "Brain", "Voice"]
        for _, report in engines.report:
            assert not re.search(r"[{}<>\[\]=]|None|  |-key", report)
            assert report.count("(") == report.count(")")
        for _ in range(3):
            engines.open("+15550001")
        await engines.close()

    run_virtual(work())


def test_the_end_closes_every_client(tmp_path: Path) -> None:
    async def work() -> None:
        chosen = settings(DEEPGRAM, OPENAI, ELEVENLABS, SPEECH, data_dir=tmp_path)
        engines = Engines(chosen, agent())
        shared: Any = engines._shared
        clients = [*shared.clients._openai.values()]
        https = [http for _, http in shared.clients._elevenlabs.values()]
        files = [close.__self__ for close in shared._closing]
        assert clients
        assert https
        assert files
        await engines.close()
        assert all(client.is_closed() for client in clients)
        assert all(http.is_closed for http in [*https, *(file._http for file in files)])
        with pytest.raises(RuntimeError):
            await shared.workers.run(int)

    run_virtual(work())


@pytest.mark.parametrize("part", [{"stt": "deepgram"}, {"llm": "openai"}, {"tts": "elevenlabs"}])
def test_an_engine_that_is_asked_for_without_its_key_is_refused(
    tmp_path: Path, part: dict[str, str]
) -> None:
    with pytest.raises(NotConfigured, match="_API_KEY$"):
        Engines(settings(data_dir=tmp_path, **part), agent())


def test_mock_engines_ask_for_no_key(tmp_path: Path) -> None:
    async def work() -> None:
        chosen = settings(use_mock_streaming=True, stt="deepgram", data_dir=tmp_path)
        engines = Engines(chosen, agent())
        assert all("(USE_MOCK_STREAMING is set)" in report for _, report in engines.report)
        await engines.warm()
        assert engines.problems == ()
        opened: Any = engines.open("+15550001")
        assert isinstance(opened._brain, MockBrain)
        assert opened.filler(1) is not None
        await engines.close()

    run_virtual(work())


# --- warm -----------------------------------------------------------------------------------------


async def warmed(engines: Engines) -> tuple[float, list[str]]:
    """How long it took to warm them, in s of the loop's time, and what went wrong."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await engines.warm()
    return loop.time() - begun, [str(problem) for problem in engines.problems]


def test_vendors_that_are_down_delay_the_start_a_little_and_are_told(tmp_path: Path) -> None:
    async def work() -> None:
        nobody = f"http://127.0.0.1:{free_port()}"
        chosen = settings(
            OPENAI,
            ELEVENLABS,
            data_dir=tmp_path,
            openai_base_url=nobody,
            elevenlabs_base_url=nobody,
        )
        engines = Engines(chosen, agent())
        seconds, problems = await warmed(engines)
        assert seconds <= WARM_WITHIN_S + 0.1
        assert problems == [
            "openai: warm: unreachable",
            "elevenlabs: render: 7 standing lines are not ready yet",
        ]
        opened = engines.open("+15550001")
        filler = opened.filler(1)
        assert filler is not None  # it cannot wait for a vendor
        assert filler.audio == SILENT
        await engines.close()

    run_virtual(work())


def test_vendors_that_keep_us_waiting_do_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            openai.faults.order("models", Fault(Trouble.STALL_FIRST))
            elevenlabs.faults.order("stream", Fault(Trouble.STALL_FIRST))
            engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
            seconds, problems = await warmed(engines)
            assert seconds <= WARM_WITHIN_S + 3.1
            assert len(problems) == 2
            await engines.close()

    run_virtual(work())


def test_vendors_that_work_have_all_lines_ready_and_the_next_start_asks_for_none(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            for rendered in (7, 0):
                elevenlabs.log.clear()
                engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
                _, problems = await warmed(engines)
                assert problems == []
                assert len(elevenlabs.entries("request")) == rendered
                assert all(agent().line(purpose) in engines._lines.audio for purpose in lines())
                await engines.close()
            assert openai.errors == elevenlabs.errors == []

    run_virtual(work())


def test_it_stays_warm_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            openai.faults.order("models", Fault(Trouble.MALFORMED))
            engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
            running = asyncio.create_task(engines.run())
            engines.open("+15550001")
            await asyncio.sleep(200)
            assert not running.done()
            asked = [entry.at for entry in openai.entries("request")]
            assert len(asked) >= 4
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await engines.close()

    run_virtual(work())


def with_vendors(
    folder: Path, openai: OpenAISimulator, elevenlabs: ElevenLabsSimulator
) -> Settings:
    return settings(
        data_dir=folder,
        openai_api_key=openai.key,
        openai_base_url=openai.url,
        elevenlabs_api_key=elevenlabs.key,
        elevenlabs_base_url=elevenlabs.url,
    )


def lines() -> list[Purpose]:
    return [purpose for purpose in Purpose if purpose is not Purpose.ANSWER]
