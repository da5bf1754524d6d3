import assert from "node:assert/strict";
import { hostPool, ssh } from "../../src/index";
import { gofleet, type Ended } from "../report/support/cli";
import { served } from "../report/support/inline-program";
import { TestStack } from "../support/engine";
import { file, raw } from "./raw-program";
import { type Host, hosts, needsHosts } from "./support/hosts";

describe("gofleet preview --look at real hosts", function () {
  let host: Host;
  let stack: TestStack;

  /** A pool of a host that runs and one that does not, on the same network. */
  const program = () => {
    const login = { user: "root", hostKey: host.hostKey, identity: host.identityFile };
    const nobody = host.address.replace(/\d+$/, (number) => String(Number(number) + 10));
    const pool = { "rack-01": ssh({ host: host.address, ...login }), "rack-02": ssh({ host: nobody, ...login }) };
    return raw({ target: hostPool({ hosts: pool }), plan: { files: [file("/etc/demo.conf", "text\n")] } });
  };

  function preview(...args: string[]): Promise<Ended> {
    const { envVars, pulumiHome } = stack.automation.workspace;
    const env = { ...process.env, ...envVars, PULUMI_HOME: pulumiHome };
    return served(program(), (client) =>
      gofleet(stack.workDir, ["preview", "--stack", "test", "--look", ...args, "--", client], env),
    );
  }

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    stack = await TestStack.create(program());
  });

  after(async () => {
    stack?.remove();
    await hosts.stopAll();
  });

  it("tells the host that does not answer, nothing of the one with room enough, and changes nothing there", async () => {
    const { code, out, err } = await preview();
    assert.equal(code, 0, err);
    assert.match(out, /- 🟠 `rack-02` could not be looked at: `root@[\d.]+ .*(No route to host|timed out)/);
    assert.doesNotMatch(out, /rack-01. has/);
    assert.equal(await host.exec("ls -A /run/gofleet; ls -d /etc/gofleet /var/lib/gofleet 2>/dev/null || true"), "");
  });

  it("tells a full disk and a disk without inodes, each by where it is mounted, and the gate stops for them", async () => {
    await host.exec(
      "mkdir -p /var/lib/gofleet /usr/local/lib/gofleet && " +
        "mount -t tmpfs -o size=64m tmpfs /var/lib/gofleet && head -c 63M /dev/zero >/var/lib/gofleet/filler && " +
        "mount -t tmpfs -o nr_inodes=40 tmpfs /usr/local/lib/gofleet && " +
        "i=0; while [ $i -lt 38 ]; do : >/usr/local/lib/gofleet/$i; i=$((i + 1)); done",
    );
    const { code, out, err } = await preview("--fail-on", "disk");
    assert.equal(code, 4, err);
    assert.match(out, /⛔ \*\*Stopped:\*\* disk\./);
    assert.match(out, /`rack-01` has 1 % of the space on `\/var\/lib\/gofleet` left \(1\.0 MiB\)/);
    assert.match(out, /`rack-01` has 2 % of the inodes on `\/usr\/local\/lib\/gofleet` left \(1\)/);
    const lower = await preview("--fail-on", "disk", "--low-disk", "1 %");
    assert.equal(lower.code, 0, lower.err);
  });
});
