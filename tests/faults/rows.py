"""All rows of the fault table."""

from __future__ import annotations

from tests.faults import llm_rows, stt_rows, tts_rows

ROWS = (*stt_rows.ROWS, *llm_rows.ROWS, *tts_rows.ROWS)
