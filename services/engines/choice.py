"""The engines of this process: made once, opened for each call, kept warm in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from weakref import WeakSet

from services.audio.models import ModelMissing
from services.audio.segmenter import Segmenter
from services.audio.silero import Silero
from services.audio.vad import Vad, make_vad
from services.call.briefing import Briefing
from services.call.effects import Purpose
from services.call.events import VendorEvent, VendorFailed
from services.engines import CallBrief
from services.engines.brains import Brains, make_brains
from services.engines.cascade import CascadeEngine, Lines
from services.engines.cascade import Segmenter as Segments
from services.engines.checks import troubles
from services.engines.completeness import is_dialable
from services.engines.ears import Ears, make_ears
from services.engines.mock import (
    DeafTranscriber,
    MockBrain,
    MockTranscriber,
    NoSegments,
    ToneVoice,
)
from services.engines.shared import Shared
from services.engines.tool_work import ToolWork
from services.engines.voices import Voices, make_voices
from services.engines.wanted import EngineSettings
from services.receptionist.agent import Agent
from services.receptionist.calendar.dates import warm_up
from services.receptionist.tools import Desk
from services.stt import Transcriber
from services.stt.words import FirstWords, Words
from services.tts.line_store import LineStore
from services.vendors import Reports, VendorError

log = logging.getLogger(__name__)

WARM_WITHIN_S = 5.5
"""How long the start waits for the vendors to render the standing lines ..."""
HERE_WITHIN_S = 20.0
"""... and for this machine, which will surely do it."""


class Engines:
    """Opens an engine per call."""

    def __init__(
        self, settings: EngineSettings, agent: Agent, shared: Shared | None = None
    ) -> None:
        """``shared``: with the engines of other agents; whoever made it runs its warmth and closes
        it. Raises NotConfigured if an engine is asked for whose key is not there."""
        self.agent_name = agent.name
        self.briefing = Briefing(agent.engines.language, agent.business.country, is_dialable)
        self._settings = settings
        self._shared = shared or Shared(settings.speech_workers)
        self._own = None if shared else self._shared
        self._opened: WeakSet[CascadeEngine] = WeakSet()
        self._vad, vad_report = _vad(settings, self._shared)
        if settings.use_mock_streaming:
            self._ears, self._brains, self._voices = _mock()
        else:
            self._ears = make_ears(settings, agent, self._shared)
            self._brains = make_brains(settings, agent, self._shared)
            self._voices = make_voices(settings, agent, self._shared)
        self.report: tuple[tuple[str, str], ...] = (
            ("Ears", f"{vad_report}; {self._ears.report}"),
            ("Brain", self._brains.report),
            ("Voice", self._voices.report),
        )
        """Part -> what runs and why, for people."""
        self._lines = _lines(agent)
        reports = self._shared.reports()
        reports.attach(self._line_failed)
        self._line_trouble = ""
        folder, renderer = settings.data_dir / "voices", self._voices.renderer
        self._store = LineStore(folder, renderer, reports, self._voices.breaker)
        self._ahead = self._lines.texts + self._lines.parts(agent.goodbye, *self._brains.ahead)
        self._checks = (*self._ears.checks, *self._brains.checks, *self._voices.checks)
        self.lines_tried = asyncio.Event()
        """Set when the standing lines are there, or did not come in time."""
        self.problems: tuple[str, ...] = ()
        """What went wrong at the start, and how to mend it, for people."""

    @property
    def failures(self) -> Mapping[tuple[str, str], int]:
        """(vendor, code) -> how often it has failed in any call."""
        return self._shared.failures

    async def warm(self) -> None:
        """Have ready what the first call would wait for: lines, models, connections; and find out
        what will not work. What a vendor does not give in time is left to :meth:`run`; nothing is
        raised for it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._render_here(), name="lines of this machine")
            tasks.create_task(asyncio.to_thread(warm_up, self.briefing.language), name="dates")
            tasks.create_task(self._fill_at_first(), name="first lines")
            trying = tasks.create_task(troubles(self._checks, WARM_WITHIN_S), name="checks")
        problems, texts = trying.result(), self._lines.texts
        if missing := sum(text not in self._lines.audio for text in texts):
            problems.append(
                f"{missing} of {len(texts)} standing lines are not rendered yet"
                f"{self._line_trouble}; until they are, they come late or in another voice"
            )
        self.problems = tuple(problems)
        for problem in problems:
            log.warning("%s", problem)

    def _line_failed(self, event: VendorEvent) -> None:
        if isinstance(event, VendorFailed):
            self._line_trouble = f" ({event.vendor}: {event.code})"

    async def _fill_at_first(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(WARM_WITHIN_S if self._voices.breaker else HERE_WITHIN_S):
                await self._store.fill(self._lines.texts, self._lines.audio)
        self.lines_tried.set()

    async def _render_here(self) -> None:
        """The lines in this machine's voice: for good, or for when the vendor's fails."""
        if spare := self._voices.spare:
            with suppress(VendorError):
                for text in self._lines.texts:
                    self._lines.spare[text] = await spare.render(text)
        if isinstance(self._voices.renderer, ToneVoice):
            for text in self._lines.texts:
                self._lines.audio[text] = await self._voices.renderer.render(text)

    async def run(self) -> None:
        """Keep everything warm until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            places = self._shared.rendering(self._voices.renderer.name)
            ahead = self._store.fill(self._ahead, self._lines.audio, places)
            tasks.create_task(ahead, name="lines")
            if self._own:
                tasks.create_task(self._own.warmth.run(), name="warmth")

    def open(self, brief: CallBrief, desk: Desk) -> CascadeEngine:
        """The engine of one call, whose tools are performed by its desk."""
        settings, reports = self._settings, self._shared.reports()
        segmenter = Segmenter(self._vad(), settings.vad_start_ms, settings.vad_silence_ms)
        return self._open(brief, desk, reports, segmenter, self._ears.open(reports))

    def open_recorded(self, brief: CallBrief, desk: Desk) -> tuple[CascadeEngine, Words]:
        """The engine of a call that is recorded turn by turn, which hears nothing itself, and what
        finds the words in recordings."""
        reports = self._shared.reports()
        engine = self._open(brief, desk, reports, NoSegments(), DeafTranscriber())
        return engine, self._ears.words(reports)

    def _open(
        self,
        brief: CallBrief,
        desk: Desk,
        reports: Reports,
        segmenter: Segments,
        transcriber: Transcriber,
    ) -> CascadeEngine:
        work = ToolWork(desk)
        self._shared.warmth.want()
        engine = CascadeEngine(
            segmenter,
            transcriber,
            self._brains.open(brief, work, reports),
            self._voices.open(reports),
            replace(self._lines_now(), errand=brief.purpose),
            reports,
            self._shared.warmth.want,
            work,
        )
        self._opened.add(engine)
        return engine

    @property
    def in_use(self) -> bool:
        """Whether an engine that was opened here is still held by somebody."""
        return len(self._opened) > 0

    def _lines_now(self) -> Lines:
        """A voice that has not even rendered the greeting yet has failed since the start: a caller
        need not wait until it fails again."""
        lines = self._lines
        if all(part in lines.audio for part in lines.parts(lines.by_purpose[Purpose.GREETING])):
            return lines
        return replace(lines, audio={**lines.spare, **lines.audio})

    async def close(self) -> None:
        """Close connections; with its own share, all of them, and stop the worker threads."""
        for close in self._ears.closing:
            await close()
        if self._own:
            await self._own.close()


def _lines(agent: Agent) -> Lines:
    spoken = (purpose for purpose in Purpose if purpose is not Purpose.ANSWER)
    by_purpose: dict[Purpose, str] = {purpose: agent.line(purpose) for purpose in spoken}
    return Lines(by_purpose, agent.filler, uninterruptible=agent.uninterruptible)


def _mock() -> tuple[Ears, Brains, Voices]:
    why, tone = "USE_MOCK_STREAMING is set", ToneVoice()
    return (
        Ears(
            lambda reports: MockTranscriber(),
            lambda reports: FirstWords([], reports),
            f"mock words ({why})",
        ),
        Brains(lambda brief, work, reports: MockBrain(), f"mock ({why})"),
        Voices(lambda reports: tone, tone, None, f"a tone ({why})"),
    )


def _vad(settings: EngineSettings, shared: Shared) -> tuple[Callable[[], Vad], str]:
    try:
        silero = shared.once("silero", Silero)
    except ModelMissing as error:
        return lambda: make_vad(None), f"WebRTC VAD alone ({error})"
    return lambda: make_vad(silero, settings.vad_mode), "WebRTC VAD confirmed by Silero"
