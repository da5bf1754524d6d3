import assert from "node:assert/strict";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { needsGo } from "../support/go";
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

/** Puts a key into each keyring that outlives a process, if told to, and says in which of them one is found. */
const keys = (leave: boolean) => `python3 - <<'END'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
add_key, keyctl = {"x86_64": (248, 250), "aarch64": (217, 219)}[os.uname().machine]
persistent = libc.syscall(keyctl, 22, -1, -1)
for name, ring in ("user", -4), ("session", -5), ("persistent", persistent):
    if ${leave ? "True" : "False"}: libc.syscall(add_key, b"user", b"left", b"secret", 6, ring)
    if libc.syscall(keyctl, 10, ring, b"user", b"left", 0) > 0: print(name)
END`;

/** No job finds a key of the one before it, also one that was killed. */
async function forgetsKeys(sandbox: PlannedHost): Promise<void> {
  const left = await sandbox.job(1, keys(true));
  assert.deepEqual(left, { code: 0, output: "user\nsession\npersistent\n" });
  assert.deepEqual(await sandbox.job(1, keys(false)), { code: 0, output: "" });
  sandbox.start(1, `${keys(true)}\necho >/srv/results/keys-left; sleep 1000`);
  await sandbox.said("keys-left");
  await sandbox.host.exec("systemctl kill --signal=KILL gofleet-ci@1");
  assert.deepEqual(await sandbox.job(1, keys(false)), { code: 0, output: "" });
}

describe("user namespaces of jobs on a host", function () {
  before(function () {
    needsHosts(this);
    needsGo(this);
  });
  afterEach(() => hosts.stopAll());

  it("are denied, unless they are asked for; a job's keys go with it", async () => {
    const sandbox = await PlannedHost.boot("closed", { cache: DISK });
    const { code, output } = await sandbox.job(1, "unshare --user --map-root-user true");
    assert.notEqual(code, 0);
    assert.match(output, /unshare.*Operation not permitted/);
    await forgetsKeys(sandbox);
  });

  it("let a job be root in its own and make a root file system, and lead nowhere else; its keys go with it", async () => {
    const sandbox = await PlannedHost.boot("open", { cache: DISK, userNamespaces: true });
    const rootless = await sandbox.job(1, ROOTLESS);
    assert.deepEqual(rootless, { code: 0, output: "0\nbuilt\nbin\nlib\nlib64\nout\nusr\n" });
    const attempts = OUTSIDE.map((each) => `${each} >/dev/null 2>&1 && echo "${each}"`).join("\n");
    const { output } = await sandbox.job(1, `unshare --user --map-root-user --mount sh -c '${attempts}'; echo done`);
    assert.equal(output, "done\n");
    await forgetsKeys(sandbox);
  });
});
