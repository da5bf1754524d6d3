import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { must } from "../hosts/support/commands";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { needsGo, temporaryDirectory } from "../support/go";
import { PlannedHost } from "./support/planned-host";

const STORE = "/srv/remote";
const GO_ROOT = "/etc/gofleet/go/goroot";

/** What a job's user starts: a program with a store that root alone writes, and a log for each user. */
const PROGRAM = "/usr/local/bin/remote-cache";
const START = `#!/bin/sh
exec /usr/local/bin/store ${STORE} "/srv/results/asked.$(id -u)"
`;

/** A package without imports: nothing else is compiled. What is compiled is named, then what came out of it. */
const build = (answer: number) => `
mkdir app && cd app
echo 'module example.com/a' >go.mod
echo 'package a; const Answer = ${answer}' >a.go
go build -trimpath -v . 2>&1
sha256sum <"$(go list -trimpath -export -f '{{.Export}}' .)"
`;
const COMPILED = "example.com/a\n";

describe("a GOCACHEPROG of jobs on a host", function () {
  let sandbox: PlannedHost;

  before(async function () {
    needsHosts(this);
    const go = needsGo(this);
    const store = join(temporaryDirectory(), "store");
    const source = join(__dirname, "../../hosttools/sandbox/internal/cacheprog/testdata/store");
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOTOOLCHAIN: "local", GOWORK: "off" };
    execFileSync("go", ["build", "-o", store, "."], { cwd: source, env, stdio: "pipe" });
    const cache = { kind: "disk", size: "48 MiB", program: { command: [PROGRAM] } } as const;
    sandbox = await PlannedHost.boot("cacheprog", { cache }, undefined, (host) => {
      host.place(store, "/usr/local/bin/store");
      host.write(PROGRAM, START, 0o755);
      const at = (path: string) => join(host.host.rootDir, path);
      for (const path of ["usr/local/go", STORE, "etc/gofleet/go"]) mkdirSync(at(path), { recursive: true });
      symlinkSync("/usr/local/go", at(GO_ROOT));
    });
    await must("cp", ["-a", `${go.root}/.`, join(sandbox.host.rootDir, "usr/local/go")]);
  });
  after(() => hosts.stopAll());

  /** A build that everybody trusts, as root, which is all that the store gets. */
  const trusted = async (answer: number) => {
    const environment = `HOME=/root GOCACHE=/srv/trusted GOCACHEPROG='/usr/local/bin/store ${STORE} /srv/filled' PATH=${GO_ROOT}/bin:$PATH`;
    const script = `cd "$(mktemp -d)" && export ${environment}\n${build(answer)}chmod -R a+rX ${STORE}`;
    const said = await sandbox.host.exec(script);
    assert.match(said, /^example\.com\/a\n[0-9a-f]{64} {2}-\n$/);
    return said.slice(COMPILED.length);
  };
  const stored = () => sandbox.host.exec(`cd ${STORE} && sha256sum *`);
  const job = async (slot: number, script: string) => {
    const { code, output } = await sandbox.job(slot, script);
    assert.equal(code, 0, output);
    return output;
  };

  it("gives a build what was built before, which the job does not compile again", async () => {
    const made = await trusted(42);
    assert.equal(await job(1, build(42)), made);
    const asked = await sandbox.host.exec('cat "/srv/results/asked.$(id -u gofleet-ci-1)"');
    assert.match(asked, /^get $/m);
    assert.doesNotMatch(asked, /put/);
  });

  it("gets nothing of what jobs build", async () => {
    const before = await stored();
    assert.ok((await job(1, build(1))).startsWith(COMPILED));
    assert.equal(await stored(), before);
    // Nor does another slot.
    assert.ok((await job(2, build(1))).startsWith(COMPILED));
  });

  it("cannot be made to give others what a hostile job wrote", async () => {
    const made = await trusted(43);
    const before = await stored();
    const hostile = `
      action=$(cd ${STORE} && ls | grep -v body | head -n 1)
      put="{\\"ID\\":1,\\"Command\\":\\"put\\",\\"ActionID\\":\\"$(perl -e 'print pack "H*", shift' "$action" | base64 -w 0)\\",\\"OutputID\\":\\"AAAA\\",\\"BodySize\\":3}"
      printf '%s\\n"YWJj"\\n' "$put" | ${PROGRAM} && echo put
      for file in ${STORE}/*; do echo x 2>/dev/null >"$file" && echo written; done
      rm -f ${STORE}/* && echo removed
      find "$GOCACHE" -name '*-d' -exec sh -c 'echo x >"$1"' - {} \\;
      echo tried`;
    const said = await job(1, hostile);
    assert.match(said, /tried\n$/);
    assert.doesNotMatch(said, /^(put|written|removed)$/m);
    assert.equal(await stored(), before);
    assert.equal(await job(2, build(43)), made);
    // What it wrote into its own slot's cache is found before the next job of that slot.
    assert.equal(await job(1, build(43)), made);
  });

  it("is not believed where it has something else than it says", async () => {
    const made = await trusted(44);
    await sandbox.host.exec(`for body in ${STORE}/*.body; do echo 'not what was built' >"$body"; done`);
    const said = await job(2, build(44));
    assert.match(said, /^gofleet-sandbox: warning: .*: its content is another; builds go on without what it has\n/);
    assert.ok(said.endsWith(`\n${COMPILED}${made}`), said);
  });
});
