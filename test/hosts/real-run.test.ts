import assert from "node:assert/strict";
import { hostPool, type GoToolchainHostArgs } from "../../src/index";
import { TestStack } from "../support/engine";
import { hostRelease, release, stateReleases, target, toolchain } from "./programs";
import { GoProxy } from "./support/goproxy";
import { difference, type Host, hosts, type Listing, needsHosts } from "./support/hosts";
import { pause } from "./support/machine";

const COMPONENT = "gofleet-test-go";
const PROFILE = `/etc/profile.d/gofleet-${COMPONENT}.sh`;
const KEYS = "GOVERSION GOROOT GOTOOLCHAIN GOFLAGS GOPROXY GOSUMDB";
const ENV = { GOPROXY: "http://goproxy.test.example", GOSUMDB: "off" } as const;
const CHANGED = { ...ENV, GOFLAGS: "-mod=readonly" } as const;
/** Keeps what a cron job sees, in memory, so that it is no part of a listing. */
const CRON = `* * * * * root /usr/local/bin/go env ${KEYS} >/tmp/cron.new 2>&1; mv /tmp/cron.new /tmp/cron`;
/** What the go command keeps for those who run it, here the tests and the cron job. */
const OWN_TRACES = /^[-+] \/(root|home\/fleet)\/(\.config|\.cache|go)\b/;

