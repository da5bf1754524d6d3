// One line per step, with a spinner on a terminal and plain lines elsewhere. Used before anything is installed, so it
// stands on Node alone.
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const MARKS = { done: ["✔", 32], same: ["✔", 32], skipped: ["–", 33], failed: ["✘", 31] };
const LABEL = 14;
const PLAIN_EVERY = 15_000;

class Steps {
  /** @param {NodeJS.WriteStream} out @param {NodeJS.ProcessEnv} env */
  constructor(out = process.stdout, env = process.env) {
    this.out = out;
    this.live = out.isTTY === true && env.TERM !== "dumb" && !env.CI;
    this.colours = out.isTTY === true && env.TERM !== "dumb" && env.NO_COLOR === undefined;
    this.running = undefined;
  }

  /** Begins a step; the one before must have ended. @param {string} label @param {string} text */
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
      /** Says what is being done now. @param {string} now */
      progress: (now) => this.#progress(step, now),
      /** @param {string} result */
      done: (result) => this.#end(step, "done", result),
      /** @param {string} result */
      skipped: (result) => this.#end(step, "skipped", result),
      /** @param {string} result */
      failed: (result) => this.#end(step, "failed", result),
    };
  }

  /** Prints a line of its own. @param {string} text */
  line(text = "") {
    this.#clear();
    this.out.write(`${text}\n`);
  }

  /** Ends the running step, if there is one, as failed. @param {string} result */
  fail(result) {
    if (this.running) this.#end(this.running, "failed", result);
  }

  /** @param {string} text */
  bold = (text) => this.paint(1, text);
  /** @param {string} text */
  dim = (text) => this.paint(2, text);
  /** @param {number} code @param {string} text */
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

/** `7 s`, `3 min 5 s` @param {number} seconds */
function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** @param {string} text @param {number} room */
function cut(text, room) {
  const line = text.replace(/\s+/g, " ");
  return line.length <= room ? line : `${line.slice(0, Math.max(0, room - 1))}…`;
}

module.exports = { Steps, duration };
