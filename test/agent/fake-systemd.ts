import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { agentSource } from "../../src/host/agent-source";
import { COMPONENT, Root, type Answer, type OnEvent, type Release, type Shell } from "./support";

/**
 * The agent under a root that takes it for a host with systemd: its tools are sh scripts, which write down what they were
 * asked for, and answer with files below `fake/`. What a real systemd makes of it is for test/hosts.
 */
export class FakeSystemd {
  readonly root: Root;
  readonly #bin: string;
  readonly #dir: string;

  /** @param overrides functions of the agent in sh, instead of its own */
  constructor(
    shell?: Shell,
    private readonly overrides = "",
  ) {
    this.root = new Root(shell);
    this.#dir = join(this.root.path, "..", "fake");
    this.#bin = join(this.#dir, "bin");
    mkdirSync(this.#bin, { recursive: true });
    for (const [name, script] of Object.entries(SCRIPTS)) this.program(name, script);
  }

  /** A tool of the host. */
  program(name: string, script: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\nFAKE='${this.#dir}'\n${script}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  get env(): Record<string, string> {
    return { PATH: `${this.#bin}${delimiter}${process.env["PATH"] ?? ""}` };
  }

  /** What `systemctl show` says of a unit, and `journalctl` of anything. */
  say(name: string, text: string): void {
    writeFileSync(join(this.#dir, name), text);
  }

  run(what: Release, request: Readonly<Record<string, string | number>> = {}, onEvent?: OnEvent): Promise<Answer> {
    return this.root.run({ ...what, entries: withAgent(what.entries, this.overrides) }, request, {
      env: this.env,
      onEvent,
    });
  }

  ask(verb: string, request: Readonly<Record<string, string | number>> = {}, onEvent?: OnEvent): Promise<Answer> {
    return this.root.start(verb, request, withAgent(new Map(), this.overrides), { env: this.env, onEvent });
  }

  /** What systemd was asked to do with a unit since the last time, a verb each. */
  asked(unit: string): string[] {
    const file = join(this.#dir, "asked");
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, "");
    return lines.flatMap((line) => {
      const [, verb = "", names = ""] = /^systemctl +(start|restart|reload-or-restart|stop) -- (.*)$/.exec(line) ?? [];
      return names.split(" ").includes(unit) ? [verb] : [];
    });
  }

  /** The command of a component's timer, or undefined. */
  timer(component = COMPONENT): readonly string[] | undefined {
    const file = join(this.#dir, `timer-gofleet-watch-${component}`);
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : undefined;
  }

  /** What the timer would start. */
  look(component = COMPONENT): { readonly command: readonly string[]; readonly env: Record<string, string> } {
    const timer = this.timer(component);
    if (timer === undefined) throw new Error(`no timer looks after ${component}`);
    return { command: timer.slice(timer.indexOf("/bin/sh")), env: this.env };
  }

  state(component = COMPONENT): Record<string, string> {
    const path = `var/lib/gofleet/${component}/watching/state`;
    if (!this.root.has(path)) return {};
    const lines = this.root.read(path).trimEnd().split("\n");
    return Object.fromEntries(lines.map((line) => [line.replace(/ .*/, ""), line.replace(/^\S+ ?/, "")]));
  }

  /** Findings without their times. */
  findings(component = COMPONENT): string[] {
    const path = `var/lib/gofleet/${component}/findings`;
    if (!this.root.has(path)) return [];
    const lines = this.root.read(path).trimEnd().split("\n");
    return lines.map((line) => line.split("\t").slice(1).join(" "));
  }

  runs(component = COMPONENT): string[] {
    return readdirSync(this.root.at(`var/lib/gofleet/${component}/runs`));
  }
}

/** For {@link FakeSystemd}: the verb `boot` goes by the root of its request, and by one component. */
export const BOOT = "verb_boot() { ECHO=; set_paths; take_lock 60; (boot_component go); exit 0; }";

/** For {@link FakeSystemd}: units are entered and left below a root too, which is all of the activation then. */
export const WITH_UNITS = `activate() {
  _to=/dev/null
  [ -z "$1" ] || _to=$ETC/releases/$1/.gofleet/manifest
  leave_units "$_to"
  enter_units "$_to"
}`;

/** Systemd wherever it runs, and nothing outside the root. */
function withAgent(entries: ReadonlyMap<string, string | Buffer>, more: string): ReadonlyMap<string, string | Buffer> {
  const source = agentSource();
  const head = source.replace(/\nmain "\$@"\n*$/, "\n");
  if (head === source) throw new Error("the agent no longer ends with its main");
  const overrides = `
install_boot() { mkdir -p -- "$HOST_LIB" && cp -- "$RUN/agent" "$HOST_LIB/agent"; }
${more}
`;
  const set = head.replace('  [ -n "$ROOT" ] || [ ! -d /run/systemd/system ] || SYSTEMD=1\n', "  SYSTEMD=1\n");
  if (set === head) throw new Error("the agent finds out in another way whether systemd runs");
  return new Map([["agent", `${set}${overrides}main "$@"\n`], ...entries]);
}

const SCRIPTS: Readonly<Record<string, string>> = {
  systemctl: `echo "systemctl $*" >>"$FAKE/asked"
case $* in
  show*) for unit; do :; done; cat "$FAKE/show-$unit" 2>/dev/null || printf 'LoadState=loaded\\nActiveState=active\\n' ;;
  *reload-or-restart*) [ ! -e "$FAKE/reload-fails" ] ;;
  *stop*gofleet-watch-*) for unit; do :; done; rm -f "$FAKE/timer-\${unit%.timer}" ;;
  is-system-running) echo running ;;
  --version) echo 'systemd 252 (252)' ;;
esac
`,
  "systemd-run": `unit= stop=
for word; do
  case $word in --unit=*) unit=\${word#--unit=} ;; --property=ExecStopPost=*) stop=\${word#--property=ExecStopPost=} ;; esac
done
case $* in
  *--on-active=*) printf '%s\\n' "$@" >"$FAKE/timer-$unit"; exit 0 ;;
esac
while [ "$1" != /bin/sh ]; do shift; done
shift
# The stop command holds the directory twice; a root may have a space in it, which systemd would take for two words.
setsid sh -c 'sh "$@"; shift; shift; sh "$1/agent" exited "$1"' run "$@" </dev/null >>"$FAKE/run.out" 2>&1 &
`,
  journalctl: `case $* in
  *--output=export*) cat "$FAKE/export" 2>/dev/null ;;
  *) cat "$FAKE/journal" 2>/dev/null ;;
esac
exit 0
`,
};
