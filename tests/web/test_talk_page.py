"""The talk page in a real browser, against a scripted server that is strict about the protocol.

Timing is judged by counting the page's own frames between its messages: microphone, playback and
marks all run off the one clock of the (fake) sound card, however slow the machine is.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.simulators import mulaw
from tests.web.conftest import BrowserPage
from tests.web.scripted_server import AGENT, ScriptedCall, ScriptedServer

PITCH_HZ = 160
CARD_HZ = 48_000
FRAMES_PER_S = 50


def buzz(seconds: float, rate: int) -> np.ndarray:
    """Something like a vowel, in syllables: noise suppression takes a steady tone for noise."""
    t = np.arange(int(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * PITCH_HZ * k * t) / k for k in range(1, 16))
    return 6000 * harmonics * (0.55 - 0.45 * np.cos(2 * np.pi * 4 * t))


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears: a second of silence, two of voice, silence."""
    silence = np.zeros(CARD_HZ)
    pcm = mulaw.to_pcm(np.concatenate([silence, buzz(2, CARD_HZ), silence]))
    path = tmp_path_factory.mktemp("microphone") / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(CARD_HZ)
        file.writeframes(pcm.tobytes())
    return path


@pytest.fixture(scope="session")
def second() -> bytes:
    """A second of the agent's voice, as mu-law."""
    return mulaw.encode(mulaw.to_pcm(buzz(1, mulaw.RATE)))


def start_call(page: Page, server: ScriptedServer) -> ScriptedCall:
    """Press the call button."""
    earlier = len(server.calls)
    page.get_by_role("button", name="Call", exact=True).click()
    call = server.wait_for_call(earlier)
    expect(page.locator("body")).to_have_attribute("data-phase", "live")
    return call


def loudness(frames: list[bytes]) -> np.ndarray:
    """Root mean square per frame, full scale 32768."""
    samples = mulaw.decode(b"".join(frames)).astype(float).reshape(len(frames), -1)
    return np.sqrt(np.mean(samples**2, axis=1))


def test_the_page_is_the_carrier_of_what_the_microphone_hears(
    server: ScriptedServer, browser_page: BrowserPage, voice: Path
) -> None:
    page = browser_page(server.url, voice)
    expect(page.get_by_role("heading", name=AGENT.business.name, exact=True)).to_be_visible()
    call = start_call(page, server)
    call.wait_for_frames(4 * FRAMES_PER_S)

    start = call.stream.messages[1]["start"]
    parameters = start["customParameters"]
    assert parameters == {
        "token": call.cookies["talk"],  # the handshake carries the token too
        "caller": "client:talk",
        "called": "",
    }
    level = loudness(call.frames())
    voiced = np.flatnonzero(level > 1000)
    assert len(voiced) > FRAMES_PER_S, "two seconds of voice came in, with pauses"
    assert voiced[-1] - voiced[0] < 2.2 * FRAMES_PER_S
    assert np.median(level[: voiced[0] - 5]) < 100, "silence before it"
    sound = mulaw.decode(b"".join(call.frames()[voiced[0] : voiced[-1]])).astype(float)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    hz = np.argmax(spectrum) * mulaw.RATE / len(sound)
    assert hz / PITCH_HZ == pytest.approx(round(hz / PITCH_HZ), abs=0.05), "the same pitch"

    page.get_by_role("button", name="Hang up").click()
    call.wait_for("the end", lambda _: call.closed)
    assert call.stream.messages[-1]["event"] == "stop"
    expect(page.locator(".note")).to_contain_text("You hung up")


