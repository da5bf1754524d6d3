import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Host } from "../hosts/support/hosts";
import { TestStack } from "../support/engine";
import { CACHES, COMPONENT, job, SandboxSurroundings } from "./support/sandbox-host";

const KEEPER = `gofleet-${COMPONENT}-cache-1.service`;
const GOCACHE = `${CACHES}/slots/1/build`;
const COPIES = `/var/lib/gofleet-${COMPONENT}/caches`;

/** Builds a program that says a word; what go compiles for it is in the output. */
const build = (word: string) => `
printf 'module example.com/app\\ngo 1.26\\n' >go.mod
printf 'package main\\nfunc main() { println("${word}") }\\n' >main.go
go build -x -o app . >said 2>&1
sed -n 's/^.*compile -o .* -p \\([^ ]*\\).*/compiled \\1/p' said
./app
`;

/** Prints the outputs of the cache that have not the content of their name. */
const DAMAGED = `
cd ${GOCACHE} && find . -name '*-d' -type f | while read -r file; do
  name=\${file##*/}
  [ "$(sha256sum <"$file")" = "\${name%-d}  -" ] || echo "$file"
done`;

describe("build caches in memory over a reboot of a real host", function () {
  this.timeout(600_000);
  let around: SandboxSurroundings;
  let host: Host;
  let stack: TestStack;

  const count = async () => Number(await host.exec(`find ${GOCACHE} -name '*-d' | wc -l`));

  before(async function () {
    around = await SandboxSurroundings.start(this);
    host = await around.host("builder");
    const cache = { kind: "tmpfs", size: "512 MiB", persist: "1 h", path: CACHES } as const;
    stack = await TestStack.create(around.program(host, { slots: 1, cache, hardening: { canary: false } }));
    await stack.up();
  });

  after(async () => {
    stack?.remove();
    await around?.stop();
  });

  it("are copied to the disk when the host shuts down, and are back before its first job", async () => {
    const { output, status } = await job(host, 1, build("before"));
    assert.equal(status, 0, output);
    assert.match(output, /^compiled runtime$/m);
    const outputs = await count();
    assert.ok(outputs > 50, String(outputs));
    await host.reboot();
    assert.equal((await host.exec(`systemctl is-active ${KEEPER}`)).trim(), "active");
    assert.match(await host.exec(`findmnt -no FSTYPE ${GOCACHE}`), /^tmpfs/);
    assert.equal(await count(), outputs);
    assert.equal((await host.exec(`find ${GOCACHE} ! -user gofleet-${COMPONENT}-1`)).trim(), "");
    assert.equal((await host.exec("systemctl list-units --failed --no-legend 'gofleet-*'")).trim(), "");
  });

  it("spare the next build what they hold, and it is right", async () => {
    const same = await job(host, 1, build("before"));
    assert.equal(same.status, 0, same.output);
    assert.match(same.output, /^before$/m);
    assert.doesNotMatch(same.output, /^compiled/m);
    const other = await job(host, 1, build("after"));
    assert.match(other.output, /^after$/m);
    assert.deepEqual(other.output.match(/^compiled .*$/gm), ["compiled main"]);
  });

  it("come back after a power cut as their timer's unit has copied them", async () => {
    await host.exec(`systemctl start gofleet-${COMPONENT}-cache-copy.service`);
    const outputs = await count();
    assert.equal((await job(host, 1, build("lost"))).status, 0);
    assert.ok((await count()) > outputs);
    await host.kill();
    await host.powerOn();
    assert.equal((await host.exec(`systemctl is-active ${KEEPER}`)).trim(), "active");
    assert.equal(await count(), outputs);
    const { output } = await job(host, 1, build("after"));
    assert.match(output, /^after$/m);
    assert.doesNotMatch(output, /^compiled/m);
  });

  it("that were damaged on the disk meanwhile are not believed", async () => {
    await host.powerOff();
    // As a bad disk leaves them: same size, other content.
    const copies = outputsBelow(join(host.rootDir, COPIES)).slice(0, 20);
    assert.equal(copies.length, 20);
    for (const file of copies) damage(file);
    await host.powerOn();
    assert.equal((await host.exec(`systemctl is-active ${KEEPER}`)).trim(), "active");
    const { output, status } = await job(host, 1, build("after"));
    assert.equal(status, 0, output);
    assert.match(output, /^after$/m);
    assert.equal(await host.exec(DAMAGED), "");
  });
});

/** Outputs of a build cache that are large enough to be damaged. */
function outputsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith("-d"))
    .map((path) => join(directory, path))
    .filter((file) => statSync(file).isFile() && statSync(file).size > 4096)
    .sort();
}

function damage(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, "XXXX", 100);
  closeSync(file);
}
