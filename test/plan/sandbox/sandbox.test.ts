import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIRECTIVES } from "../../../src/model/sandbox/directives";
import { manifest } from "../../../src/plan/manifest";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { skip } from "../../support/skip";
import { assertSystemdTakes, shellcheck } from "./host-tools";
import { parts, plan, textOf } from "./parts";

const TEMPLATE = "/etc/systemd/system/gofleet-ci@.service";
/** The firewall's and AppArmor's files have their own tests. */
const OWN = (path: string) => !/egress|apparmor|denials/.test(path);

describe("sandbox plan", () => {
  it("is as written down", () => {
    const made = plan({
      network: { allow: [{ host: "git.corp.example", ports: [22, 443] }, "10.20.0.0/16"], resolver: "10.20.0.53" },
      inputs: { testdata: "/srv/testdata" },
      job: { before: ["/usr/bin/true"] },
    });
    assertGolden("sandbox/plan/manifest", manifest(made));
    for (const { path, text } of made.files) if (OWN(path)) assertGolden(`sandbox/plan${path}`, text);
    for (const { name, script } of made.checks) if (OWN(name)) assertGolden(`sandbox/plan/checks/${name}.sh`, script);
    for (const { name, script } of made.probes) if (OWN(name)) assertGolden(`sandbox/plan/probes/${name}.sh`, script);
  });

  it("has units that systemd takes without a word", function () {
    for (const limits of [undefined, { memory: "8 GiB", workspace: "1 GiB" } as const]) {
      const made = plan(limits && { limits });
      assertSystemdTakes(
        this,
        made.files
          .filter(({ path }) => path.startsWith("/etc/systemd/system/"))
          // A template is read as one of its instances.
          .map(({ path, text }) => ({ path: path.replace("@.", "@1."), text: text.replaceAll("%i", "1") })),
      );
    }
  });

  it("has checks and probes that shellcheck has nothing to say of", function () {
    for (const { script } of [...plan().checks, ...plan().probes]) assert.equal(shellcheck(this, script), "");
  });

  it("exposes a slot as little as promised, and more with each directive that is turned off", function () {
    const folder = temporaryDirectory();
    const exposure = (text: string) => {
      writeFileSync(join(folder, "gofleet-ci@1.service"), text);
      const command = ["security", "--offline=yes", "--no-pager", join(folder, "gofleet-ci@1.service")];
      const { stdout, stderr, error } = spawnSync("systemd-analyze", command, { encoding: "utf8" });
      if (error) return skip(this, "there is no systemd-analyze");
      if (/unrecognized option|Unknown/.test(stderr)) return skip(this, "systemd-analyze is older than 250");
      return Number(/exposure level for [^:]*: ([0-9.]+)/.exec(stdout)?.[1]);
    };
    try {
      mkdirSync(folder, { recursive: true });
      const closed = exposure(textOf(plan(), TEMPLATE));
      assert.ok(closed <= 1.5, `exposure ${closed}`);
      const bound = exposure(textOf(plan({ limits: { memory: "8 GiB", workspace: "1 GiB" } }), TEMPLATE));
      assert.ok(bound <= 1.5, `exposure ${bound} with a bound of workspaces`);
      assert.ok(
        exposure(textOf(plan({ hardening: { off: ["SystemCallFilter", "PrivateUsers"] } }), TEMPLATE)) > closed,
      );
      assert.ok(exposure(textOf(plan({ userNamespaces: true }), TEMPLATE)) > closed);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("bounds temporary directories where workspaces have a bound, and tells the program of it", () => {
    const made = plan({ limits: { memory: "8 GiB", workspace: "1 GiB" } });
    const size = "size=1073741824,mode=1777,nosuid,nodev";
    const unit = textOf(made, TEMPLATE);
    assert.match(unit, new RegExp(`^TemporaryFileSystem=/dev/shm:${size} /tmp:${size} /var/tmp:${size}$`, "m"));
    assert.doesNotMatch(unit, /^PrivateTmp=/m);
    const { job } = JSON.parse(textOf(made, "/etc/gofleet/ci/sandbox.json")) as { job: { workspaceBytes: number } };
    assert.equal(job.workspaceBytes, 2 ** 30);
  });

  it("builds a canary before the switch, unless told not to", () => {
    const checks = (canary: boolean) => plan({ hardening: { canary } }).checks.map(({ name }) => name);
    assert.deepEqual(checks(true), ["canary", "subordinate-users", "apparmor"]);
    assert.deepEqual(checks(false), ["subordinate-users", "apparmor"]);
  });

  it("tells jobs of a cache program without a word in their unit, and lets AppArmor execute it", () => {
    const program = { command: ["/srv/cache/client", "-url", "x"] } as const;
    const made = plan({ cache: { size: "2 GiB", program } });
    assert.equal(textOf(made, TEMPLATE), textOf(plan({ cache: { size: "2 GiB" } }), TEMPLATE));
    assert.match(textOf(made, "/etc/apparmor.d/gofleet-ci.d/common"), /^ *"?\/srv\/cache\/\*\*"? mrix,$/m);
    const { cache } = JSON.parse(textOf(made, "/etc/gofleet/ci/sandbox.json")) as { cache: Record<string, unknown> };
    assert.deepEqual([cache["program"], cache["programWrites"]], [program.command, false]);
  });

  it("builds it under a profile of its own, which goes again however that ends", () => {
    const staged = temporaryDirectory();
    try {
      const script = (confinement: "enforce" | "off") =>
        plan({ confinement }).checks.find(({ name }) => name === "canary")?.script ?? "";
      mkdirSync(join(staged, "etc/gofleet/ci"), { recursive: true });
      writeFileSync(join(staged, "etc/gofleet/ci/apparmor"), 'echo "$@"\n');
      const run = (code: number) =>
        spawnSync(
          "sh",
          ["-c", script("enforce").replace(/^\S+gofleet-sandbox /m, `fails() { return ${code}; }; fails `)],
          {
            encoding: "utf8",
            env: { ...process.env, GOFLEET_STAGED: staged },
          },
        );
      for (const code of [0, 3]) {
        const { status, stdout } = run(code);
        assert.deepEqual([status, stdout], [code, `load-canary ${staged}\nunload-canary\n`]);
      }
      assert.doesNotMatch(script("off"), /apparmor/);
    } finally {
      rmSync(staged, { recursive: true });
    }
  });

  it("lets AppArmor execute the agent wherever it is", () => {
    const made = plan({ agent: { kind: "exec", command: ["/srv/agents/runner"] } });
    assert.match(textOf(made, "/etc/apparmor.d/gofleet-ci.d/common"), /^ *"?\/srv\/agents\/\*\*"? mrix,$/m);
  });

  it("leaves out what is turned off, and nothing else", () => {
    const lines = (off: Parameters<typeof plan>[0]) => textOf(plan(off), TEMPLATE).split("\n");
    const all = lines({});
    for (const { name } of DIRECTIVES) {
      const without = lines({ hardening: { off: [name] } });
      const missing = all.filter((line) => !without.includes(line));
      assert.ok(
        missing.length > 0 && missing.every((line) => line.startsWith(`${name}=`)),
        `${name}: ${missing.join()}`,
      );
    }
  });

  it("has jobs, and what looks names up for them, ask the resolver alone", () => {
    const file = "/etc/gofleet/ci/resolv.conf";
    const units = ["@", "-modules", "-egress-names"].map((name) => `/etc/systemd/system/gofleet-ci${name}.service`);
    const allow = ["git.corp.example"];
    const given = plan({ network: { allow, resolver: "10.20.0.53" } });
    const none = plan({ network: { allow, resolver: "none" } });
    assert.match(textOf(given, file), /^nameserver 10\.20\.0\.53$/m);
    assert.doesNotMatch(textOf(none, file), /nameserver/);
    for (const unit of units) {
      assert.match(textOf(given, unit), new RegExp(`^BindReadOnlyPaths=-${file}:/etc/resolv\\.conf$`, "m"));
      assert.match(textOf(given, unit), /^InaccessiblePaths=.*-\/run\/systemd\/resolve\/io\.systemd\.Resolve$/m);
      // Another resolver is the next job's; no job ends for it.
      assert.equal(textOf(none, unit), textOf(given, unit));
    }
  });

  it("starts what a slot needs before it, and no slot without its firewall", () => {
    const unit = textOf(plan(), TEMPLATE);
    assert.match(unit, /^Requires=gofleet-ci-egress\.service gofleet-ci-apparmor\.service$/m);
    assert.match(unit, /^AppArmorProfile=gofleet-ci-%i$/m);
    const open = textOf(plan({ confinement: "off" }), TEMPLATE);
    assert.match(open, /^Requires=gofleet-ci-egress\.service$/m);
    assert.doesNotMatch(open, /AppArmor/);
    assert.match(unit, /^Wants=network-online\.target gofleet-ci-cache-%i\.service$/m);
    assert.match(unit, /^RequiresMountsFor=.*"\/var\/cache\/gofleet-ci\/slots\/%i\/build"$/m);
    // Guard, then workspace; the agent itself is never root's.
    assert.match(unit, /^ExecStartPre=\+\/bin\/sh .*\nExecStartPre=\+\/usr\/local\/lib\/.* "prepare" /m);
    assert.match(unit, /^ExecStart=\/usr\/local\/lib\/.*"run" .* -- "\/usr\/local\/bin\/runner" "--once"$/m);
    assert.match(unit, /^ExecStopPost=\+.* "finish" /m);
  });

  it("has a mount for each cache in memory, and none on the disk", () => {
    const mounts = (more: Parameters<typeof plan>[0]) =>
      plan(more).files.flatMap(({ path, text }) => (path.endsWith(".mount") ? [/^Where=(.*)$/m.exec(text)?.[1]] : []));
    const slots = [1, 2].map((number) => `/var/cache/gofleet-ci/slots/${number}/build`);
    assert.deepEqual(mounts({}), slots);
    assert.deepEqual(mounts({ cache: { kind: "tmpfs", size: "2 GiB", scope: "shared" } }), [
      "/var/cache/gofleet-ci/build",
    ]);
    // What a job discards is written to memory of its own.
    assert.deepEqual(mounts({ cache: { kind: "tmpfs", size: "2 GiB", scope: "shared", writes: "discard" } }), slots);
    assert.deepEqual(mounts({ cache: { kind: "tmpfs", size: "2 GiB", writes: "discard" } }), slots);
    assert.deepEqual(mounts({ cache: { size: "2 GiB" } }), []);
    assert.deepEqual(mounts({ cache: { kind: "tmpfs", size: "2 GiB", path: "/srv/go-caches" } }), [
      "/srv/go-caches/slots/1/build",
      "/srv/go-caches/slots/2/build",
    ]);
  });

  it("copies caches to the disk only where that is asked for", () => {
    const keepers = (more: Parameters<typeof plan>[0]) =>
      plan(more).files.flatMap(({ path }) => /gofleet-ci-(cache(?:-\d+)?\.service)$/.exec(path)?.[1] ?? []);
    assert.deepEqual(keepers({}), ["cache-1.service", "cache-2.service"]);
    assert.deepEqual(keepers({ cache: { kind: "tmpfs", size: "2 GiB", scope: "shared" } }), ["cache.service"]);
    assert.deepEqual(keepers({ cache: { kind: "tmpfs", size: "2 GiB", persist: false } }), []);
    assert.deepEqual(keepers({ cache: { size: "2 GiB" } }), []);
    assert.deepEqual(keepers({ cache: { kind: "tmpfs", size: "2 GiB", writes: "discard" } }), []);
  });

  it("counts what is in a slot's cache against that slot, also when no job runs and after a reboot", () => {
    const own = plan({ limits: { memory: "16 GiB" } });
    assert.match(textOf(own, TEMPLATE), /^Slice=gofleet-ci-%i\.slice$/m);
    for (const number of [1, 2]) {
      assert.match(textOf(own, `/etc/systemd/system/gofleet-ci-${number}.slice`), /^MemoryMax=8589934592$/m);
      const keeper = textOf(own, `/etc/systemd/system/gofleet-ci-cache-${number}.service`);
      assert.match(keeper, new RegExp(`^Slice=gofleet-ci-${number}\\.slice$`, "m"));
      assert.match(keeper, new RegExp(`^ExecStart=.* "restore" .* "-slot" "${number}"$`, "m"));
      assert.match(keeper, new RegExp(`^RequiresMountsFor="[^"]*/slots/${number}/build"$`, "m"));
    }
    const shared = plan({ cache: { kind: "tmpfs", size: "2 GiB", scope: "shared" } });
    assert.match(textOf(shared, "/etc/systemd/system/gofleet-ci-cache.service"), /^Slice=gofleet-ci\.slice$/m);
  });

  it("lets the users of all slots write a shared cache, and only a slot's own user its own", () => {
    const shared = plan({ cache: { size: "2 GiB", scope: "shared" } });
    assert.match(textOf(shared, TEMPLATE), /^UMask=0007$/m);
    assert.match(textOf(shared, TEMPLATE), /^Environment="GOCACHE=\/var\/cache\/gofleet-ci\/build"$/m);
    assert.match(
      textOf(shared, "/etc/tmpfiles.d/gofleet-ci.conf"),
      /^d \/var\/cache\/gofleet-ci\/build 2770 root gofleet-ci -$/m,
    );
    const own = plan({ cache: { size: "2 GiB" } });
    assert.match(textOf(own, TEMPLATE), /^UMask=0077$/m);
    assert.match(
      textOf(own, "/etc/tmpfiles.d/gofleet-ci.conf"),
      /^d \S+\/slots\/2\/build 0700 gofleet-ci-2 gofleet-ci -$/m,
    );
  });

  it("tells the program where modules come from, and how container caches are emptied", () => {
    const config = (more: Parameters<typeof plan>[0]) =>
      JSON.parse(textOf(plan(more), "/etc/gofleet/ci/sandbox.json")) as {
        readonly modules: { readonly environment: unknown };
        readonly watch: { readonly containers: readonly (readonly string[])[] };
      };
    const env = { GOPROXY: "https://goproxy.corp.example", GONOSUMDB: "git.corp.example" };
    assert.deepEqual(config({ modules: { env } }).modules.environment, env);
    const commands = (containers: "docker" | "podman" | [`/${string}`, ...string[]]) =>
      config({ watermarks: { containers } }).watch.containers.map((words) => words.slice(words.indexOf("--") + 1));
    assert.deepEqual(config({}).watch.containers, []);
    assert.deepEqual(
      commands("docker").map((words) => words.slice(0, 3).join(" ")),
      ["/usr/bin/docker builder prune", "/usr/bin/docker image prune"],
    );
    assert.deepEqual(commands("podman"), [["/usr/bin/podman", "image", "prune", "--all", "--force"]]);
    assert.deepEqual(commands(["/opt/prune", "now"]), [["/opt/prune", "now"]]);
  });

  it("takes a new size of a cache, or new limits of slices, without stopping anything", () => {
    const units = plan().units.filter(({ name }) => /\.(mount|slice)$/.test(name));
    assert.deepEqual(
      units.map(({ name, onChange }) => [name.replace(/^.*\./, ""), onChange]),
      [
        ["slice", "none"],
        ["slice", "none"],
        ["slice", "none"],
        ["mount", "reload"],
        ["mount", "reload"],
      ],
    );
  });

  it("gives the program another name for another source, and the units with it", () => {
    const { program } = parts();
    assert.match(program, /^\/usr\/local\/lib\/gofleet\/ci\/sandbox-[0-9a-f]{12}-[0-9a-f]{8}\/bin\/gofleet-sandbox$/);
    assert.equal(plan().downloads[0]?.build?.goRoot, "/etc/gofleet/go/goroot");
    assert.ok(textOf(plan(), TEMPLATE).includes(program));
  });
});
