import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIRECTIVES, DYNAMIC_DIRECTIVES } from "../../../src/model/service/directives";
import type { ServiceArgs } from "../../../src/model/service/service";
import { resolveWatch } from "../../../src/model/service/watch";
import { servicePlan } from "../../../src/plan/service/service";
import { manifest } from "../../../src/plan/manifest";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { skip } from "../../support/skip";
import { assertSystemdTakes, shellcheck } from "../sandbox/host-tools";
import { FULL, LOGGED, parts, plan, textOf, unitOf } from "./parts";

const units = (more: Partial<ServiceArgs>) =>
  plan(more).files.filter(({ path }) => /\/systemd\/system\/[^/]*$/.test(path));

describe("service plan", () => {
  for (const [name, args] of Object.entries({ plain: {}, full: FULL, logged: LOGGED })) {
    it(`is as written down: ${name}`, () => {
      const made = plan(args);
      // What reads the program is part of the release, and has tests of its own.
      assertGolden(`service/${name}/manifest`, manifest(made).replace(/^(check|probe)\tidentity\t.*\n/gm, ""));
      for (const { path, text } of made.files) assertGolden(`service/${name}${path}`, text);
      for (const { name: probe, script } of made.probes)
        if (probe !== "identity") assertGolden(`service/${name}/probes/${probe}.sh`, script);
      for (const { name: check, script } of made.checks)
        if (check !== "identity") assertGolden(`service/${name}/checks/${check}.sh`, script);
    });
  }

  it("has units that systemd takes without a word", function () {
    // What only newer versions know is passed over with a word, see the next test; a journal of its own is a unit of systemd's.
    assertSystemdTakes(this, [
      ...units({ ...FULL, restart: {}, journal: {} }),
      { path: "/etc/systemd/system/alert.service", text: "[Service]\nType=oneshot\nExecStart=/bin/true\n" },
    ]);
    assertSystemdTakes(this, units(LOGGED));
    assertSystemdTakes(this, units({ user: "buildcache", update: "reload", validate: ["/bin/true"] }));
  });

  it("has directives of newer systemd that an older one only warns of", function () {
    const folder = temporaryDirectory();
    try {
      const file = join(folder, "gofleet-cache.service");
      const text = unitOf({ restart: { grow: { after: "1 min", steps: 5 } } });
      assert.match(text, /^RestartSteps=5\nRestartMaxDelaySec=1min$/m);
      writeFileSync(
        file,
        text.replace(/^ExecStart=.*$/m, "ExecStart=/bin/true").replace("RestartSteps", "RestartLater"),
      );
      const { status, stderr, error } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
        encoding: "utf8",
      });
      if (error) return skip(this, "there is no systemd-analyze");
      assert.match(stderr, /Unknown key.* 'RestartLater'/);
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has scripts that shellcheck has nothing to say of", function () {
    const made = plan(FULL);
    const scripts = [
      ...[...made.probes, ...plan().probes, ...plan(LOGGED).checks].map(({ script }) => script),
      textOf(made, "/etc/gofleet/cache/notify"),
      textOf(made, "/etc/gofleet/cache/diagnose"),
    ];
    for (const script of scripts) assert.equal(shellcheck(this, script), "");
  });

  it("exposes a service as little as promised, and more with each directive that is turned off", function () {
    const closed = exposure(this, unitOf({ health: { get: "http://127.0.0.1:7070/healthz" } }));
    assert.ok(closed <= 1.5, `exposure ${closed}`);
    const named = exposure(this, unitOf({ user: "buildcache" }));
    assert.ok(named <= 1.5, `exposure ${named} of a named user`);
    const open = exposure(this, unitOf({ hardening: { off: ["SystemCallFilter", "PrivateUsers"] } }));
    assert.ok(open > closed, `${open} is not more than ${closed}`);
  });

  it("leaves out what is turned off, and nothing else", () => {
    const all = unitOf({ user: "buildcache" }).split("\n");
    for (const { name } of DIRECTIVES) {
      const without = unitOf({ user: "buildcache", hardening: { off: [name] } }).split("\n");
      const missing = all.filter((line) => !without.includes(line));
      assert.ok(
        missing.length > 0 && missing.every((line) => line.startsWith(`${name}=`)),
        `${name}: ${missing.join()}`,
      );
    }
    assert.ok(DYNAMIC_DIRECTIVES.includes("NoNewPrivileges"));
  });

  it("opens the breaker in the section where systemd reads it", () => {
    const [unit = "", service = ""] = unitOf().split("[Service]");
    assert.match(unit, /^StartLimitIntervalSec=15s\nStartLimitBurst=5$/m);
    assert.doesNotMatch(service, /StartLimit/);
    assert.match(unitOf({ restart: { breaker: "off" } }), /^StartLimitIntervalSec=0$/m);
  });

  it("has the program's variables win over derived ones, and files of the host over both", () => {
    const text = unitOf(FULL);
    const order = ['Environment="GOMAXPROCS=2"', "EnvironmentFile=/etc/gofleet/cache/environment"];
    const chain = [
      ...order,
      "EnvironmentFile=/etc/default/buildcache\n",
      "EnvironmentFile=-/etc/default/buildcache-local",
    ];
    const at = chain.map((line) => text.indexOf(line));
    assert.ok(
      at.every((place, index) => place > (at[index - 1] ?? 0)),
      text,
    );
    assert.match(text, /^Environment="GOMEMLIMIT=966367641B"$/m);
  });

  it("restarts for whatever the service reads, and keeps sockets that do not change open", () => {
    const [service, http] = plan(FULL).units;
    assert.deepEqual(service?.reads, [
      "/etc/systemd/system/gofleet-cache.service",
      "/etc/gofleet/cache/environment",
      "/etc/gofleet/cache/notify",
      "token",
      plan().downloads[0]?.name,
      "/etc/gofleet/cache/files/cache.json",
    ]);
    assert.equal(service?.onChange, "restart");
    assert.deepEqual(http?.reads, ["/etc/systemd/system/gofleet-cache-http.socket"]);
  });

  it("reloads for its files alone: program, unit, variables, prober and secrets are read at a start", () => {
    const { reads, restartFor = [], onChange } = plan({ ...FULL, update: "reload" }).units[0] ?? assert.fail();
    assert.equal(onChange, "reload");
    assert.deepEqual(
      reads.filter((read) => !restartFor.includes(read)),
      ["/etc/gofleet/cache/files/cache.json"],
    );
    assert.deepEqual(
      restartFor.filter((read) => !reads.includes(read)),
      [],
    );
    const digests = (more: Partial<ServiceArgs>): string[] =>
      (
        /^unit\tgofleet-cache\.service\treload\t(.*)$/m.exec(
          manifest(plan({ ...FULL, update: "reload", ...more })),
        )?.[1] ?? ""
      ).split("\t");
    const [all, atStart] = digests({});
    assert.deepEqual(digests({ files: { "cache.json": "{}\n" } }).slice(1), [atStart]);
    assert.notEqual(digests({ files: { "cache.json": "{}\n" } })[0], all);
    for (const more of [{ env: { LOG_LEVEL: "debug" } }, { limits: { memory: "2 GiB" } }] as const) {
      assert.notEqual(digests(more)[1], atStart, JSON.stringify(more));
    }
  });

  it("says that a release is irreversible, and then its watch takes nothing back", () => {
    const made = (irreversible: boolean) =>
      servicePlan({ ...parts(), irreversible, watch: resolveWatch() }, { environment: "", files: {} });
    assert.match(manifest(made(true)), /^revert\tnever$/m);
    assert.doesNotMatch(manifest(made(false)), /^revert/m);
    assert.deepEqual(
      [made(true), made(false)].map(({ watch }) => watch?.onTrip),
      ["report", "revert"],
    );
  });

  it("says which ports it has, by socket or by itself", () => {
    assert.deepEqual(plan({ listen: ["127.0.0.1:7070", ":9090"] }).listens, [
      { address: "127.0.0.1", port: 7070, unit: "gofleet-cache.service" },
      { address: "::", port: 9090, unit: "gofleet-cache.service" },
    ]);
    assert.deepEqual(plan(FULL).listens, [
      { address: "::", port: 8080, unit: "gofleet-cache-http.socket" },
      { address: "127.0.0.1", port: 7071, unit: "gofleet-cache-metrics.socket" },
    ]);
  });

  it("holds no secret", () => {
    const made = plan(FULL);
    assert.doesNotMatch(JSON.stringify(made), /hidden/);
    assert.match(unitOf(FULL), /^LoadCredential=token:\/etc\/gofleet\/cache\/current\/\.gofleet\/secrets\/token$/m);
  });
});

function exposure(context: Mocha.Context, text: string): number {
  const folder = temporaryDirectory();
  try {
    const file = join(folder, "gofleet-cache.service");
    writeFileSync(file, text);
    const command = ["security", "--offline=yes", "--no-pager", file];
    const { stdout, stderr, error } = spawnSync("systemd-analyze", command, { encoding: "utf8" });
    if (error) skip(context, "there is no systemd-analyze");
    if (/unrecognized option|Unknown/.test(stderr)) skip(context, "systemd-analyze is older than 250");
    return Number(/exposure level for [^:]*: ([0-9.]+)/.exec(stdout)?.[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
