"""What is said over the agent, as recognisers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.speech_acts import OverAgent, asks_for_time, over_agent

COMMANDS = [
    "stop",
    "Stop.",
    "stop talking please",
    "no",
    "No.",
    "No, no, no.",
    "no that's not what I said",
    "nooo",
    "wait",
    "Wait, wait.",
    "Wait a minute.",
    "hold on",
    "Hang on a sec",
    "Excuse me.",
    "sorry",
    "Sorry?",
    "Sorry, can I ask",
    "one moment",
    "Just a second.",
    "okay stop",
    "Okay, okay, wait.",
    "but wait",
    "um, hold on",
    "yeah wait",
    "well no",
    "shut up",
    "let me finish",
]
BACKCHANNELS = [
    "mhm",
    "Mm-hmm.",
    "Mhm",
    "M hm",
    "mmhmm",
    "hmm",
    "Hm.",
    "Uh-huh.",
    "uh huh",
    "Yeah.",
    "yeah yeah",
    "Yep.",
    "Okay, okay.",
    "okaaay",
    "OK",
    "Ok right",
    "yeah okay right",
    "Right.",
    "I see.",
    "oh I see",
    "Got it.",
    "Sure.",
    "good",
    "Great, great.",
    "yes",
    "All right.",
    "alright",
    "that's right",
    "of course",
    "Oh.",
    "Okay, thank you.",
    "Thank you.",
    "(coughs) yeah",
    "no no, go on",
    "No, no problem.",
    "sorry, go ahead",
    "No, it's fine. Go on.",
    "please continue",
    "you go ahead",
    "no problem at all",
    "Ah, I see, okay.",
]
WORDS = [
    "yes please",
    "what about Friday",
    "Right, so what about Friday?",
    "okay and how much is it",
    "I have a question",
    "stop by the office",
    "Tuesday",
    "Tuesday?",
    "five",
    "5",
    "да",
    "uh-uh",
    "good morning",
    "I see a dentist there already",
    "that's right but I want another one",
    "you are wrong",
    "thank you bye",
    "can you repeat that",
    "oh no",
    "Yeah, I know.",
]
NOTHING = [
    "",
    " ",
    "...",
    "?!",
    "[BLANK_AUDIO]",
    "(coughs)",
    "(keyboard clicking)",
    "*sighs*",
    "[Music] [noise]",
    "♪ ♪",
    "♪ la la la ♪",
    "you",
    "You.",
    "Thanks for watching!",
    "Subtitles by the Amara.org community",
    "<noise>",
]


@pytest.mark.parametrize(
    ("text", "act"),
    [
        *((text, OverAgent.COMMAND) for text in COMMANDS),
        *((text, OverAgent.BACKCHANNEL) for text in BACKCHANNELS),
        *((text, OverAgent.WORDS) for text in WORDS),
        *((text, OverAgent.NOTHING) for text in NOTHING),
    ],
)
def test_what_is_said_over_the_agent(text: str, act: OverAgent) -> None:
    assert over_agent(text, "en").act is act


@pytest.mark.parametrize(
    ("language", "text", "act"),
    [
        ("de", "Stopp!", "command"),
        ("de", "Moment mal", "command"),
        ("de", "Nein, nein.", "command"),
        ("de", "Warten Sie bitte", "command"),
        ("de", "Ja, aber Moment", "command"),
        ("de", "ja ja", "backchannel"),
        ("de", "Mhm, genau.", "backchannel"),
        ("de", "Alles klar", "backchannel"),
        ("de", "Ach so.", "backchannel"),
        ("de", "Nein, reden Sie weiter", "backchannel"),
        ("de", "am Dienstag", "words"),
        ("de", "Untertitel im Auftrag des ZDF für funk, 2017", "nothing"),
        ("de", "Untertitel der Amara.org-Community", "nothing"),
        ("es", "espere", "command"),
        ("es", "Un momento", "command"),
        ("es", "perdón", "command"),
        ("es", "vale, vale", "backchannel"),
        ("es", "sí, claro", "backchannel"),
        ("es", "ajá", "backchannel"),
        ("es", "no, siga", "backchannel"),
        ("es", "el martes", "words"),
        ("fr", "attendez", "command"),
        ("fr", "Excusez-moi", "command"),
        ("fr", "non non", "command"),
        ("fr", "d'accord", "backchannel"),
        ("fr", "Oui, oui, très bien.", "backchannel"),
        ("fr", "non non, continuez", "backchannel"),
        ("fr", "mardi plutôt", "words"),
        ("pt", "espera", "words"),
    ],
)
def test_other_languages(language: str, text: str, act: str) -> None:
    assert over_agent(text, language).act.value == act


@given(
    st.lists(st.sampled_from(BACKCHANNELS[:20]), min_size=1, max_size=4),
    st.sampled_from([" ", ", ", ". "]),
)
def test_backchannels_one_after_another_are_one(parts: list[str], joint: str) -> None:
    assert over_agent(joint.join(parts), "en").act is OverAgent.BACKCHANNEL


@given(st.sampled_from(BACKCHANNELS[:20]), st.sampled_from(["Tuesday at five", "how much is it"]))
def test_words_after_a_backchannel_take_the_turn(first: str, then: str) -> None:
    assert over_agent(f"{first} {then}", "en").act is OverAgent.WORDS


@given(st.text(max_size=60), st.sampled_from(["en", "de", "es", "fr", "pl"]))
def test_any_text_is_judged_with_a_reason(text: str, language: str) -> None:
    assert over_agent(text, language).reason


def test_endless_mumbling_is_judged_in_no_time() -> None:
    for text in ("mm hm " * 500 + "x", "mm hm " * 6 + "x", "no you just " * 300, "uh huh " * 40):
        assert over_agent(text, "en").reason


@pytest.mark.parametrize(
    "text",
    [
        "just a second",
        "One moment, please.",
        "Hang on, let me check.",
        "hold on",
        "let me get my diary",
        "Let me just grab a pen.",
        "moment please",
        "bear with me",
        "give me a minute",
        "I'm just looking for it",
        "I need to find my card",
        "uh, wait",
        "wait a second",
        "one sec",
    ],
)
def test_a_caller_who_asks_for_time(text: str) -> None:
    assert asks_for_time(text, "en")


@pytest.mark.parametrize(
    "text",
    [
        "I'd like a second opinion",
        "on the second of May",
        "it takes a minute",
        "do you have a minute?",
        "let me know",
        "I need to see a dentist",
        "I'm looking for an appointment",
        "I can't wait",
        "how long is the wait",
        "five minutes ago",
        "it's a ten minute walk",
        "in a second",
        "the last minute",
        "yes",
        "",
    ],
)
def test_a_caller_who_does_not(text: str) -> None:
    assert not asks_for_time(text, "en")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Einen Moment, bitte."),
        ("de", "Sekunde"),
        ("de", "ich schau mal kurz nach"),
        ("es", "un momentito"),
        ("es", "déjeme ver"),
        ("fr", "un instant s'il vous plaît"),
        ("fr", "je vais chercher mon agenda"),
    ],
)
def test_asking_for_time_elsewhere(language: str, text: str) -> None:
    assert asks_for_time(text, language)
