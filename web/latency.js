// What made up the wait before the last answer. The server's figures are points on one clock, in
// ms after the caller stopped speaking; the bar shows the stretches between them.

const NAMES = {
  end_of_turn: "Sure that you had finished",
  transcript: "Understood your words",
  first_token: "First word of the answer",
  first_audio: "First sound of it",
  first_frame: "Sent",
  first_mark: "Heard by you",
};

/** The stages that took place, in the order of their time: `{stage, name, at, took}`, in ms. */
export function stages(figures) {
  const points = Object.entries(NAMES)
    .filter(([stage]) => typeof figures[stage] === "number")
    .map(([stage, name]) => ({ stage, name, at: Math.max(0, figures[stage]) }))
    .sort((one, other) => one.at - other.at);
  return points.map((point, i) => ({ ...point, took: point.at - (points[i - 1]?.at ?? 0) }));
}

/** A time for people: "640 ms", "1.2 s". */
export function inWords(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Shows the figures in the page's latency panel. */
export function showLatency(panel, figures) {
  const waited = figures.total ?? figures.first_frame;
  panel.hidden = typeof waited !== "number";
  if (panel.hidden) return;
  const passed = stages(figures);
  panel.querySelector("#latency-total").textContent = inWords(waited);
  panel
    .querySelector("#latency-bar")
    .replaceChildren(...passed.filter(({ stage }) => stage !== "first_mark").map(stretch));
  panel.querySelector("#latency-stages").replaceChildren(...passed.map(row));
}

function stretch({ stage, took }) {
  const part = document.createElement("i");
  part.className = stage;
  part.style.flexGrow = String(took);
  return part;
}

function row({ stage, name, at }) {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.className = stage;
  head.textContent = name;
  line.append(head, Object.assign(document.createElement("td"), { textContent: inWords(at) }));
  return line;
}
