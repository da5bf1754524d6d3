import assert from "node:assert/strict";
import { hosts, unavailable } from "../hosts/support/hosts";
import { machineGo } from "../support/go";
import { skip } from "../support/skip";
import { PlannedHost } from "./support/planned-host";

const DISK = { kind: "disk", size: "64 MiB" } as const;

/** What a rootless build does: a root file system of its own, and a program run in it as its root. */
const ROOTLESS = `
unshare --user --map-root-user --mount --pid --fork sh -euc '
  mkdir root && mount -t tmpfs none root
  mkdir root/usr root/out
  mount --rbind /usr root/usr
  for name in bin lib lib64; do ln -s usr/$name root/$name; done
  chroot root /usr/bin/sh -euc "id -u; echo built >/out/file; chown 0:0 /out/file; cat /out/file; ls /"
'
ls -A root
`;

/** Ways out of a user namespace, by root of it: each must say why not. */
const OUTSIDE = [
  "cat /etc/shadow",
  "touch /etc/x",
  "ls /var/lib/gofleet-ci/slots/2",
  "mount -o remount,rw /",
  "mknod dev b 8 0",
  "hostname x",
  "kill -0 1",
];

describe("user namespaces of jobs on a host", function () {
  before(function () {
    const reason = unavailable();
    if (reason) skip(this, reason);
    if (!machineGo()) skip(this, "there is no go command");
  });
  afterEach(() => hosts.stopAll());

  it("are denied, unless they are asked for", async () => {
    const sandbox = await PlannedHost.boot("closed", { cache: DISK });
    const { code, output } = await sandbox.job(1, "unshare --user --map-root-user true");
    assert.notEqual(code, 0);
    assert.match(output, /unshare.*Operation not permitted/);
  });

  it("let a job be root in its own and make a root file system, and lead nowhere else", async () => {
    const sandbox = await PlannedHost.boot("open", { cache: DISK, userNamespaces: true });
    const rootless = await sandbox.job(1, ROOTLESS);
    assert.deepEqual(rootless, { code: 0, output: "0\nbuilt\nbin\nlib\nlib64\nout\nusr\n" });
    const attempts = OUTSIDE.map((each) => `${each} >/dev/null 2>&1 && echo "${each}"`).join("\n");
    const { output } = await sandbox.job(1, `unshare --user --map-root-user --mount sh -c '${attempts}'; echo done`);
    assert.equal(output, "done\n");
  });
});
