import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hook } from "../../src/host/hooks";
import { runHook } from "../../src/host/hook-runner";
import { runs } from "../support/processes";
import { until } from "../support/until";

const TOLD = { hook: "afterHealthy", host: "rack-1", component: "buildcache", from: "", to: "b" } as const;

describe("a hook beside the hosts", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "gofleet-hooks-"))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const note = (): number => {
    const file = join(directory, "pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  };
  const run = (hook: Partial<Hook>) =>
    runHook({ on: "operator", timeout: 60, failure: "fail", ...hook }, TOLD, () => assert.fail("not on a host"));
  const sh = (script: string) => ["sh", "-c", script, join(directory, "pid")];

  it("fails with what it printed, or with its code", async () => {
    await run({ command: sh('[ "$GOFLEET_HOST $GOFLEET_HOOK" = "rack-1 afterHealthy" ]') });
    await assert.rejects(run({ command: sh("echo smoke test; echo 3 failed >&2; exit 4") }), /smoke test 3 failed/);
    await assert.rejects(run({ command: sh("exit 4") }), /^Error: ended with 4$/);
    await assert.rejects(run({ command: [join(directory, "none")] }), /none ENOENT/);
  });

  it("is ended with its children when it takes too long, also where it will not", async () => {
    const stubborn =
      'trap \'\' TERM; sh -c \'trap "" TERM; echo $$ >"$0"; while :; do sleep 1; done\' "$0" & wait; wait';
    const late = run({ command: sh(`echo busy; ${stubborn}`), timeout: 1 });
    await assert.rejects(late, /^Error: took longer than 1 s: busy$/);
    await until(() => note() !== 0 && !runs(note()));
  });

  it("is over when it has ended, whatever it leaves behind", async () => {
    await run({ command: sh('setsid sleep 3600 & echo $! >"$0"'), timeout: 3600 });
    process.kill(note());
  });

  it("says why nobody took the evidence, without the address's path, which may be a secret", async () => {
    const server = createServer((_, response) => response.writeHead(403).end("no"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const post = () => run({ on: "http", url: `http://127.0.0.1:${port}/services/T0/token` });
    await assert.rejects(post(), new RegExp(`^Error: 127\\.0\\.0\\.1:${port} answered 403$`));
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await assert.rejects(post(), new RegExp(`^Error: 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
  });
});
