import assert from "node:assert/strict";
import { FakeSystemd, WITH_UNITS } from "./fake-systemd";
import { file, plan, release, shells, type Release } from "./support";

const UNIT = "api.service";
const PATHS = { unit: `/etc/systemd/system/${UNIT}`, file: "/etc/gofleet/go/files/settings" };

interface Version {
  /** Stands for all that a process has from its start. */
  readonly unit?: string;
  /** What it reads again when it is told. */
  readonly file?: string;
  readonly probe?: string;
  /** As releases were written down that had no second digest. */
  readonly older?: true;
}

function version({ unit = "one", file: text = "one", probe = "true", older }: Version): Release {
  return release(
    plan({
      files: [file(PATHS.unit, `[Service]\nEnvironment=IS=${unit}\n`), file(PATHS.file, `${text}\n`)],
      units: [
        {
          name: UNIT,
          onChange: "reload",
          reads: Object.values(PATHS),
          ...(older === undefined ? { restartFor: [PATHS.unit] } : {}),
        },
      ],
      probes: [{ name: "ready", timeout: 60, script: `${probe}\n` }],
    }),
  );
}

const [shell] = shells();

describe("agent: units that are reloaded", () => {
  let host: FakeSystemd;
  beforeEach(() => (host = new FakeSystemd(shell, WITH_UNITS)));
  afterEach(() => host.root.dispose());

  /** What systemd is asked for by a release. */
  const on = async (what: Version, code = 0): Promise<string[]> => {
    const answer = await host.run(version(what));
    assert.equal(answer.code, code, JSON.stringify(answer));
    await host.root.quiet();
    return host.asked(UNIT);
  };

  it("are reloaded where only files changed that a reload takes up, and restarted where anything else did", async () => {
    await on({});
    assert.deepEqual(await on({ file: "two" }), ["reload-or-restart"]);
    assert.deepEqual(await on({ file: "two", unit: "two" }), ["restart"]);
    assert.deepEqual(await on({ file: "three", unit: "three" }), ["restart"]);
    assert.deepEqual(await on({ file: "four", unit: "three" }), ["reload-or-restart"]);
    assert.deepEqual(await on({ file: "four", unit: "three" }), []);
  });

  it("are restarted from or to a release that does not tell the two apart", async () => {
    await on({ older: true });
    assert.deepEqual(await on({ file: "two" }), ["restart"]);
    assert.deepEqual(await on({ file: "three", older: true }), ["restart"]);
    assert.deepEqual(await on({ file: "four", older: true }), ["reload-or-restart"]);
  });

  it("go back the way they came, and to their program by a restart", async () => {
    await on({});
    assert.deepEqual(await on({ file: "two", probe: "false" }, 20), ["reload-or-restart", "reload-or-restart"]);
    assert.deepEqual(await on({ unit: "two", probe: "false" }, 20), ["restart", "restart"]);
  });

  it("are restarted on the way back where the process cannot be told, or is not up", async () => {
    await on({});
    const breaks = `: >"$GOFLEET_ROOT/../fake/reload-fails"; false`;
    assert.deepEqual(await on({ file: "two", probe: breaks }, 20), [
      "reload-or-restart",
      "reload-or-restart",
      "restart",
    ]);
    assert.deepEqual(await on({ file: "two" }, 20), ["reload-or-restart", "restart"]);
    host.say(`show-${UNIT}`, "LoadState=loaded\nActiveState=activating\n");
    assert.deepEqual(await on({ file: "three", probe: "false" }, 20), ["restart", "restart"]);
  });
});
