/** The canary build on a real host: under all directives it passes; a wrong one is named. */
import assert from "node:assert/strict";
import { output, type ResourceTransform } from "@pulumi/pulumi";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIRECTIVES } from "../../src/model/sandbox/directives";
import { must } from "../hosts/support/commands";
import { difference, hosts, needsHosts, type Host, type Result } from "../hosts/support/hosts";
import { needsGo } from "../support/go";
import { TestStack } from "../support/engine";
import { skipFor } from "../support/skip";
import { COMPONENT, SandboxSurroundings } from "./support/sandbox-host";
import { copyPackages, notInstalled } from "./support/installed";

const PACKAGES = ["gcc", "libc6-dev", "git"];
const STATE = "/var/lib/gofleet-ci";
const CACHE = "/var/cache/gofleet-ci/slots";
const UNIT = "/srv/gofleet-ci@.service";
const CONFIG = "/srv/sandbox.json";

/** What the canary writes to the state directory, as far as it is looked at. */
interface CanaryResult {
  readonly status: string;
  readonly remembered: boolean;
  readonly user: string;
  readonly steps: readonly { readonly name: string; readonly result: string; readonly reason?: string }[];
  readonly blame: readonly (readonly { readonly name: string; readonly value: string; readonly line: number }[])[];
  readonly output: readonly string[];
  readonly note?: string;
  readonly notGiven: readonly { readonly name: string; readonly reason: string }[];
}

/** A slot's surroundings, and everything that confines it. */
const GRANTING = [
  `Environment="HOME=${STATE}/slots/%i/home" "GOCACHE=${CACHE}/%i/build"`,
  `ReadWritePaths=${STATE}/slots/%i ${CACHE}/%i/build ${CACHE}/%i/modules`,
];
const LIMITS = ["MemoryMax=2G", "TasksMax=512", "LimitNOFILE=4096", "LimitCORE=0"];
const CONFINING = DIRECTIVES.flatMap(({ name, value }) => [value].flat().map((each) => `${name}=${each}`));
const FULL = [...GRANTING, ...LIMITS, ...CONFINING];

const replaced = (old: RegExp, line: string): string[] => [...FULL.filter((each) => !old.test(each)), line];

/** Directives that break a build, one by one, and the step that tells. */
const WRONG: Readonly<
  Record<string, { readonly lines: readonly string[]; readonly blamed: string; readonly step: string }>
> = {
  "no new processes": {
    lines: [...FULL, "SystemCallFilter=~clone clone3 fork vfork"],
    blamed: "SystemCallFilter=~clone clone3 fork vfork",
    step: "git-ssh",
  },
  "no program at all": {
    lines: [...FULL, "SystemCallFilter=~execve execveat"],
    blamed: "SystemCallFilter=~execve execveat",
    step: "start",
  },
  "no network but local sockets": {
    lines: replaced(/^RestrictAddressFamilies/, "RestrictAddressFamilies=AF_UNIX"),
    blamed: "RestrictAddressFamilies=AF_UNIX",
    step: "git-ssh",
  },
  "no git": {
    lines: [...FULL, "InaccessiblePaths=/usr/bin/git"],
    blamed: "InaccessiblePaths=/usr/bin/git",
    step: "git-ssh",
  },
  "one process": {
    lines: [...FULL, "LimitNPROC=1"],
    blamed: "LimitNPROC=1",
    step: "git-ssh",
  },
  "few open files": { lines: replaced(/^LimitNOFILE/, "LimitNOFILE=8"), blamed: "LimitNOFILE=8", step: "start" },
  "files of a kilobyte": { lines: [...FULL, "LimitFSIZE=1K"], blamed: "LimitFSIZE=1K", step: "git-ssh" },
  "a temporary directory that cannot be written": {
    lines: [...FULL, `ReadOnlyPaths=${STATE}/slots/%i/gotmp`],
    blamed: `ReadOnlyPaths=${STATE}/slots/%i/gotmp`,
    step: "build",
  },
  "nothing new may be executed": {
    lines: [...FULL, `NoExecPaths=${STATE}/slots/%i`],
    blamed: `NoExecPaths=${STATE}/slots/%i`,
    step: "build",
  },
  "too little memory": {
    lines: [...FULL, "LimitAS=64M"],
    blamed: "LimitAS=64M",
    step: "build",
  },
  "a build cache that cannot be written": {
    lines: replaced(/^ReadWritePaths/, `ReadWritePaths=${STATE}/slots/%i`),
    blamed: "ProtectSystem=strict",
    step: "build",
  },
  "settings that go does not take": {
    lines: [...FULL, "Environment=GOFLAGS=-mod=nonsense"],
    blamed: "Environment=GOFLAGS=-mod=nonsense",
    step: "build",
  },
  "an empty toolchain": {
    lines: [...FULL, "TemporaryFileSystem=/usr/local/go"],
    blamed: "TemporaryFileSystem=/usr/local/go",
    step: "build",
  },
  "no C compiler": {
    lines: [...FULL, "InaccessiblePaths=/usr/bin/gcc"],
    blamed: "InaccessiblePaths=/usr/bin/gcc",
    step: "cgo",
  },
};

