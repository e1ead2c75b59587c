"""The office: every part of the server but its doors, put together once.

What is made here is shared by all calls. Nothing in it needs a running event loop until ``open``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryFile

from services.call.effects import Turn
from services.calls import Calls
from services.carriers.twilio_rest import TwilioError, TwilioRest
from services.desks import Desks
from services.engines.wanted import thinks
from services.fleet import Fleet
from services.journal import JournalWriter
from services.live import LiveCalls
from services.receptionist.agent import Agent
from services.receptionist.agents import Agents
from services.recorded import SERVER_STOPS
from services.recorded_calls import RecordedCalls
from services.recorded_opening import RecordedOpening
from services.recording import TapeWriter
from services.records.figures import Figures
from services.records.pulse import Pulse
from services.records.records import Records
from services.records.retention import Files, Retention
from services.records.summary import SummaryWriter, summary_writer
from services.settings import Settings, SettingsError
from services.store import Store, utc_now
from services.switchboard.board import Switchboard
from services.switchboard.call_book import CallBook
from services.switchboard.call_orders import CallOrders
from services.switchboard.outbound import Outbound
from services.switchboard.progress import Progress
from services.switchboard.texts import CarrierTexts
from services.switchboard.tokens import Tokens

_A_LOOK_S = 1.5
"""How long one attempt to fetch a recording may take; there are several."""


class Office:
    """All parts. Open it before the first call, run it meanwhile, close it after the last."""

    def __init__(self, settings: Settings) -> None:
        """Raises AgentFileError, NotConfigured and SettingsError."""
        self._settings = settings
        self._store: Store | None = None
        self.agents = Agents(
            settings.agent_file or settings.agents_dir,
            greeting=settings.greeting,
            business_name=settings.business_name,
            owner_phone=settings.owner_phone,
        )
        self.fleet = Fleet(settings, self.agents)
        self.live, self.tokens = LiveCalls(), Tokens()
        _make_data_dir(settings.data_dir)
        self.files = Files(settings.data_dir)
        self._journals = JournalWriter(self.files.journals)
        self._tapes = TapeWriter(self.files.recordings)
        self._summaries: SummaryWriter | None = None
        self.figures = Figures()
        self.records = Records(
            lambda: self.store().calls, settings, self.figures, writer=self._summary_writer
        )
        self.pulse = Pulse(lambda: self.calls.in_progress, self.figures)
        self._retention = Retention(self.store, self.files, settings.retention_days)
        self.twilio = _twilio(settings)
        self._open_lines(CallBook(self.store))

    def _open_lines(self, book: CallBook) -> None:
        """What a call goes through."""
        settings, fleet, twilio = self._settings, self.fleet, self.twilio
        book.ended = self.records.over
        self.switchboard = Switchboard(book, fleet, self.tokens, utc_now)
        desks = Desks(self.store, self.switchboard, self._texts)
        self.calls = Calls(
            fleet,
            desks,
            self.switchboard,
            self.records,
            settings.timings,
            self.live,
            self._journals,
            self._tapes,
            max_calls=settings.max_calls,
        )
        opening = RecordedOpening(fleet, desks, self.records, settings.timings, self._journals)
        self.recorded = RecordedCalls(opening)
        self.outbound = Outbound(
            self.store,
            fleet,
            self.tokens,
            self.live,
            utc_now,
            rest=twilio,
            public_url=settings.public_url,
            twilio_number=settings.twilio_number,
        )
        self.progress = Progress(book, self.live, utc_now, self.recorded.leave)
        self.orders = CallOrders(
            book, fleet, self.switchboard, self.live, twilio, settings.public_url
        )
        self.calls.others = lambda: len(self.recorded)
        self.switchboard.full = self.outbound.full = lambda: self.calls.full
        self.switchboard.turns_of = self._turns
        self.orders.recorded_over = self.recorded.end
        self.switchboard.outbound_began = self.outbound.stream_began

    # --- its life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the database, have engines ready. Raises StoreError."""
        self._store = await Store.open(self._settings.store_url)
        await self._store.close_crashed()
        await self.fleet.warm()

    async def run(self) -> None:
        """Until cancelled."""
        parts = (self.fleet, self.records, self.pulse, self._retention)
        async with asyncio.TaskGroup() as tasks:
            for part in parts:
                tasks.create_task(part.run(), name=type(part).__name__.lower())

    async def close(self) -> None:
        """The calls are over: write what is left, close what is open."""
        await self.recorded.close(SERVER_STOPS)
        await self.switchboard.close()
        await self.progress.close()
        await self.records.close()
        if self._summaries:
            await self._summaries.close()
        if self.twilio:
            await self.twilio.close()
        await self.fleet.close()
        await self.store().close()
        self._tapes.close()
        self._journals.close()

    # --- for its parts ----------------------------------------------------------------------------

    def store(self) -> Store:
        """The database; there is one from ``open`` on."""
        assert self._store is not None, "the office is not open"
        return self._store

    async def download(self, url: str) -> bytes | None:
        """A recording that Twilio made; None if it is not there yet. Raises OSError."""
        if self.twilio is None:
            raise FileNotFoundError("set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
        try:
            return await self.twilio.fetch_recording(url, _A_LOOK_S)
        except TwilioError as error:
            if error.is_refusal and error.status not in (404, 429):
                raise FileNotFoundError(str(error)) from None
            return None

    def state(self, call_id: str) -> tuple[str, str] | None:
        """What caller and agent are doing in a call that goes on, however it is held."""
        return self.live.state(call_id) or self.recorded.state(call_id)

    def _turns(self, call_id: str) -> tuple[Turn, ...]:
        """What was said so far in a call, however it is held."""
        return self.live.turns(call_id) or self.recorded.turns(call_id)

    def _texts(self, agent: Agent) -> CarrierTexts:
        return CarrierTexts.of(agent, self.store().texts, self.twilio, self._settings.twilio_number)

    def _summary_writer(self, agent_id: str) -> SummaryWriter | None:
        """The language model that summarises an agent's calls; None: rules do."""
        settings, choice = self._settings, self.fleet.agent(agent_id).engines
        if settings.use_mock_streaming or thinks(settings, choice)[0] != "openai":
            return None
        if self._summaries is None:
            self._summaries = summary_writer(settings)
        return self._summaries


def _twilio(settings: Settings) -> TwilioRest | None:
    """Twilio's REST interface; None without an account."""
    account, token = settings.twilio_account_sid, settings.twilio_auth_token
    return TwilioRest(account, token, settings.twilio_base_url) if account and token else None


def _make_data_dir(folder: Path) -> None:
    """Raises SettingsError if nothing can be kept there: better now than in the first call."""
    try:
        for part in (folder / "calls", folder / "recordings"):
            part.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=part):
                pass
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {folder} cannot be used: {error.strerror}") from None
