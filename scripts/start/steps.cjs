// One line per step, with a spinner on a terminal and plain lines elsewhere. Used before anything is installed, so it
// stands on Node alone. Documented in steps.d.cts.
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const MARKS = { done: ["✔", 32], failed: ["✘", 31] };
const LABEL = 14;
const PLAIN_EVERY = 15_000;

class Steps {
  constructor(out = process.stdout, env = process.env) {
    this.out = out;
    this.live = out.isTTY === true && env.TERM !== "dumb" && !env.CI;
    this.colours = out.isTTY === true && env.TERM !== "dumb" && env.NO_COLOR === undefined;
    this.running = undefined;
  }

  begin(label, text) {
    const step = { label, text, started: Date.now(), told: Date.now(), frame: 0, timer: undefined };
    this.running = step;
    if (this.live) {
      step.timer = setInterval(() => this.#draw(), 90);
      this.#draw();
    } else {
      this.line(`  · ${label.padEnd(LABEL)}${text}`);
    }
    return {
      progress: (now) => this.#progress(step, now),
      done: (result) => this.#end(step, "done", result),
      failed: (result) => this.#end(step, "failed", result),
    };
  }

  line(text = "") {
    this.#clear();
    this.out.write(`${text}\n`);
  }

  fail(result) {
    if (this.running) this.#end(this.running, "failed", result);
  }

  bold = (text) => this.paint(1, text);
  dim = (text) => this.paint(2, text);
  paint(code, text) {
    return this.colours ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  #progress(step, now) {
    if (this.running !== step) return;
    step.text = now;
    if (this.live || Date.now() - step.told < PLAIN_EVERY) return;
    step.told = Date.now();
    this.line(`  · ${step.label.padEnd(LABEL)}${now}`);
  }

  #end(step, kind, result) {
    if (this.running !== step) return;
    clearInterval(step.timer);
    this.running = undefined;
    const [mark, colour] = MARKS[kind];
    const seconds = (Date.now() - step.started) / 1000;
    const took = seconds >= 2 ? this.dim(` ${duration(seconds)}`) : "";
    this.line(`  ${this.paint(colour, mark)} ${this.bold(step.label.padEnd(LABEL))}${result}${took}`);
  }

  #draw() {
    const step = this.running;
    if (!step) return;
    const mark = this.paint(36, FRAMES[step.frame++ % FRAMES.length]);
    const seconds = (Date.now() - step.started) / 1000;
    const took = seconds >= 2 ? ` ${duration(seconds)}` : "";
    const room = (this.out.columns ?? 80) - LABEL - 5 - took.length;
    this.#clear();
    this.out.write(`  ${mark} ${this.bold(step.label.padEnd(LABEL))}${cut(step.text, room)}${this.dim(took)}`);
  }

  #clear() {
    if (this.live) this.out.write("\r\x1b[K");
  }
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function cut(text, room) {
  const line = text.replace(/\s+/g, " ");
  return line.length <= room ? line : `${line.slice(0, Math.max(0, room - 1))}…`;
}

module.exports = { Steps, duration };