/** Hosts that are broken themselves: a program that only fails, and the step that tells. */
const BROKEN: Readonly<Record<string, { readonly broken: string; readonly step: string; readonly said: RegExp }>> = {
  "a compiler that only fails": {
    broken: "/usr/local/go/pkg/tool/linux_$(dpkg --print-architecture)/compile",
    step: "build",
    said: /step build fails without any directive too, so the sandbox is not to blame/,
  },
  "a C compiler that only fails": {
    broken: "/usr/bin/gcc",
    step: "cgo",
    said: /step cgo fails without any directive too, so the sandbox is not to blame/,
  },
};

describe("canary build on a real host", function () {
  this.timeout(15 * 60_000);
  let host: Host;

  before(async function () {
    needsHosts(this);
    const go = needsGo(this);
    skipFor(this, notInstalled(PACKAGES));
    host = await hosts.boot("canary");
    const at = (path: string): string => join(host.rootDir, path);
    mkdirSync(at("usr/local/go"), { recursive: true });
    await must("cp", ["-a", `${go.root}/.`, at("usr/local/go")]);
    await copyPackages(host.rootDir, PACKAGES);
    execFileSync("go", ["build", "-trimpath", "-o", at("usr/local/bin/gofleet-sandbox"), "."], {
      cwd: join(__dirname, "../../hosttools/sandbox"),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
    });
    await host.exec(
      "groupadd --system gofleet-ci && useradd --system --gid gofleet-ci --home / --shell /usr/sbin/nologin gofleet-ci-1",
    );
    const slot = { number: 1, user: "gofleet-ci-1", unit: "gofleet-ci@1.service", workspace: `${STATE}/slots/1` };
    const config = {
      component: "ci",
      go: "/usr/local/go/bin/go",
      group: "gofleet-ci",
      state: STATE,
      runtime: "/run/gofleet-ci",
      pauseMark: "/run/gofleet-ci/paused",
      jobLock: "/run/gofleet-ci/jobs.lock",
      metrics: `${STATE}/metrics.prom`,
      slots: [{ ...slot, buildCache: `${CACHE}/1/build`, modules: `${CACHE}/1/modules` }],
      cache: { kind: "disk" },
      watch: { lowPercent: 75, pausePercent: 85, reclaimPercent: 95 },
    };
    writeFileSync(at(CONFIG), JSON.stringify(config));
  });
  after(() => hosts.stopAll());

  const canary = (lines: readonly string[], more = ""): Promise<Result> => {
    const unit = [
      "[Service]",
      "Type=exec",
      "User=gofleet-ci-%i",
      "Slice=gofleet-ci-%i.slice",
      "ExecStart=/bin/true",
      ...lines,
    ];
    writeFileSync(join(host.rootDir, UNIT), `${unit.join("\n")}\n`);
    return host.run(`gofleet-sandbox canary -config ${CONFIG} -unit ${UNIT} ${more}`, { timeout: 600_000 });
  };
  const result = (): CanaryResult =>
    JSON.parse(readFileSync(join(host.rootDir, STATE, "canary.json"), "utf8")) as CanaryResult;

  it("passes on a host that has nothing of the sandbox yet, and leaves nothing", async () => {
    const before = await host.listing();
    const { code, stdout, stderr } = await canary(FULL);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^passed with the \d+ directives of .* and go1\.\S+: git-ssh, build, run, test, cgo, race$/m);
    assert.match(stdout, /^not given: Slice \(line 4\): the canary must not take memory or time from running jobs$/m);
    assert.deepEqual(
      difference(before, await host.listing()).filter((line) => !line.includes(UNIT)),
      [],
    );
    assert.equal(
      (
        await host.exec(
          "systemctl list-units --all --plain --no-legend 'gofleet-*'; ls /run | grep canary-.*[^k]$; true",
        )
      ).trim(),
      "",
    );
  });

  describe("with its state directory", () => {
    before(() => host.exec(`mkdir -p ${STATE}`));

    for (const [what, { lines, blamed, step }] of Object.entries(WRONG)) {
      it(`names the directive: ${what}`, async () => {
        const { code, stdout, stderr } = await canary(lines);
        const { status, blame, steps, output } = result();
        assert.deepEqual([code, status], [1, "failed"], stdout + stderr);
        assert.deepEqual(
          blame.map((set) => set.map(({ name, value }) => `${name}=${value}`)),
          [[blamed]],
          stdout,
        );
        assert.equal(steps.find(({ result }) => result === "failed")?.name, step, stdout);
        assert.ok(output.length > 0, stdout);
        assert.ok(stdout.trimEnd().endsWith(`to blame: ${blamed} (line ${lines.indexOf(blamed) + 6})`), stdout);
      });
    }

    it("names each of two directives that would do alone", async () => {
      const wrong = ["InaccessiblePaths=/usr/bin/git", "RestrictAddressFamilies=AF_UNIX"];
      const { code, stdout } = await canary([
        ...FULL.filter((each) => !/^RestrictAddressFamilies/.test(each)),
        ...wrong,
      ]);
      assert.equal(code, 1, stdout);
      const named = result().blame.map((set) => set.map(({ name, value }) => `${name}=${value}`));
      assert.deepEqual(named.sort(), [[wrong[0]], [wrong[1]]], stdout);
    });

    for (const [what, { broken, step, said }] of Object.entries(BROKEN)) {
      it(`blames no directive for a host with ${what}`, async () => {
        await host.exec(
          `mv ${broken} ${broken}.away && printf '#!/bin/sh\\nexit 1\\n' >${broken} && chmod 755 ${broken}`,
        );
        try {
          const { code, stdout } = await canary(FULL);
          const { status, blame, steps } = result();
          assert.deepEqual([code, status, blame], [3, "fails without the sandbox", []], stdout);
          assert.equal(steps.find(({ result }) => result === "failed")?.name, step, stdout);
          assert.match(stdout, said);
        } finally {
          await host.exec(`mv ${broken}.away ${broken}`);
        }
      });
    }

    it("says what it did not try for want of a compiler", async () => {
      await host.exec("mv /usr/bin/gcc /usr/bin/gcc.away");
      const { code, stdout } = await canary(FULL).finally(() => host.exec("mv /usr/bin/gcc.away /usr/bin/gcc"));
      assert.equal(code, 0, stdout);
      assert.match(stdout, /^not tried: cgo: there is no C compiler \(gcc\)$/m);
      assert.match(stdout, /: git-ssh, build, run, test$/m);
    });

    it("builds nothing again for the same set of directives, and does for another", async () => {
      const first = await canary(FULL);
      assert.deepEqual([first.code, result().remembered], [0, false], first.stdout);
      const again = await canary(["# another comment", ...FULL]);
      assert.deepEqual([again.code, result().remembered], [0, true], again.stdout);
      assert.match(again.stdout, /^the \d+ directives of \S+ passed before with go1\.\S+$/m);
      const { code, stdout } = await canary([...FULL, "InaccessiblePaths=/usr/bin/git"]);
      assert.deepEqual([code, result().status], [1, "failed"], stdout);
    });

    it("does not let an earlier result stand where it could not be tried", async () => {
      const { code, stderr } = await host.run(`gofleet-sandbox canary -config ${CONFIG} -unit /srv/missing@.service`);
      assert.equal(code, 3, stderr);
      const { status, note } = result();
      assert.equal(status, "not tried");
      assert.match(note ?? "", /\/srv\/missing@\.service: no such file/);
    });
  });
});

