import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { SandboxArgs } from "../../src/model/sandbox/sandbox";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { machineGo, needsGo } from "../support/go";
import { PlannedHost } from "./support/planned-host";

const CACHE = "/var/cache/gofleet-ci/build";
const GO_ROOT = "/etc/gofleet/go/goroot";
const CONFIG = "/etc/gofleet/ci/sandbox.json";
const COMPILED = "example.com/a\n";

/** A package without imports: nothing else is compiled. What is compiled is named, then what came out of it. */
const build = (constant: string) => `
mkdir app && cd app
echo 'module example.com/a' >go.mod
echo 'package a; var Answer = ${constant}' >a.go
go build -v . 2>&1
sha256sum <"$(go list -export -f '{{.Export}}' .)"
`;

/** A text that takes this much room in what is built. */
const large = (megabytes: number, letter: string) =>
  `"'"$(head -c ${megabytes}000000 /dev/zero | tr '\\0' ${letter})"'"`;

async function boot(name: string, cache: SandboxArgs["cache"]): Promise<PlannedHost> {
  return PlannedHost.boot(name, { cache }, undefined, ({ host }) => {
    const at = (path: string) => join(host.rootDir, path);
    for (const path of ["usr/local/go", "etc/gofleet/go"]) mkdirSync(at(path), { recursive: true });
    symlinkSync("/usr/local/go", at(GO_ROOT));
    // Before the slots start: each asks it for its flags.
    execFileSync("cp", ["-a", `${machineGo()?.root}/.`, at("usr/local/go")]);
  });
}

describe("a build cache that slots share on a host", function () {
  let sandbox: PlannedHost;

  before(function () {
    needsHosts(this);
    needsGo(this);
  });
  after(() => hosts.stopAll());

  const job = async (slot: number, script: string) => {
    const { code, output } = await sandbox.job(slot, script);
    assert.equal(code, 0, output);
    return output;
  };

  it("spares a slot what another one has built, whoever's files they are", async () => {
    sandbox = await boot("shared", { kind: "disk", size: "64 MiB", scope: "shared" });
    const first = await job(1, build("42"));
    assert.ok(first.startsWith(COMPILED), first);
    assert.equal(await job(2, build("42")), first.slice(COMPILED.length));
    const second = await job(2, build("43"));
    assert.ok(second.startsWith(COMPILED), second);
    assert.equal(await job(1, build("43")), second.slice(COMPILED.length));
    const { host } = sandbox;
    assert.equal(
      await host.exec(`find ${CACHE} -type f -printf '%u %g %m\\n' | sort -u`),
      "gofleet-ci-1 gofleet-ci 660\ngofleet-ci-2 gofleet-ci 660\n",
    );
    assert.equal(await host.exec(`find ${CACHE} -type d -printf '%g %m\\n' | sort -u`), "gofleet-ci 2770\n");
  });

  it("is kept by its timer's unit: hits counted, damage found, brought back to its size", async () => {
    const keep = async () => {
      const { code, said } = await sandbox.unit("gofleet-ci-cache-keep");
      assert.equal(code, 0, said);
      return said;
    };
    const metrics = () => sandbox.host.exec("grep -v '^#' /var/lib/gofleet-ci/cache.prom");
    await keep();
    assert.match(await metrics(), /^gofleet_build_cache_over_budget\{component="ci",cache="shared"\} 0$/m);
    const kept = await job(1, build("44"));
    await job(1, build(large(3, "x")));
    await job(2, build(large(3, "y")));
    await keep();
    assert.match(await metrics(), /^gofleet_build_cache_job_hit_ratio\{component="ci",cache="shared"\} 0(\.\d+)?$/m);
    // Long not used, and then one of them damaged.
    await sandbox.host.exec(`find ${CACHE} -name '*-[ad]' -exec touch -d '3 hours ago' {} +`);
    assert.equal(await job(2, build("44")), kept.slice(COMPILED.length));
    await sandbox.host.exec(
      `small=$(find ${CACHE} -name '*-d' -size +100c -size -100k | head -n 1) &&
       printf X | dd of="$small" bs=1 conv=notrunc status=none`,
    );
    const config = JSON.parse(readFileSync(join(sandbox.host.rootDir, CONFIG), "utf8")) as { cache: object };
    const budget = 4 * 2 ** 20;
    sandbox.write(CONFIG, JSON.stringify({ ...config, cache: { ...config.cache, maxBytes: budget } }));
    const said = await keep();
    assert.match(said, /, [1-9]\d* damaged$/m);
    assert.match(said, /its content has SHA-256/);
    const bytes = Number(/^gofleet_build_cache_bytes\{[^}]*\} (\d+)$/m.exec(await metrics())?.[1]);
    assert.ok(bytes > 0 && bytes <= budget, String(bytes));
    const onDisk = await sandbox.host.exec(`du --summarize --block-size=1 ${CACHE}`);
    assert.ok(Number.parseInt(onDisk) <= budget + 2 ** 20, onDisk);
  });
});

describe("a build cache that jobs only read, on a host", function () {
  let sandbox: PlannedHost;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    sandbox = await boot("trusted", { kind: "disk", size: "64 MiB", scope: "shared", writes: "discard" });
  });
  after(() => hosts.stopAll());

  it("gives every slot what an administrator has built, and keeps nothing of theirs", async () => {
    const { host } = sandbox;
    const trusted = "/srv/trusted";
    const environment = `HOME=/root GOCACHE=${trusted}/cache GOFLAGS=-trimpath PATH=${GO_ROOT}/bin:$PATH`;
    const made = await host.exec(
      `cd "$(mktemp -d)" && export ${environment}\n${build("42")}gofleet-sandbox cache restore -cache ${CACHE} ${trusted} >&2`,
    );
    const listing = () => host.exec(`cd ${CACHE} && find . -type f -exec sha256sum {} + | sort`);
    const before = await listing();
    for (const slot of [1, 2]) {
      const same = await sandbox.job(slot, build("42"));
      assert.deepEqual(same, { code: 0, output: made.slice(COMPILED.length) });
      for (const _ of [1, 2]) {
        const { output } = await sandbox.job(slot, build("43"));
        assert.ok(output.startsWith(COMPILED), output);
      }
    }
    assert.equal(await listing(), before);
  });
});
