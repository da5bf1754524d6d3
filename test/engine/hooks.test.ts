import { strict as assert } from "node:assert";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  BuildAgentSandbox,
  GoProxyMirror,
  GoServiceUnit,
  GoToolchainHost,
  lock,
  type HookArgs,
  type HooksArgs,
} from "../../src/index";
import { withStack, type TestStack } from "../support/engine";
import { example } from "../support/example";
import { addresses, FakeHosts, LOCK, pool, toolchain } from "./pool-program";

const COMPONENT = "gofleet-test-go";

/** What a hook was told, by the names of its environment or of its JSON body. */
type Evidence = Record<string, string>;

describe("hooks through the real engine", function () {
  this.timeout(600_000);
  let hosts: FakeHosts;
  let notes = "";
  beforeEach(() => {
    hosts = new FakeHosts();
    notes = join(hosts.directory, "notes");
  });
  afterEach(() => hosts.remove());

  /** A command that writes down what it is told, then ends with the code. */
  const note = (code = 0): readonly string[] => [
    "sh",
    "-c",
    `{ env | grep ^GOFLEET_ | grep -v ^GOFLEET_FAKE | grep -v ^GOFLEET_TRANSPORT; echo; } >>"$0"; echo refused by a test; exit ${code}`,
    notes,
  ];
  const told = (): Evidence[] =>
    (existsSync(notes) ? readFileSync(notes, "utf8") : "")
      .split("\n\n")
      .filter((block) => block.trim() !== "")
      .map((block) =>
        Object.fromEntries(
          [...block.matchAll(/^GOFLEET_([A-Z]+)=(.*)$/gm)]
            // What whoever runs the tests has set is not the hook's.
            .filter(([, key = ""]) => process.env[`GOFLEET_${key}`] === undefined)
            .map(([, key = "", value = ""]) => [key.toLowerCase(), value]),
        ),
      );
  const points = () => told().map(({ hook, host }) => `${host} ${hook}`);
  const all = (hook: HookArgs): HooksArgs => ({
    beforeSwitch: hook,
    afterHealthy: hook,
    onFailure: hook,
    afterRollback: hook,
  });
  const program = (count: number, hooks: HooksArgs, flags?: string) =>
    toolchain({ target: pool(count), hooks, ...(flags !== undefined && { env: { GOFLAGS: flags } }) });
  const start = (first: Parameters<typeof withStack>[0], body: (stack: TestStack) => Promise<void>) =>
    withStack(first, { env: hosts.env }, body);
  const release = (address = "10.0.0.1") => hosts.releases([address], COMPONENT)[0] ?? "";
  const said = ({ diagnostics }: { diagnostics: readonly { message: string }[] }) =>
    diagnostics.map(({ message }) => message).join("\n");

  it("tells a command what is about to happen and what has happened, and confirms the release after it", () =>
    start(program(1, all({ operator: note() })), async (stack) => {
      await stack.up();
      const first = release();
      const common = { host: "rack-1", component: COMPONENT, from: "", to: first };
      assert.deepEqual(told(), [
        { hook: "beforeSwitch", ...common },
        { hook: "afterHealthy", ...common },
      ]);
      assert.deepEqual(hosts.read("10.0.0.1").visits, [`run ${first}`, `run ${first}`, "confirm"]);

      rmSync(notes);
      stack.program = program(1, all({ operator: note() }), "-mod=readonly");
      await stack.up();
      assert.deepEqual(points(), ["rack-1 beforeSwitch", "rack-1 afterHealthy"]);
      assert.equal(told()[0]?.["from"], first);

      rmSync(notes);
      assert.deepEqual((await stack.up()).changes, {}, "the same program again calls nobody");
      assert.deepEqual(told(), []);
    }));

  it("stops before the switch when beforeSwitch fails", () =>
    start(program(1, {}), async (stack) => {
      await stack.up();
      const old = release();
      stack.program = program(1, { ...all({ operator: note() }), beforeSwitch: { operator: note(3) } }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /rack-1: hook beforeSwitch failed: refused by a test/);
      assert.equal(release(), old);
      assert.deepEqual(
        points(),
        ["rack-1 beforeSwitch", "rack-1 onFailure"],
        "nothing was switched, so nothing is back",
      );
      assert.match(told()[1]?.["reason"] ?? "", /refused by a test/);
    }));

  it("goes back when afterHealthy fails, keeps the old state, and goes through once fixed", () =>
    start(program(1, {}), async (stack) => {
      await stack.up();
      const old = release();
      stack.program = program(1, { ...all({ operator: note() }), afterHealthy: { operator: note(1) } }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), new RegExp(`failed, back on ${old}: rack-1: hook afterHealthy failed`));
      assert.equal(release(), old);
      assert.equal(hosts.read("10.0.0.1").visits?.at(-1), "revert");
      assert.deepEqual(
        points(),
        ["beforeSwitch", "afterHealthy", "onFailure", "afterRollback"].map((point) => `rack-1 ${point}`),
      );
      assert.match((await stack.previewText()).replace(/\s+/g, " "), /\+ *GOFLAGS=-trimpath/);

      stack.program = program(1, all({ operator: note() }), "-trimpath");
      await stack.up();
      assert.notEqual(release(), old);
    }));

  it("takes a first release off again when afterHealthy fails", () =>
    start(program(1, { afterHealthy: { operator: note(1) } }), async (stack) => {
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /failed, taken off again: rack-1: hook afterHealthy failed/);
      assert.equal(release(), "");
      assert.equal(await stack.resource("go-release"), undefined);
    }));

  it("tells hosts that go back because another one failed", () =>
    start(program(3, {}), async (stack) => {
      await stack.up();
      hosts.fault("10.0.0.3", "probe");
      const hooks = { onFailure: { operator: note() }, afterRollback: { operator: note() } };
      stack.program = program(3, hooks, "-trimpath");
      await stack.up({ expect: "failure" });
      assert.deepEqual(points().sort(), [
        "rack-1 afterRollback",
        "rack-2 afterRollback",
        "rack-3 afterRollback",
        "rack-3 onFailure",
      ]);
      assert.equal(new Set(hosts.releases(addresses(3), COMPONENT)).size, 1);
    }));

  it("only warns where a failure is said to be a warning, and where a hook follows a failure", () =>
    start(program(1, { afterHealthy: { operator: note(1), failure: "warn" } }), async (stack) => {
      assert.match(said(await stack.up()), /hook afterHealthy failed: refused by a test/);
      assert.notEqual(release(), "");
      hosts.fault("10.0.0.1", "probe");
      stack.program = program(1, { onFailure: { operator: note(1), failure: "fail" } }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(said(failed), /hook onFailure failed/);
      assert.match(failed.errors.join("\n"), /probe go failed/, "the failure itself is not hidden");
    }));

  it("ends a command that takes too long, and says so", () =>
    start(program(1, { beforeSwitch: { operator: ["sleep", "60"], timeout: "1 s" } }), async (stack) => {
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /hook beforeSwitch failed: took longer than 1 s/);
    }));

  it("runs a command on the host, its words as they are", () => {
    const hostile = `it's "$HOME" \`id\` ; rm -rf /nowhere`;
    const hook = { host: ["sh", "-c", `printf '%s\\n' "$GOFLEET_HOST" "$0" >'${notes}'`, hostile] };
    return start(program(1, { afterHealthy: hook }), async (stack) => {
      await stack.up();
      assert.equal(readFileSync(notes, "utf8"), `rack-1\n${hostile}\n`);
      stack.program = program(1, { afterHealthy: { host: ["sh", "-c", "echo not ready; exit 1"] } }, "-trimpath");
      const failed = await stack.up({ expect: "failure" });
      assert.match(failed.errors.join("\n"), /hook afterHealthy failed: not ready/);
    });
  });

  it("are those of every component that makes releases", () => {
    const hooks: HooksArgs = { afterHealthy: { operator: note() } };
    const common = { target: pool(1), hooks };
    const go = lock("1.26.7", LOCK);
    const everything = async () => {
      const toolchain = new GoToolchainHost("go", { ...common, directory: "go", go });
      new BuildAgentSandbox("ci", {
        ...common,
        directory: "ci",
        toolchain,
        agent: { kind: "exec", command: ["/usr/local/bin/runner"] },
        cache: { size: "1 GiB" },
        limits: { memory: "4 GiB", cpus: 2 },
      });
      new GoProxyMirror("goproxy", {
        ...common,
        directory: "goproxy",
        domain: "goproxy.example.com",
        tls: { acme: { acceptTerms: true } },
        storage: { kind: "disk", path: "/srv/athens", max: "20 GiB" },
        go,
      });
      new GoServiceUnit("api", {
        ...common,
        directory: "api",
        release: {
          url: "https://dl.corp.example/api",
          sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        },
        exec: ["api"],
        health: { get: "http://127.0.0.1:7070/healthz" },
      });
    };
    return start(everything, async (stack) => {
      await stack.up();
      assert.deepEqual(
        told()
          .map(({ hook, component }) => `${component} ${hook}`)
          .sort(),
        ["api afterHealthy", "ci afterHealthy", "go afterHealthy", "goproxy afterHealthy"],
      );
    });
  });

  it("are shown in the preview of examples/pool", () => {
    const key = Buffer.concat([bytes("ssh-ed25519"), bytes(Buffer.alloc(32, 7))]).toString("base64");
    const config = {
      hostKeys: JSON.stringify({ "10.0.0.1": `ssh-ed25519 ${key}`, "10.0.0.2": `ssh-ed25519 ${key}` }),
      alerts: "https://alerts.corp.example/gofleet",
    };
    return withStack(example("pool"), { env: hosts.env, config }, async (stack) => {
      const text = await stack.previewText();
      assert.match(text, /10\.0\.0\.2: "ssh fleet@10\.0\.0\.2 sudo key=ssh-ed25519 /);
      assert.match(text, /beforeSwitch *: \{[^}]*"drain"/);
      assert.match(text, /url *: "https:\/\/alerts\.corp\.example\/gofleet"/);
    });
  });

  describe("over HTTP", () => {
    let server: Server;
    let status = 204;
    let posted: { type?: string; body: Evidence }[] = [];
    beforeEach(async () => {
      [status, posted] = [204, []];
      server = createServer((request, response) => {
        let text = "";
        request.on("data", (chunk: Buffer) => (text += chunk.toString()));
        request.on("end", () => {
          posted.push({ type: request.headers["content-type"], body: JSON.parse(text) as Evidence });
          response.writeHead(status).end();
        });
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    });
    afterEach(() => new Promise((done) => server.close(done)));

    it("posts the evidence as JSON, and takes only 2xx for a yes", () => {
      const post = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deploys`;
      return start(program(1, all({ post })), async (stack) => {
        await stack.up();
        const old = release();
        assert.deepEqual(
          posted.map(({ body }) => body["hook"]),
          ["beforeSwitch", "afterHealthy"],
        );
        assert.deepEqual(posted[1], {
          type: "application/json",
          body: { hook: "afterHealthy", host: "rack-1", component: COMPONENT, from: "", to: old },
        });

        [status, posted] = [503, []];
        stack.program = program(1, { afterHealthy: { post } }, "-trimpath");
        const failed = await stack.up({ expect: "failure" });
        assert.match(failed.errors.join("\n"), /hook afterHealthy failed: 127\.0\.0\.1:\d+ answered 503/);
        assert.equal(release(), old);
      });
    });
  });
});

/** A field of an SSH key: its length, then its bytes. */
function bytes(content: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, Buffer.from(content)]);
}