def test_marks_are_echoed_when_playback_reaches_them(
    server: ScriptedServer, browser_page: BrowserPage, second: bytes
) -> None:
    page = browser_page(server.url)
    call = start_call(page, server)
    call.send_mark("at once")
    call.wait_for_mark("at once")
    before = len(call.frames())
    call.send_audio(second)
    call.send_mark("first")
    call.send_audio(second[: len(second) // 2])
    call.send_mark("second")
    expect(page.locator("#agent-level")).not_to_have_attribute("aria-valuenow", "0")
    call.wait_for_mark("second")

    assert call.marks() == ["at once", "first", "second"]
    assert call.frames_before_mark("first") - before >= FRAMES_PER_S - 1
    apart = call.frames_before_mark("second") - call.frames_before_mark("first")
    assert apart == pytest.approx(FRAMES_PER_S / 2, abs=1)
    expect(page.locator("#agent-level")).to_have_attribute("aria-valuenow", "0")


def test_a_clear_empties_the_queue_and_echoes_what_was_pending(
    server: ScriptedServer, browser_page: BrowserPage, second: bytes
) -> None:
    page = browser_page(server.url)
    call = start_call(page, server)
    call.send_mark("begin")
    for name in ("a", "b", "c"):
        call.send_audio(second * 4)
        call.send_mark(name)
    call.wait_for_frames(20)
    assert call.marks() == ["begin"]
    call.send("clear")
    call.wait_for_mark("c")
    assert call.marks() == ["begin", "a", "b", "c"]
    assert call.frames_before_mark("c") < 3 * FRAMES_PER_S, "long before it could have been played"

    expect(page.locator("#agent-level")).to_have_attribute("aria-valuenow", "0")
    call.send_audio(second[: len(second) // 2])
    cleared_at = call.frames_before_mark("c")
    call.send_mark("after")
    call.wait_for_mark("after")
    assert call.frames_before_mark("after") - cleared_at >= FRAMES_PER_S / 2 - 1, "played again"
    assert call.marks().count("a") == 1


def test_captions_states_and_latency_are_shown(
    server: ScriptedServer, browser_page: BrowserPage
) -> None:
    page = browser_page(server.url)
    call = start_call(page, server)

    def show(**sight: object) -> None:
        server.live.show(call.call_id, sight)

    bubbles = page.locator(".bubble")
    show(type="state", caller="speaking", agent="held")
    expect(page.locator("#state")).to_have_text("Holding on")
    show(type="caption", who="caller", id=1, text="are you", final=False)
    expect(bubbles).to_have_text(["You: are you"])
    show(type="caption", who="caller", id=1, text="Are you open?", final=True)
    show(type="caption", who="agent", id=1, text="Yes, we are. <b>Until</b> five.", final=False)
    expect(bubbles).to_have_text(["You: Are you open?", "Agent: Yes, we are. <b>Until</b> five."])
    show(type="caption", who="agent", id=1, text="Yes, we are.", final=True)  # as far as heard
    expect(bubbles.last).to_have_text("Agent: Yes, we are.")
    expect(page.locator("#spoken")).to_have_text("Agent: Yes, we are.")
    show(type="caption", who="agent", id=2, text="Anything else?", final=False)
    show(type="caption", who="agent", id=2, text="", final=True)  # nothing of it was heard
    expect(bubbles).to_have_count(2)

    figures = {"end_of_turn": 550.0, "transcript": 420.0, "first_token": 560.0}
    more = {"first_audio": 640.0, "first_frame": 641.0, "first_mark": None, "total": 641.0}
    show(type="latency", ms=figures | more)
    expect(page.locator("#latency-total")).to_have_text("641 ms")
    expect(page.locator("#latency-bar i")).to_have_count(5)
    page.locator("#latency summary").click()
    expect(page.get_by_role("row", name="Understood your words 420 ms")).to_be_visible()


def test_the_newest_words_stay_in_sight_when_a_panel_opens(
    server: ScriptedServer, browser_page: BrowserPage
) -> None:
    page = browser_page(server.url, viewport={"width": 375, "height": 667}, reduced_motion="reduce")
    call = start_call(page, server)
    newest = page.locator(".bubble").last

    def say(number: int) -> None:
        text = f"{number}: And could you tell me if you are open on Saturday, too?"
        caption = {"who": "caller", "id": number, "text": text, "final": True}
        server.live.show(call.call_id, {"type": "caption", **caption})
        expect(newest).to_contain_text(text)

    for number in range(6):
        say(number)
    keypad = page.get_by_role("button", name="Keypad", exact=True)
    # Within the frame that shows the caption: its own scroll event then meets a lower list.
    keypad.evaluate(
        """(button) => new MutationObserver((_, observer) => {
            observer.disconnect();
            button.click();
        }).observe(document.getElementById("captions"), { childList: true })"""
    )
    say(6)
    expect(page.get_by_role("group", name="Keypad")).to_be_visible()
    expect(newest).to_be_in_viewport(ratio=1)
    keypad.click()
    say(7)
    expect(newest).to_be_in_viewport(ratio=1)


def test_typing_and_the_keypad(server: ScriptedServer, browser_page: BrowserPage) -> None:
    page = browser_page(server.url)
    box = page.get_by_role("textbox", name="Type instead of talking")
    expect(box).to_be_disabled()
    call = start_call(page, server)
    box.fill("What are your opening hours? 9#")
    box.press("Enter")
    expect(box).to_have_value("")
    page.get_by_role("button", name="Where are you?").click()
    page.get_by_role("button", name="Keypad", exact=True).click()
    for key in "1*0":
        page.get_by_role("button", name=key, exact=True).click()
    page.keyboard.press("#")
    call.wait_for("four digits", lambda _: len(call.digits()) == 4)

    assert call.digits() == "1*0#"
    expected = ["What are your opening hours? 9#", "Where are you?"]
    assert server.live.typed == [(call.call_id, text) for text in expected]
    server.live.live.clear()
    box.fill("Hello?")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no such call")
    expect(box).to_have_value("Hello?")


def test_the_other_side_can_hang_up_and_be_called_again(
    server: ScriptedServer, browser_page: BrowserPage
) -> None:
    page = browser_page(server.url)
    first = start_call(page, server)
    server.live.show(first.call_id, {"type": "state", "caller": "quiet", "agent": "idle"})
    expect(page.locator("#state")).to_have_text("Listening")
    first.hang_up()
    server.live.show(first.call_id, {"type": "ended", "reason": "goodbye"})  # overtaken
    expect(page.locator("#state")).to_have_text("Call ended")
    expect(page.locator(".note")).to_contain_text("The agent hung up")
    second_call = start_call(page, server)
    assert second_call.call_id != first.call_id
    expect(page.locator(".note")).to_have_count(0)


def test_without_a_microphone_there_is_silence_and_advice(
    server: ScriptedServer, browser_page: BrowserPage, second: bytes
) -> None:
    page = browser_page(server.url, microphone=False)
    call = start_call(page, server)
    expect(page.get_by_role("alert")).to_contain_text("Allow it beside the address bar")
    call.send_audio(second)
    call.send_mark("played")
    call.wait_for_mark("played")
    assert set(b"".join(call.frames())) == {0xFF}
    page.get_by_role("textbox").fill("Hello")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("textbox")).to_have_value("")
    assert server.live.typed == [(call.call_id, "Hello")]


def test_without_sound_the_call_keeps_its_time(
    server: ScriptedServer, browser_page: BrowserPage, second: bytes
) -> None:
    page = browser_page("about:blank")
    page.add_init_script("delete BaseAudioContext.prototype.audioWorklet")  # no TLS
    page.goto(server.url)
    call = start_call(page, server)
    expect(page.get_by_role("alert")).to_contain_text("https pages and to localhost")
    call.send_mark("begin")
    call.send_audio(second)
    call.send_mark("end")
    call.wait_for_mark("end")
    apart = call.frames_before_mark("end") - call.frames_before_mark("begin")
    assert apart == pytest.approx(FRAMES_PER_S, abs=3)
    assert set(b"".join(call.frames())) == {0xFF}


def test_muting_sends_silence(server: ScriptedServer, browser_page: BrowserPage) -> None:
    page = browser_page(server.url)  # its microphone beeps every second
    call = start_call(page, server)
    call.wait_for_frames(2 * FRAMES_PER_S)
    assert loudness(call.frames()).max() > 1000
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    call.wait_for_frames(10)
    muted_at = len(call.frames())
    call.wait_for_frames(2 * FRAMES_PER_S)
    assert loudness(call.frames()[muted_at:]).max() == 0


def test_the_page_says_why_it_is_closed(browser_page: BrowserPage) -> None:
    with ScriptedServer(password="open sesame").serve() as server:
        page = browser_page(server.url, http_credentials={"username": "me", "password": "wrong"})
        expect(page.get_by_role("heading", name="This page is closed to you")).to_be_visible()
        expect(page.locator("#closed-text")).to_contain_text("CONSOLE_PASSWORD")
        friend = {"username": "me", "password": "open sesame"}
        page = browser_page(server.url, http_credentials=friend)
        start_call(page, server)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 860), (390, 844), (320, 568)])
def test_the_page_fits_its_screen(
    server: ScriptedServer,
    browser_page: BrowserPage,
    tmp_path: Path,
    scheme: str,
    width: int,
    height: int,
) -> None:
    size = {"width": width, "height": height}
    look = {"viewport": size, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = browser_page(server.url, **look)
    call = start_call(page, server)
    long = "a long answer that takes several lines on the small screen of a telephone. " * 6
    for number in range(4):
        for who in ("caller", "agent"):
            caption = {"who": who, "id": number, "text": f"{number}: {long}", "final": True}
            server.live.show(call.call_id, {"type": "caption", **caption})
    newest = page.locator(".bubble").last
    expect(newest).to_contain_text("3: a long answer")
    page.screenshot(path=tmp_path / "talk.png")

    for side in ("Width", "Height"):
        overflow = f"document.documentElement.scroll{side} - document.documentElement.client{side}"
        assert page.evaluate(overflow) == 0
    for name in ("Hang up", "Mute", "Keypad", "Send"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    expect(newest).to_be_in_viewport()