/** One stack from its first preview to its end: each test goes on from where the one before left it. */
describe("a toolchain on two real hosts", function () {
  let first: Host;
  let second: Host;
  let proxy: GoProxy;
  let stack: TestStack;
  let untouched: readonly Listing[];

  const listings = () => Promise.all([first.listing(), second.listing()]);
  const changesSince = async (earlier: readonly Listing[]): Promise<string[]> =>
    (await listings())
      .flatMap((now, index) => difference(earlier[index] ?? now, now))
      .filter((line) => !OWN_TRACES.test(line));
  const onEach = (command: string) => Promise.all([first.exec(command), second.exec(command)]);
  const program = (version: string, more: Partial<GoToolchainHostArgs> = {}) =>
    toolchain(proxy.url, {
      target: hostPool({ hosts: { "rack-01": target(first), "rack-02": target(second) } }),
      go: release(version),
      env: ENV,
      ...more,
    });
  const onlyRelease = async (): Promise<string> => {
    const found = [
      ...Object.values(await stateReleases(stack)),
      ...(await Promise.all([first, second].map((host) => hostRelease(host, COMPONENT)))),
    ];
    assert.equal(new Set(found).size, 1, found.join(" "));
    return found[0] ?? "";
  };

  before(async function () {
    needsHosts(this);
    [first, second] = await Promise.all([hosts.boot("rack-01"), hosts.boot("rack-02")]);
    await onEach(`echo '${CRON}' >/etc/cron.d/see`);
    proxy = await GoProxy.start({ address: await hosts.operatorAddress() });
    untouched = await listings();
    stack = await TestStack.create(program("1.26.7"));
  });

  after(async () => {
    stack?.remove();
    await proxy?.stop();
    await hosts.stopAll();
  });

  it("is shown by a preview, which touches no host", async () => {
    assert.deepEqual((await stack.preview()).changes, { go: "create", "go-release": "create" });
    assert.deepEqual(await changesSince(untouched), []);
    assert.equal(proxy.downloads, 0);
  });

  it("comes on", async () => {
    const up = await stack.up();
    assert.deepEqual(up.changes, { go: "create", "go-release": "create" });
    assert.equal((await stack.outputs())["goVersion"]?.value, "go1.26.7");
    for (const version of await onEach("go version")) assert.match(version, /^go version go1\.26\.7 linux/);
    await onlyRelease();
  });

  it("stays as it is when nothing changed: no download, nothing written", async () => {
    const [downloads, now] = [proxy.downloads, await listings()];
    assert.deepEqual((await stack.up()).changes, {});
    assert.equal(proxy.downloads, downloads);
    assert.deepEqual(await changesSince(now), []);
  });

  it("shows a change of one file as one line, once for both hosts, and makes it", async () => {
    const [old, downloads] = [await onlyRelease(), proxy.downloads];
    stack.program = program("1.26.7", { env: CHANGED });
    const text = await stack.previewText();
    assert.match(text, /\+ *GOFLAGS=-mod=readonly/);
    assert.equal(text.split("GOFLAGS=-mod=readonly").length - 1, 1, text);
    await stack.up();
    assert.notEqual(await onlyRelease(), old);
    assert.equal(proxy.downloads, downloads);
  });

  it("gives a login shell, a service, a cron job and sudo the same settings", async () => {
    const go = `go env ${KEYS}`;
    const seen = {
      "login shell": await first.exec(`bash --login -c '${go}'`, { user: "fleet" }),
      service: await first.exec(`systemd-run --quiet --wait --pipe ${go}`),
      sudo: await first.exec(`sudo -n ${go}`, { user: "fleet" }),
      "ssh command": await first.exec(go),
      nothing: await first.exec(`env -i /usr/local/bin/${go}`),
      "cron job": await cronSees(first, "-mod=readonly"),
    };
    const lines = seen["login shell"].trim().split("\n");
    assert.deepEqual([lines[0], ...lines.slice(2)], ["go1.26.7", "local", "-mod=readonly", ENV.GOPROXY, ENV.GOSUMDB]);
    for (const [who, what] of Object.entries(seen)) assert.equal(what, seen["login shell"], who);
  });

  it("is really replaced by another version, and back", async () => {
    const [old, downloads] = [await onlyRelease(), proxy.downloads];
    stack.program = program("1.26.8", { env: CHANGED });
    await stack.up();
    assert.equal(proxy.downloads, downloads + 2, "one download a host");
    for (const version of await onEach("go version && go tool compile -V")) {
      assert.match(version, /^go version go1\.26\.8 linux.*\ncompile version go1\.26\.8/);
    }
    await builds(first, "go1.26.8");

    stack.program = program("1.26.7", { env: CHANGED });
    await stack.up();
    assert.equal(proxy.downloads, downloads + 2, "the release before is still on the host");
    assert.equal(await onlyRelease(), old);
    for (const version of await onEach("go version && go tool compile -V")) {
      assert.match(version, /^go version go1\.26\.7 linux.*\ncompile version go1\.26\.7/);
    }
  });

  it("names what was changed by hand, per host, at refresh and preview; up heals it", async () => {
    await first.exec(`echo 'alias go=false' >>${PROFILE}; rm /usr/local/bin/gofmt`);
    const binary = `/usr/local/lib/gofleet/${COMPONENT}/go1.26.7/bin/go`;
    await second.exec(`rm ${binary}; printf '#!/bin/sh\\necho go version go1.26.7\\n' >${binary}; chmod 755 ${binary}`);
    const release = await onlyRelease();
    const refresh = await stack.refresh();
    assert.equal(refresh.ops["go-release"], "refresh");

    const text = await stack.previewText();
    const [rack1, rack2] = [text.indexOf("rack-01"), text.indexOf("rack-02")];
    assert.ok(rack1 >= 0 && rack2 > rack1, text);
    assert.match(text.slice(rack1, rack2), /\/etc\/profile\.d\/\S+ *: "modified/);
    assert.match(text.slice(rack1, rack2), /\/usr\/local\/bin\/gofmt *: "missing/);
    assert.match(text.slice(rack2), /go1\.26\.7\/bin\/go *: "modified/);
    assert.doesNotMatch(text.slice(rack1, rack2), /bin\/go *: /);

    await stack.up();
    assert.equal(await onlyRelease(), release);
    assert.doesNotMatch(await first.exec(`cat ${PROFILE}; gofmt -h 2>&1 || true`), /alias|not found/);
    assert.match(await second.exec("go env GOROOT GOVERSION"), /^\S+\/go1\.26\.7\ngo1\.26\.7\n$/);
    await stack.refresh();
    assert.deepEqual((await stack.preview()).changes, {});
  });

  it("goes, and leaves the hosts as they were", async () => {
    await stack.destroy();
    assert.deepEqual(await changesSince(untouched), []);
    assert.equal(await first.exec("ls /run | grep gofleet || true"), "");
    assert.equal(await first.exec("systemctl list-units --all --plain --no-legend 'gofleet*'"), "");
    assert.deepEqual((await stack.state()).resources ?? [], []);
  });
});

/** Builds and runs a program with the host's go: proof that compiler, linker and library are of one release. */
async function builds(host: Host, version: string): Promise<void> {
  const main = 'package main\nimport "runtime"\nfunc main() { println(runtime.Version()) }\n';
  const run = "cd $(mktemp -d) && cat >main.go && GOFLAGS=-mod=mod GOCACHE=$PWD/cache go run main.go 2>&1";
  assert.equal((await host.exec(run, { input: main, timeout: 240_000 })).trim(), version);
}

/** What the cron job saw last, once it is something with this line. */
async function cronSees(host: Host, line: string): Promise<string> {
  for (let seconds = 0; seconds < 80; seconds++) {
    const { stdout } = await host.run("cat /tmp/cron");
    if (stdout.split("\n").includes(line)) return stdout;
    await pause(1000);
  }
  throw new Error(`no cron job saw ${line} within 80 s: ${(await host.run("cat /tmp/cron")).stdout}`);
}
