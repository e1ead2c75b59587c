// A level meter: the loudness of the last seconds as a row of bars that moves to the left.

const BAR_PX = 3;
const GAP_PX = 3;
const FRAMES_PER_BAR = 3; // 60 ms
const FLOOR_DB = -54;

/** Loudness (root mean square, 0 to 1) as a height of 0 to 1, the way that ears count. */
export function height(loudness) {
  if (loudness <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(loudness)) / FLOOR_DB));
}

export class Meter {
  #canvas;
  #bars = [];
  #frames = 0;
  #loudest = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** The loudness of one more frame. */
  push(loudness) {
    this.#loudest = Math.max(this.#loudest, loudness);
    this.#frames += 1;
    if (this.#frames < FRAMES_PER_BAR) return;
    const bar = height(this.#loudest);
    this.#bars.push(bar);
    this.#frames = 0;
    this.#loudest = 0;
    this.#canvas.setAttribute("aria-valuenow", String(Math.round(bar * 100)));
    requestAnimationFrame(() => this.#draw());
  }

  reset() {
    this.#bars = [];
    this.#canvas.setAttribute("aria-valuenow", "0");
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: tall } = this.#canvas;
    const dense = window.devicePixelRatio;
    this.#canvas.width = width * dense;
    this.#canvas.height = tall * dense;
    const pen = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    pen.scale(dense, dense);
    const count = Math.floor((width + GAP_PX) / (BAR_PX + GAP_PX));
    this.#bars = this.#bars.slice(-count);
    for (let i = 0; i < count; i += 1) {
      const bar = this.#bars[this.#bars.length - count + i] ?? 0;
      const size = Math.max(BAR_PX, bar * tall);
      pen.fillStyle = bar > 0 ? style.color : style.getPropertyValue("--idle");
      pen.beginPath();
      pen.roundRect(i * (BAR_PX + GAP_PX), (tall - size) / 2, BAR_PX, size, BAR_PX / 2);
      pen.fill();
    }
  }
}
