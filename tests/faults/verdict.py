"""What a call of the fault table must have been like, and who it was that answered in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from services.call import events as on
from services.call.effects import Purpose, Speaker
from services.tts.speakable import speakable
from tests.faults.call import Report
from tests.faults.caller import letters
from tests.faults.stand_ins import ANSWERS, script
from tests.faults.world import World

WITHIN_MS = 3000
FILLER = "One moment, please."
_LINES = {
    Purpose.APOLOGY: "Sorry, something went wrong on my side. Could you say that again?",
    Purpose.REPAIR: "Sorry, I didn't catch that. Could you say it again?",
}


def problems(report: Report, *, all_right: bool) -> Iterator[str]:
    """What was wrong with the call itself. ``all_right``: every turn must have got its answer, not
    only a line."""
    if report.greeted_ms is None or report.greeted_ms > WITHIN_MS:
        yield f"greeted after {report.greeted_ms} ms"
    for number, turn in enumerate(report.turns, 1):
        if turn.wait_ms is None:
            yield f"turn {number}: nothing was heard"
        elif turn.wait_ms > WITHIN_MS:
            yield f"turn {number}: {turn.wait_ms:.0f} ms of silence"
    if report.hung_up:
        yield f"we hung up: {report.hung_up}"
    if not _is_as_in_the_history(report):
        yield f"heard {report.read!r}, but the history is {_agent(report)}"
    yield from _said_twice(report)
    yield from _answers(report, all_right=all_right)


def _agent(report: Report) -> list[str]:
    return [turn.text for turn in report.history if turn.speaker is Speaker.AGENT]


def _is_as_in_the_history(report: Report) -> bool:
    """Whether what was heard is what stands in the history, letter for letter, but for fillers."""
    said = "".join(letters(speakable(text)) for text in _agent(report))
    return report.read.replace(letters(speakable(FILLER)), "") == said


def _said_twice(report: Report) -> Iterator[str]:
    """Sentences that an answer has more than once."""
    for text in _agent(report):
        sentences = Counter(re.findall(r"[^.!?]+", text))
        yield from (f"said twice: {one.strip()!r}" for one, n in sentences.items() if n > 1)


def said_twice(report: Report) -> bool:
    return not _is_as_in_the_history(report) or any(_said_twice(report))


def _answers(report: Report, *, all_right: bool) -> Iterator[str]:
    """Each turn of the caller stands in the history once, and has its answer or a line."""
    asked = [turn.text for turn in report.turns]
    history = report.history
    heard = [turn.text for turn in history if turn.speaker is Speaker.CALLER]
    if heard != asked and (all_right or [text for text in asked if text in heard] != heard):
        yield f"the caller said {asked}, and the history has {heard}"
    for at, turn in enumerate(history):
        if turn.speaker is Speaker.CALLER:
            answer, *after = [*(turn.text for turn in history[at + 1 : at + 3]), "", ""]
            is_right = answer in {ANSWERS.get(turn.text), script(history[: at + 1])}
            if not is_right and (all_right or not _is_line(turn.text, answer, after[0])):
                yield f"{turn.text!r} was answered {answer!r}"


def _is_line(asked: str, answer: str, after: str) -> bool:
    """Whether this is a line, or an answer that broke off and was followed by one."""
    is_begun = f"{ANSWERS.get(asked)} ".startswith(f"{answer} ")
    return answer in _LINES.values() or (is_begun and after in _LINES.values())


# --- who answered ---------------------------------------------------------------------------------


def who(layer: str, world: World, report: Report, number: int = 0) -> str:
    """Who did the work of this layer in a turn."""
    begin, end = report.span(number)
    events = list(report.between(begin, end))
    steps = [(e.vendor, e.step) for e in events if isinstance(e, on.VendorStep)]
    lines = [purpose for purpose in report.purposes(number) if purpose in _LINES]
    answerers = {"stt": _hearer, "llm": _thinker, "tts": _speakers}[layer](steps)
    if layer == "tts" and _hibari_spoke(world, report.number, begin, end):
        answerers.append("Hibari")
    if any(isinstance(event, on.FillerReady) for event in events):
        answerers.insert(0, "filler")
    answerers += [f"line ({purpose.value})" for purpose in lines]
    return " + ".join(answerers) or "nobody"


def _hibari_spoke(world: World, call: int, begin: float, end: float) -> bool:
    return any(call == number and begin <= at < end for number, at in world.hibari.spoken)


def _hearer(steps: list[tuple[str, str]]) -> list[str]:
    begins = [at for at, (_, step) in enumerate(steps) if step.startswith(("request", "answer"))]
    before = steps[: begins[0]] if begins else steps
    asked = [vendor for vendor, step in before if step == "transcribe"]
    if not begins:
        return []
    if asked:
        return [{"moonshine": "Moonshine", "openai": "OpenAI", "deepgram": "file"}[asked[-1]]]
    return ["new socket" if ("deepgram", "connected again") in before else "live"]


def _thinker(steps: list[tuple[str, str]]) -> list[str]:
    answered: list[str] = []
    asked = ""
    for vendor, step in steps:
        if vendor == "script":
            answered.append("script")
        elif vendor == "openai" and step.startswith("request "):
            asked = "fallback" if "luna" in step else "model"
        elif vendor == "openai" and step == "first token" and asked not in answered[-1:]:
            answered.append(asked)
    return answered


def _speakers(steps: list[tuple[str, str]]) -> list[str]:
    spoke: list[str] = []
    way = ""
    for vendor, step in steps:
        if vendor == "elevenlabs" and step in {"context opened", "request"}:
            way = "socket" if step == "context opened" else "REST"
        elif vendor == "openai" and step == "request":
            way = "OpenAI"
        elif step == "first audio" and way not in spoke[-1:]:
            spoke.append(way)
    return spoke
