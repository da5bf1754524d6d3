import assert from "node:assert/strict";
import type { ResolvedRelease } from "../../../src/model/service/release";
import { manifest } from "../../../src/plan/manifest";
import { mergePlans } from "../../../src/plan/merge";
import { servicePlace } from "../../../src/plan/service/place";
import { programPath, releaseDownload, releasePlan } from "../../../src/plan/service/release";

const SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const SUM2 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";
const URL = "https://dl.corp.example/1.8.2/linux";

const release = (more: Partial<ResolvedRelease> = {}): ResolvedRelease => ({
  format: "file",
  program: "buildcached",
  variants: [{ arch: "any", sha256: SUM, url: URL }],
  identity: {},
  ...more,
});

describe("plan of a service's release", () => {
  const place = servicePlace("acme-cache");

  it("names the program as the unit runs it, whatever its address ends in", () => {
    const plan = mergePlans(releasePlan(release(), place));
    const [download] = plan.downloads;
    assert.match(download?.name ?? "", /^buildcached-[0-9a-f]{12}$/);
    assert.match(
      manifest(plan),
      new RegExp(`^download\t${download?.name ?? ""}\tany\tfile:buildcached\t${SUM}\t-\t-$`, "m"),
    );
    assert.equal(
      programPath(release(), place),
      `/usr/local/lib/gofleet/acme-cache/${download?.name ?? ""}/buildcached`,
    );
    assert.deepEqual(plan.symlinks, [
      {
        path: "/etc/gofleet/acme-cache/program",
        target: `/usr/local/lib/gofleet/acme-cache/${download?.name ?? ""}`,
        switched: true,
      },
    ]);
  });

  it("leads into the directory of an archive's program", () => {
    const archive = release({ format: "tar.gz", program: "usr/bin/buildcached" });
    const { symlinks = [], downloads = [] } = releasePlan(archive, place);
    assert.match(symlinks[0]?.target ?? "", /\/buildcached-[0-9a-f]{12}\/usr\/bin$/);
    assert.deepEqual([downloads[0]?.format, downloads[0]?.as], ["tar.gz", undefined]);
    assert.equal(programPath(archive, place), `${symlinks[0]?.target ?? ""}/buildcached`);
  });

  it("checks the program before the switch and reads it back after it, by one script", () => {
    const { checks = [], probes = [] } = releasePlan(release({ identity: { version: "v1.8.2" } }), place);
    assert.deepEqual([checks[0]?.name, probes[0]?.name], ["identity", "identity"]);
    assert.equal(checks[0]?.script, probes[0]?.script);
    assert.match(checks[0]?.script ?? "", /^export wanted_version=v1\.8\.2$/m);
  });

  it("gives another name to another program, and none to another address", () => {
    const name = (more: Partial<ResolvedRelease>): string => releaseDownload(release(more)).name;
    const plain = name({});
    assert.equal(name({ variants: [{ arch: "any", sha256: SUM, file: "dist/buildcached" }] }), plain);
    assert.equal(name({ identity: { go: "1.26" } }), plain);
    const others = [
      name({ format: "tar.gz" }),
      name({ format: "tar.gz", program: "bin/buildcached" }),
      name({ variants: [{ arch: "any", sha256: SUM2, url: URL }] }),
      name({ variants: [{ arch: "amd64", sha256: SUM, url: URL }] }),
    ];
    assert.equal(new Set([plain, ...others]).size, 5);
  });

  it("sends a file of the operator's machine", () => {
    const variants = [
      { arch: "amd64", sha256: SUM, file: "dist/amd64" },
      { arch: "arm64", sha256: SUM2, file: "dist/arm64" },
    ] as const;
    assert.deepEqual(releaseDownload(release({ variants })).variants, [
      { arch: "amd64", checksum: SUM, urls: [], file: "dist/amd64" },
      { arch: "arm64", checksum: SUM2, urls: [], file: "dist/arm64" },
    ]);
  });
});
