import assert from "node:assert/strict";
import { hosts, needsHosts } from "../hosts/support/hosts";
import { packageRepository } from "../mirror/support/packages";
import { needsGo } from "../support/go";
import { PackageServer } from "./support/package-server";
import { PlannedHost } from "./support/planned-host";

const PACKAGES = ["podman", "crun"];

/** Layers as plain directories: the host's own root is an overlay already. */
const STORAGE =
  '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n';

describe("container caches of a host whose disk is full", function () {
  let packages: PackageServer | undefined;

  before(async function () {
    needsHosts(this);
    needsGo(this);
    const repository = await packageRepository(PACKAGES);
    packages = await PackageServer.start(await hosts.operatorAddress(), repository);
  });
  after(async () => {
    await packages?.stop();
    await hosts.stopAll();
  });

  it("are emptied by Podman's own command, last, but for what a container uses", async () => {
    const sandbox = await PlannedHost.boot("images", {
      cache: { kind: "disk", size: "64 MiB" },
      watermarks: { containers: "podman" },
    });
    const { host } = sandbox;
    sandbox.write("/etc/containers/storage.conf", STORAGE);
    await host.exec(
      `rm -rf /etc/apt/sources.list.d/*; echo '${packages?.source}' >/etc/apt/sources.list
       apt-get -qq update && apt-get -qq install --yes --no-install-recommends ${PACKAGES.join(" ")} >/dev/null`,
      { timeout: 240_000 },
    );
    // A layer of random bytes each; what an import needs meanwhile is not on the disk.
    await host.exec(
      `mkdir /run/layer && export TMPDIR=/run
       image() { head -c "$2" /dev/urandom >/run/layer/file; tar -C /run/layer -c . | podman import --quiet - "localhost/$1:1"; }
       image kept 1000000; podman create --quiet --network=none --name keeps localhost/kept:1 /bin/true
       image first 100000000; image second 100000000
       blocks() { df --output="$1" -B1 / | tail -n 1; }
       fallocate -l $(($(blocks size) * 97 / 100 - $(blocks used))) /srv/ballast`,
      { timeout: 240_000 },
    );
    const { code, said } = await sandbox.unit("gofleet-ci-watch");
    assert.equal(code, 0, said);
    const [, freed = ""] = /container cache of \S* ?(\d+) bytes/.exec(said) ?? [];
    assert.ok(Number(freed) >= 200_000_000, said);
    const left = await host.exec("podman images --format '{{.Repository}}'; podman ps --all --format '{{.Names}}'");
    assert.equal(left, "localhost/kept\nkeeps\n");
  });
});
