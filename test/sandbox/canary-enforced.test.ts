/**
 * The canary build of a plan's check, in a kernel that enforces profiles: under one as the slots have, every step passes
 * and nothing is denied; a wrong rule makes it fail, and is found by what it says.
 */
import assert from "node:assert/strict";
import { hosts } from "../hosts/support/hosts";
import { skipFor } from "../support/skip";
import { EnforcingHost, noEnforcingHost } from "./support/enforcing-host";

/** For all of its steps. */
const PACKAGES = ["gcc", "libc6-dev", "git"];
const OWN_RULES = "/etc/apparmor.d/local/gofleet-ci";
const CANARY = "gofleet-ci-canary1";
const SLOTS = ["gofleet-ci-1 (enforce)", "gofleet-ci-2 (enforce)"];
/** Seconds; every instruction is emulated. */
const PATIENCE = 2400;

/**
 * What the canary's packages import, of the standard library: to compile all of it in each way takes an emulated processor
 * a quarter of an hour. The canary's own packages, and what cgo makes of them, are compiled there.
 */
const IMPORTED = "os path/filepath reflect sync testing testing/internal/testdeps";
const WARM = `
CGO_ENABLED=0 go build ${IMPORTED}
CGO_ENABLED=1 go build ${IMPORTED} runtime/cgo
CGO_ENABLED=1 go build -race ${IMPORTED} runtime/cgo runtime/race
`;

/** What `gofleet-sandbox denials` counts as one. */
interface Denial {
  readonly denied: boolean;
  readonly profile: string;
  readonly operation: string;
  readonly object: string;
}

describe("a canary build in a kernel that enforces", function () {
  this.timeout((PATIENCE + 120) * 1000);
  let sandbox: EnforcingHost;

  before(async function () {
    skipFor(this, noEnforcingHost(PACKAGES));
    sandbox = await EnforcingHost.boot({ packages: PACKAGES, warmCanary: WARM });
    // A first release is tried before there are slots; those that look for jobs would only take its time.
    await sandbox.host.exec("systemctl stop 'gofleet-ci@*'");
  });

  after(() => hosts.stopAll());

  /** As the agent runs it before the switch. */
  const canary = () => sandbox.check("canary", PATIENCE);
  const loaded = async () =>
    (await sandbox.host.exec("cat /sys/kernel/security/apparmor/profiles")).trim().split("\n").sort();
  const denials = async () => {
    const { stdout } = await sandbox.program("gofleet-sandbox", "denials", "-json");
    return (JSON.parse(stdout) as { groups: readonly Denial[] }).groups;
  };

  it("passes under a profile as the slots have: every step, with nothing denied", async () => {
    const { code, stdout, stderr } = await canary();
    assert.equal(code, 0, stdout + stderr + JSON.stringify(await denials()));
    assert.match(stdout, /^passed with the \d+ directives of .*: git-ssh, build, run, test, cgo, race$/m);
    assert.doesNotMatch(stdout, /^not given: AppArmorProfile/m);
    assert.deepEqual(await denials(), []);
    assert.deepEqual(await loaded(), SLOTS);
  });

  it("is not built again while directives and profile are the same", async () => {
    const { code, stdout, stderr } = await canary();
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^the \d+ directives of \S+ passed before with go1\.\S+$/m);
  });

  it("is built again with a rule more, and names the profile where that is wrong; what it denied is told", async () => {
    await sandbox.host.exec(`mkdir -p $(dirname ${OWN_RULES}) && echo 'audit deny /usr/bin/git x,' >${OWN_RULES}`);
    const { code, stdout, stderr } = await canary();
    assert.equal(code, 1, stdout + stderr);
    assert.match(stdout, /^step git-ssh fails with the directives of .* and passes without$/m);
    assert.match(stdout, /^to blame: AppArmorProfile=gofleet-ci-%i \(line \d+\)$/m);
    const told = (await denials()).map(({ denied, profile, operation, object }) =>
      [denied, profile, operation, object].join(" "),
    );
    assert.deepEqual(told, [`true ${CANARY} exec /usr/bin/git`]);
    assert.deepEqual(await loaded(), SLOTS);
  });
});
