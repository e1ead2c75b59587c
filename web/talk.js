// The talk page: what its buttons do and what it shows. The call itself is in call.js.

import { Call, ask } from "./call.js";
import { Captions } from "./captions.js";
import { showLatency } from "./latency.js";
import { NoMicrophone, openLine } from "./line.js";
import { Meter } from "./meter.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const AGENT_STATES = {
  idle: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  held: "Holding on",
};
const CALLER_STATES = { quiet: "You", speaking: "You · speaking", paused: "You · pausing" };

/** /talk?agent=salon talks to another agent than the one for any number. */
const AGENT_ID = new URLSearchParams(location.search).get("agent");
const CHOSEN = AGENT_ID ? `?agent=${encodeURIComponent(AGENT_ID)}` : "";

const $ = (id) => document.getElementById(id);

const captions = new Captions($("captions"), $("spoken"));
const meters = { caller: new Meter($("caller-level")), agent: new Meter($("agent-level")) };

let attempt = null; // an object per press of the call button, until that call is over
let call = null;
let line = null;
let startedAt = 0;
let ticking = null;

// --- what the page shows --------------------------------------------------------------------------

/** The page's phases: ready, calling, live, over. */
function enter(phase, state) {
  document.body.dataset.phase = phase;
  document.body.dataset.agent = "";
  $("state").textContent = state;
  const live = phase === "live";
  for (const id of ["keypad-button", "mute", "text", "send"]) $(id).disabled = !live;
  $("call-label").textContent = live || phase === "calling" ? "Hang up" : "Call";
  $("hint").textContent = { ready: "Tap to call", over: "Tap to call again" }[phase] ?? "Calling…";
  $("hint").hidden = live;
  $("clock").hidden = !live;
  $("call-silently").hidden = live || phase === "calling";
  $("suggestions").hidden = !live;
}

function showKeypad(on) {
  $("keypad").hidden = !on;
  $("keypad-button").setAttribute("aria-expanded", String(on));
  if (on) $("latency").open = false; // there is room for one of them
}

function showMuted(on) {
  $("mute").setAttribute("aria-pressed", String(on));
}

function showNotice(text, { retry = false } = {}) {
  $("notice-text").textContent = text;
  $("try-microphone").hidden = !retry;
  $("notice").hidden = text === "";
}

function duration() {
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function showNews(event) {
  if (event.type === "caption") {
    captions.show(event);
    if (event.who === "caller") $("suggestions").hidden = true;
  } else if (event.type === "latency") {
    showLatency($("latency"), event.ms);
  } else if (event.type === "state") {
    document.body.dataset.agent = event.agent;
    $("state").textContent = AGENT_STATES[event.agent] ?? event.agent;
    $("caller-label").textContent = CALLER_STATES[event.caller] ?? "You";
  }
}

// --- calling --------------------------------------------------------------------------------------

async function startCall({ microphone }) {
  const mine = (attempt = {});
  enter("calling", "Connecting");
  captions.clear();
  showNotice("");
  $("latency").hidden = true;
  try {
    const opened = await openLine({ onFrame, onMark: (name) => call?.marked(name) });
    if (attempt !== mine) return void opened.close(); // hung up in the meantime
    line = opened;
    if (microphone) await useMicrophone();
    if (attempt !== mine) return;
    const announced = await Call.announce(CHOSEN);
    if (attempt !== mine) return;
    call = new Call(announced, line, { onNews: showNews, onStarted, onEnded });
  } catch (error) {
    if (attempt !== mine) return;
    onEnded("The call did not start");
    showNotice(error.message);
  }
}

function onFrame(frame, loudness) {
  call?.frame(frame);
  meters.caller.push(loudness.caller);
  meters.agent.push(loudness.agent);
}

async function useMicrophone() {
  try {
    await line.useMicrophone();
    showNotice("");
  } catch (error) {
    if (!(error instanceof NoMicrophone)) throw error;
    showNotice(`${error.message} You can type meanwhile.`, { retry: true });
  }
}

function onStarted() {
  enter("live", "Connected");
  startedAt = performance.now();
  $("clock").textContent = duration();
  ticking = setInterval(() => ($("clock").textContent = duration()), 1000);
}

function onEnded(reason) {
  const lasted = document.body.dataset.phase === "live" ? ` · ${duration()}` : "";
  clearInterval(ticking);
  line?.close();
  attempt = call = line = null;
  enter("over", "Call ended");
  showNotice("");
  showKeypad(false);
  showMuted(false);
  meters.caller.reset();
  meters.agent.reset();
  $("caller-label").textContent = "You";
  captions.note(`${reason}${lasted}`);
}

function hangUp() {
  if (call) call.hangUp();
  else onEnded("You hung up");
}

async function say(text) {
  try {
    await call.type(text);
    return true;
  } catch (error) {
    showNotice(error.message);
    return false;
  }
}

function press(digit) {
  call.press(digit);
  const key = $("keypad").querySelector(`[data-digit="${digit}"]`);
  key.classList.add("pressed");
  setTimeout(() => key.classList.remove("pressed"), 150);
}

// --- the controls ---------------------------------------------------------------------------------

const busy = () => ["calling", "live"].includes(document.body.dataset.phase);

$("call").onclick = () => (busy() ? hangUp() : startCall({ microphone: true }));
$("call-silently").onclick = () => startCall({ microphone: false });
$("try-microphone").onclick = () => useMicrophone();
$("keypad-button").onclick = () => showKeypad($("keypad").hidden);

$("mute").onclick = () => {
  const on = $("mute").getAttribute("aria-pressed") !== "true";
  line.mute(on);
  showMuted(on);
};

$("latency").ontoggle = () => $("latency").open && showKeypad(false);

$("composer").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text && (await say(text))) $("text").value = "";
};

$("suggestions").onclick = ({ target }) => {
  if (target instanceof HTMLButtonElement) say(target.textContent);
};

$("keypad").append(
  ...KEYS.map((digit) => {
    const key = document.createElement("button");
    key.type = "button";
    key.dataset.digit = digit;
    key.textContent = digit;
    key.onclick = () => press(digit);
    return key;
  }),
);

// The keyboard's digits are the telephone's, wherever they are not being typed into the text box.
document.addEventListener("keydown", ({ key, target, repeat, ctrlKey, metaKey, altKey }) => {
  if (repeat || ctrlKey || metaKey || altKey || target === $("text")) return;
  if (document.body.dataset.phase === "live" && KEYS.includes(key)) press(key);
  if (key === "Escape") showKeypad(false);
});

window.addEventListener("pagehide", () => call?.hangUp());

// --- who is on the other side ---------------------------------------------------------------------

/** Fills in the names; until then nobody can be called. */
function introduce({ name, business }) {
  document.title = `Talk to ${business}`;
  $("business").textContent = business;
  $("welcome-name").textContent = business;
  $("agent-name").textContent = `${name}, automated receptionist`;
  $("agent-label").textContent = name;
  for (const id of ["call", "call-silently"]) $(id).disabled = false;
}

function turnAway(error) {
  document.querySelector("main").hidden = true;
  $("closed").hidden = false;
  $("closed-text").textContent = error.message;
}

ask(`/console/info${CHOSEN}`).then(introduce, turnAway);
