import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { FrontArgs } from "../../src/model/mirror/front";
import { resolveFront } from "../../src/model/mirror/front-resolve";
import type { PlanProbe } from "../../src/plan/host-plan";
import { frontPlan } from "../../src/plan/mirror/front";
import { privacyProbe } from "../../src/plan/mirror/privacy-probe";
import { DOMAIN, notFound, TestMirror, testMirrors, type Setup } from "../support/front";
import { text } from "../support/nginx";

const PASSWORDS = { ci: "k3V9mZpQ7xTfLw2RbN8sHdYc" };
const PRIVATE = ["git.corp.example", "github.com/Acme/*"];

/** Makes a configuration let private names out, under another digest. */
const leaking = (config: string): string =>
  redigested(config.replaceAll(/if \(\$gomod_private\) \{\s*return 403;\s*\}/g, ""));
const redigested = (config: string): string => config.replace(/(add_header X-Gomod-Config) "[0-9a-f]+"/, '$1 "feed"');

describe("the probes of a front", function () {
  const make = testMirrors();
  let mirror: TestMirror;

  const start = async (setup: Setup = {}): Promise<TestMirror> => {
    mirror = make({ ...setup, context: { privateModules: PRIVATE, ...setup.context } });
    return mirror.start();
  };

  /** A host's probe, against this front; `tries` half seconds for a reload. */
  function begin(script: PlanProbe | undefined, tries: number): ChildProcess {
    const child = spawn("sh", ["-s"], { stdio: ["pipe", "ignore", "pipe"] });
    const below = (script ?? assert.fail("no probe")).script
      .replaceAll("/etc/gofleet/", `${mirror.root}/etc/gofleet/`)
      .replace(/(-lt|-ge) 40/, `$1 ${tries}`);
    child.stdin?.end(below);
    return child;
  }
  async function outcome(child: ChildProcess): Promise<{ status: number | null; stderr: string }> {
    let stderr = "";
    child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
    const [status] = (await once(child, "close")) as [number | null];
    return { status, stderr };
  }
  const resolved = (args: Partial<FrontArgs> = {}) =>
    resolveFront(
      {
        ...{ domain: DOMAIN, tls: { certificate: "", key: "" }, addresses: ["127.0.0.1"], port: mirror.front.port },
        ...args,
      },
      { privateModules: PRIVATE },
    );
  const front = (tries = 2, args: Partial<FrontArgs> = {}) => {
    const texts = { config: "", certificate: "", clientCa: "" };
    return begin(frontPlan(resolved(args), mirror.front.place, texts).probes?.[0], tries);
  };
  const privacy = (tries = 2, args: Partial<FrontArgs> = {}) =>
    begin(privacyProbe(resolved(args), mirror.front.place), tries);

  it("are content with what was given, and the certificate's with no other", async () => {
    const { place } = (await start()).front;
    assert.deepEqual(await outcome(front()), { status: 0, stderr: "" });
    assert.deepEqual(await outcome(privacy()), { status: 0, stderr: "" });
    assert.deepEqual(mirror.athens.paths, []);
    const good = text(mirror.front.path(place.front.certificate));
    mirror.front.put(place.front.certificate, mirror.ca.chain(mirror.ca.leaf("other.example")));
    assert.match((await outcome(front())).stderr, /does not answer with the certificate/);
    mirror.front.put(place.front.certificate, good);
    await mirror.front.stop();
    assert.notEqual((await outcome(front())).status, 0);
    assert.notEqual((await outcome(privacy())).status, 0);
  });

  it("are content where clients need a password, a certificate, or either", async () => {
    const people = new TestMirror();
    const clientCa = people.ca.root.certificate;
    await people.stop();
    const cases = [["users"], ["clientCa"], ["users", "clientCa"]] as const;
    for (const kinds of cases) {
      const has = (kind: string) => kinds.some((each) => each === kind);
      const access = { ...(has("users") && { users: PASSWORDS }), ...(has("clientCa") && { clientCa }) };
      await start({
        args: { access },
        files: { ...(has("users") && { passwords: PASSWORDS }), ...(has("clientCa") && { clientCa }) },
      });
      assert.deepEqual(await outcome(front(2, { access })), { status: 0, stderr: "" }, kinds.join());
      assert.deepEqual(await outcome(privacy(2, { access })), { status: 0, stderr: "" }, kinds.join());
    }
  });

  it("do not take the answer of a worker of before for the new configuration's", async () => {
    await start();
    const { config } = mirror.front;
    mirror.front.put(config.slice(mirror.root.length), redigested(text(config)));
    for (const probe of [front, privacy]) {
      const { status, stderr } = await outcome(probe());
      assert.equal(status, 1);
      assert.match(stderr, /but by a configuration of before/);
    }
  });

  it("wait for a reload", async () => {
    await start();
    const { config } = mirror.front;
    mirror.front.put(config.slice(mirror.root.length), redigested(text(config)));
    const waiting = [front(40), privacy(40)].map(outcome);
    await sleep(1000);
    await mirror.front.reload({ files: { ...mirror.files, edit: redigested } });
    for (const probe of await Promise.all(waiting)) assert.deepEqual(probe, { status: 0, stderr: "" });
  });

  it("find a private name that the new configuration would let out, however late it is loaded", async () => {
    await start();
    mirror.athens.answer = (_, response) => notFound(response);
    const { config } = mirror.front;
    mirror.front.put(config.slice(mirror.root.length), leaking(text(config)));
    const waiting = outcome(privacy(40));
    await sleep(1000);
    await mirror.front.reload({ files: { ...mirror.files, edit: leaking } });
    const { status, stderr } = await waiting;
    assert.equal(status, 1);
    assert.match(stderr, /a private name gets out: \/sumdb\/sum\.golang\.org\/lookup\/git\.corp\.example@\S+ .* 404/);
  });

  it("do not wait for what was broken and is repaired", async () => {
    await start({ files: { edit: leaking } });
    await mirror.front.reload({ files: mirror.files });
    assert.deepEqual(await outcome(privacy()), { status: 0, stderr: "" });
  });
});