const SLOT = `gofleet-${COMPONENT}@1.service`;
const TEMPLATE = `/etc/systemd/system/gofleet-${COMPONENT}@.service`;
const CURRENT = `/etc/gofleet/${COMPONENT}/current`;
const RESULT = `/var/lib/gofleet-${COMPONENT}/canary.json`;

/** With it no job could run what it has built. */
const CARELESS = `NoExecPaths=/var/lib/gofleet-${COMPONENT}/slots/%i`;

/** Puts a directive into the template of the release. */
const withCareless: ResourceTransform = ({ name, props, opts }) => {
  if (name !== "ci-release") return undefined;
  const files = output(props["files"] as Record<string, string>).apply((texts) => ({
    ...texts,
    [TEMPLATE]: (texts[TEMPLATE] ?? "").replace("[Service]\n", `[Service]\n${CARELESS}\n`),
  }));
  return { props: { ...props, files }, opts };
};

describe("canary build before a switch", function () {
  this.timeout(15 * 60_000);
  let around: SandboxSurroundings;
  let host: Host;
  let stack: TestStack;
  const args = { slots: 1, hardening: { canary: true } };

  before(async function () {
    around = await SandboxSurroundings.start(this);
    host = await around.host("builder");
    stack = await TestStack.create(around.program(host, args));
  });

  after(async () => {
    stack?.remove();
    await around?.stop();
  });

  const facts = () =>
    host.exec(`readlink ${CURRENT}; cat ${TEMPLATE}; systemctl show -P MainPID -P NRestarts -P NoExecPaths ${SLOT}`);
  const result = async () => JSON.parse(await host.exec(`cat ${RESULT}`)) as CanaryResult;

  it("lets a good set of directives through", async () => {
    await stack.up();
    assert.equal((await host.exec(`systemctl is-active ${SLOT}`)).trim(), "active");
  });

  it("refuses a wrong one and names it; everything stays as it was", async () => {
    const before = await facts();
    stack.program = around.program(host, args, { transforms: [withCareless] });
    const { errors } = await stack.up({ expect: "failure" });
    assert.match(errors.join("\n"), new RegExp(`to blame: ${CARELESS} \\(line \\d+\\)`));
    assert.equal(await facts(), before);
    assert.equal((await result()).status, "failed");
  });

  it("passes again without it", async () => {
    stack.program = around.program(host, { ...args, limits: { memory: "3 GiB", tasks: 1024 } });
    await stack.up();
    const { status, steps } = await result();
    assert.equal(status, "passed");
    const passed = steps.filter(({ result }) => result === "passed").map(({ name }) => name);
    for (const step of ["build", "run", "test"]) assert.ok(passed.includes(step), passed.join());
  });
});
