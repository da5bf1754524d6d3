import assert from "node:assert/strict";
import { checkService } from "../../../src/model/service/check";
import { describe as text } from "../../../src/model/issues";
import { FULL } from "../../plan/service/parts";

const GOOD = { exec: ["buildcached"] };
const HEALTH = { readiness: { get: "http://127.0.0.1/r" }, liveness: { get: "http://127.0.0.1/l" } };

/** What is said of a service that differs in one way from a good one. */
const said = (more: Record<string, unknown>) => text(checkService({ ...GOOD, ...more }));

describe("arguments of a service", () => {
  it("that say little, or all there is, are good", () => {
    assert.equal(said({}), "");
    assert.equal(text(checkService(FULL)), "");
    assert.equal(said({ health: { get: "http://127.0.0.1:7070/healthz", within: "30 s" } }), "");
  });

  const wrong: Record<string, [more: Record<string, unknown>, says: RegExp]> = {
    "no program": [{ exec: undefined }, /^exec: missing, wanted the program of the release/],
    "a program with a space": [{ exec: ["build cached"] }, /^exec\[0\]: given "build cached"/],
    "a program that leads out": [{ exec: ["../sh"] }, /^exec\[0\]/],
    "an argument of two lines": [{ exec: ["x", "a\nb"] }, /^exec\[1\]: .*one line/],
    "a key with a typo": [{ helth: {} }, /^helth: .*did you mean "health"/],
    "a variable's name": [{ env: { "A B": "c" } }, /^env\["A B"\]/],
    "a variable of systemd's": [{ env: { LISTEN_FDS: "3" } }, /^env\.LISTEN_FDS: .*systemd sets/],
    "a value of two lines": [
      { env: { A: "b\nc" } },
      /^env\.A: given string, wanted a text of one line; secrets belong/,
    ],
    "an unknown GODEBUG": [{ env: { GODEBUG: "gctracer=1" } }, /^env\.GODEBUG: given "gctracer".*mean "gctrace"/],
    "a GODEBUG that is no number": [{ env: { GODEBUG: "gctrace=on" } }, /^env\.GODEBUG\.gctrace: .*whole number/],
    "a GODEBUG without a value": [{ env: { GODEBUG: "gctrace" } }, /^env\.GODEBUG: .*commas between/],
    "a relative environment file": [{ environmentFiles: ["etc/x"] }, /^environmentFiles\[0\]: .*absolute path/],
    "a directory that it does not have": [
      { exec: ["x", "{state}/db"] },
      /^exec\[1\]: given "\{state\}", wanted directories.state/,
    ],
    "a directory turned off": [
      { env: { A: "{cache}" }, directories: { cache: false } },
      /^env\.A: .*directories\.cache/,
    ],
    "credentials without secrets": [{ env: { A: "{credentials}/t" } }, /^env\.A: .*wanted secrets/],
    "a secret's name": [{ secrets: { "a/b": "x" } }, /^secrets\["a\/b"\]/],
    "memory that Go cannot start in": [{ limits: { memory: "1 MiB" } }, /^limits\.memory: .*"16 MiB"/],
    "a directive that is none": [{ hardening: { off: ["PrivateTemp"] } }, /^hardening\.off\[0\]: .*"PrivateTmp"/],
    "a directive of every dynamic user": [
      { hardening: { off: ["ProtectSystem"] } },
      /^hardening\.off\[0\]: .*a named user/,
    ],
    "a user's name": [{ user: "Root" }, /^user: /],
    "a unit without a type": [{ onFailure: "alert" }, /^onFailure: .*unit name/],
    "health without a URL": [{ health: { within: "3 s", get: "healthz" } }, /^health\.get: /],
    "a readiness that is no object": [{ health: { readiness: "x" } }, /^health\.readiness: /],
    "a watchdog that nobody calms": [{ watchdog: { within: "30 s" } }, /^watchdog: .*nobody gives signs of life/],
    "a watchdog without liveness": [
      { watchdog: { within: "30 s" }, health: { get: "http://127.0.0.1/h" } },
      /^health\.liveness: missing, wanted what the watchdog depends on/,
    ],
    "liveness that nobody asks": [{ health: HEALTH }, /^health\.liveness: .*watchdog: \{ within: "30 s" \}/],
    "a probe slower than the watchdog": [
      { health: HEALTH, watchdog: { within: "1 s" } },
      /^health\.liveness\.timeout: given "1 s", wanted at most a quarter/,
    ],
    "a probe without readiness": [{ notify: "probe" }, /^health: .*readiness/],
    "a breaker that never opens": [
      { restart: { after: "10 s", breaker: { starts: 5, within: "50 s" } } },
      /^restart\.breaker\.within: given "50 s", wanted longer than "55 s"/,
    ],
    "a pause that shrinks": [
      { restart: { after: "1 min", grow: { after: "10 s", steps: 3 } } },
      /^restart\.grow\.after/,
    ],
    "update by a socket that is not there": [{ update: "socket" }, /^sockets: .*a socket for update/],
    "a reload command for a restart": [{ reload: ["x"] }, /^update: missing, wanted "reload"/],
    "a low port of its own": [{ listen: ["0.0.0.0:443"] }, /^listen\[0\]: .*sockets: \{ http/],
    "an address without a port": [{ listen: ["127.0.0.1"] }, /^listen\[0\]/],
    "a name for an address": [{ sockets: { http: { listen: "localhost:80" } } }, /^sockets\.http\.listen/],
    "profiles for everybody, by a socket": [
      { sockets: { pprof: { listen: ":6060" } } },
      /^sockets\.pprof\.listen: .*127/,
    ],
    "profiles for everybody, by an option": [
      { exec: ["x", "--pprof-addr=:9999"] },
      /^exec\[1\]: .*"127\.0\.0\.1:9999"/,
    ],
    "profiles for everybody, by the usual port": [{ exec: ["x", "-addr", "0.0.0.0:6060"] }, /^exec\[2\]: .*127/],
    "profiles for everybody, by a variable": [{ env: { DEBUG_ADDR: "[::]:7000" } }, /^env\.DEBUG_ADDR: .*127/],
    "a rate without a span": [{ journal: { rate: { messages: 5 } } }, /^journal\.rate\.per: missing/],
    "telemetry without a name": [{ telemetry: {} }, /^telemetry\.serviceName: missing/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`would catch ${name}`, () => assert.match(said(more), says));
  }

  it("may profile on the loopback interface, and listen elsewhere", () => {
    const env = { PPROF_ADDR: "localhost:6060", ADDR: "0.0.0.0:8080", DEBUG: "true" };
    assert.equal(said({ env, exec: ["x", "--pprof=127.0.0.1:6060", "--listen", ":8080"] }), "");
    assert.equal(said({ sockets: { pprof: { listen: "/run/pprof.sock" } } }), "");
  });

  it("that are not known yet are checked when they are", () => {
    const later = Symbol("later");
    const isUnknown = (value: unknown) => value === later;
    assert.deepEqual(checkService({ ...GOOD, env: { GODEBUG: later }, files: { a: later } }, { isUnknown }), []);
    assert.match(text(checkService({ ...GOOD, env: { "A B": later } }, { isUnknown })), /env/);
  });

  it("never shows a value that should be a secret", () => {
    assert.doesNotMatch(said({ env: { PASSWORD: "hunter2\n" } }), /hunter2/);
    assert.doesNotMatch(said({ secrets: { token: ["hunter2"] } }), /hunter2/);
  });
});
