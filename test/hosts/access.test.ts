import assert from "node:assert/strict";
import type { SshArgs } from "../../src/index";
import { TestStack } from "../support/engine";
import { hostRelease, said, stateReleases, target } from "./programs";
import { file, raw } from "./raw-program";
import { type Host, hosts, needsHosts } from "./support/hosts";

describe("the way in to a real host", function () {
  let host: Host;
  let stack: TestStack;
  let password: string;

  const program = (text: string, more: Partial<SshArgs> = {}) =>
    raw({ target: target(host, { connect: "5 s", ...more }), plan: { files: [file("/etc/demo.conf", `${text}\n`)] } });
  const unchanged = async (text: string): Promise<void> => {
    assert.equal(await host.exec("cat /etc/demo.conf"), `${text}\n`);
    assert.deepEqual(Object.values(await stateReleases(stack, "raw-release")), [await hostRelease(host, "raw")]);
  };
  const fails = async (text: string, more: Partial<SshArgs>, message: RegExp): Promise<void> => {
    stack.program = program(text, more);
    assert.match(said(await stack.up({ expect: "failure" })), message);
  };

  before(async function () {
    needsHosts(this);
    host = await hosts.boot("rack-01");
    password = await hosts.sudoPassword();
    stack = await TestStack.create(program("root"));
    await stack.up();
  });

  after(async () => {
    stack?.remove();
    await hosts.stopAll();
  });

  it("is refused where the host key is another one, and says what would do", async () => {
    const other = host.hostKey.replace(/.{4}$/, "AAAA");
    await fails("other", { hostKey: other }, /the host key is not the pinned or known one.*`hostKey`/);
    await unchanged("root");
  });

  it("is refused without the sudo password, and with a wrong one; neither is shown anywhere", async () => {
    const secure = { user: "secure", become: "sudo" } as const;
    await fails("none", secure, /sudo wants a password; give `password`/);
    const wrong = "wrong-Wai9ohf4-password";
    await fails("wrong", { ...secure, password: wrong }, /sudo refused the password/);
    await unchanged("root");

    stack.program = program("sudo", { ...secure, password });
    await stack.up();
    await unchanged("sudo");
    for (const secret of [wrong, password]) assert.deepEqual(await stack.leaksOf(secret), []);
    assert.equal((await host.run(`grep -rlsF -e '${password}' /etc /var/lib/gofleet /run/gofleet`)).stdout, "");
  });

  it("works by sudo without a password, as a change of one line that visits no file", async () => {
    stack.program = program("sudo", { user: "fleet", become: "sudo" });
    const preview = await stack.preview();
    assert.deepEqual(preview.changes, { "raw-release": "update" });
    await stack.up();
    await unchanged("sudo");
  });

  it("is gone at destroy: an error that keeps the state; given up only where the program says so", async () => {
    await host.powerOff();
    const failed = await stack.destroy({ expect: "failure" });
    assert.match(said(failed), /host \(fleet@[\d.]+\): no answer: .*(timed out|No route|refused)/);
    assert.ok(await stack.resource("raw-release"));

    stack.program = program("sudo", { user: "fleet", become: "sudo", unreachable: "gone" });
    await stack.up();
    const destroyed = await stack.destroy();
    assert.match(destroyed.diagnostics.map(({ message }) => message).join("\n"), /given up, as `unreachable: "gone"`/);
    assert.equal(await stack.resource("raw-release"), undefined);
  });
});
