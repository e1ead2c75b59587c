"""A request whose client hangs up is cancelled at once, so that its simulator can write it down."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from tests.simulators.vendors.base import Simulator


def notice_hangups(simulator: Simulator) -> None:
    """From now on a handler is cancelled when its connection is lost. Call it once it runs."""
    runner = simulator._runner
    assert runner is not None
    assert runner.server is not None
    runner.server.handler_cancellation = True


async def until_hangup() -> NoReturn:
    """Do nothing; ends with the handler being cancelled."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError
