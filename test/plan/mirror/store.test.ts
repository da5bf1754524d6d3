import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { resolveStore, type StoreArgs } from "../../../src/model/mirror/store";
import { EMPTY_PLAN } from "../../../src/plan/host-plan";
import { manifest } from "../../../src/plan/manifest";
import { mirrorPlace } from "../../../src/plan/mirror/place";
import { storeConfigText, storePaths, storePlan } from "../../../src/plan/mirror/store";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { h1Of } from "../../support/releases";
import { skip } from "../../support/skip";

const place = mirrorPlace("goproxy");
const source = { file: "/operator/store.zip", checksum: h1Of("store"), goRoot: "download:go1.26.8" };
const tiers = [{ name: "corp", url: "https://goproxy.corp.example/healthz" }];

function plan(args: StoreArgs = {}, options: { readonly tiers?: typeof tiers } = {}) {
  const store = resolveStore(args, { path: "/srv/athens", max: "200 GiB" });
  const texts = { config: storeConfigText(store, place, options.tiers) };
  return storePlan(store, place, texts, { source, tiers: options.tiers !== undefined });
}

const textOf = (path: string, made = plan()) => made.files?.find((file) => file.path === path)?.text ?? "";

describe("store plan", () => {
  it("is as written down", () => {
    const made = plan({ gc: { unusedFor: "90 d", keep: ["git.corp.example/*"] } });
    assertGolden("mirror/store/manifest", manifest({ ...EMPTY_PLAN, ...made }));
    for (const file of made.files ?? []) assertGolden(`mirror/store${file.path}`, file.text);
    assertGolden("mirror/store/probe.sh", (made.probes ?? []).map(({ script }) => script).join(""));
  });

  it("gives its download another name for another source or toolchain", () => {
    const names = [source, { ...source, checksum: h1Of("other") }, { ...source, goRoot: "/opt/go" }].map(
      (each) => storePaths(place, each).download,
    );
    assert.equal(new Set(names).size, 3);
    assert.equal(plan().downloads?.[0]?.name, names[0]);
  });

  it("restarts the timer when its files change, not when the settings do", () => {
    const [unit] = plan().units ?? [];
    assert.equal(unit?.name, place.keeper.timer);
    assert.ok(!unit?.reads.includes(storePaths(place, source).config));
  });

  it("opens the network only to ask tiers", () => {
    const service = (options = {}) => textOf(storePaths(place, source).service, plan({}, options));
    assert.match(service(), /^PrivateNetwork=yes$/m);
    assert.match(service(), /^RestrictAddressFamilies=AF_UNIX$/m);
    assert.doesNotMatch(service({ tiers }), /PrivateNetwork/);
    assert.match(service({ tiers }), /^RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6$/m);
  });

  it("writes to nothing but the store and its own directories", () => {
    const service = textOf(storePaths(place, source).service);
    assert.match(service, /^ReadWritePaths="\/srv\/athens" "\/var\/lib\/gofleet-goproxy" "\/run\/gofleet-goproxy"$/m);
    assert.match(service, /^ProtectSystem=strict$/m);
    assert.match(service, /^User=gofleet-goproxy$/m);
  });

  it("is one that systemd takes without a word, and hardened", function () {
    const folder = temporaryDirectory();
    try {
      const names = [place.keeper.unit, place.keeper.timer];
      for (const name of names) {
        // The program and the user are not on this machine.
        const text = textOf(`/etc/systemd/system/${name}`)
          .replaceAll(storePaths(place, source).program, "/bin/true")
          .replaceAll(/^(User|Group)=.*$/gm, "$1=daemon");
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      const verify = spawnSync("systemd-analyze", ["verify", ...names.map((name) => join(folder, name))], {
        encoding: "utf8",
      });
      if (verify.error) return skip(this, "systemd-analyze is missing");
      const complaints = verify.stderr.split("\n").filter((line) => line.includes(place.keeper.unit.slice(0, -8)));
      assert.deepEqual(complaints, []);
      const security = spawnSync(
        "systemd-analyze",
        ["security", "--offline=yes", "--threshold=20", join(folder, place.keeper.unit)],
        { encoding: "utf8" },
      );
      if (/unrecognized option|Unknown/.test(security.stderr)) return skip(this, "systemd-analyze is older than 250");
      assert.equal(security.status, 0, security.stdout.split("\n").slice(-4).join("\n") + security.stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
