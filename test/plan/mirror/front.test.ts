import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe as describeIssues } from "../../../src/model/issues";
import { checkFront } from "../../../src/model/mirror/front-check";
import { resolveFront, type Front } from "../../../src/model/mirror/front-resolve";
import type { PlanProbe } from "../../../src/plan/host-plan";
import { mergePlans } from "../../../src/plan/merge";
import { acmePaths } from "../../../src/plan/mirror/acme-paths";
import { FRONT_KEY, FRONT_PASSWORDS, frontConfigText, frontPlan, frontSecrets } from "../../../src/plan/mirror/front";
import { mirrorPlace, secretPath } from "../../../src/plan/mirror/place";
import { privacyProbe } from "../../../src/plan/mirror/privacy-probe";
import { FRONT_CASES } from "../../support/front-cases";
import { temporaryDirectory } from "../../support/go";
import { assertGolden } from "../../support/golden";
import { program } from "../../support/nginx";
import { skip } from "../../support/skip";

const place = mirrorPlace("goproxy");

function planOf(front: Front) {
  const texts = {
    config: frontConfigText(front, place),
    certificate: "the chain\n",
    clientCa: "the client CA\n",
    acmeCa: "the CA\n",
  };
  return mergePlans(frontPlan<string>(front, place, texts));
}

const isProbe = (probe: PlanProbe | undefined): probe is PlanProbe => probe !== undefined;

function front(name: string): Front {
  const { args, context } = FRONT_CASES[name] ?? assert.fail();
  return resolveFront(args, context);
}

describe("front plan", () => {
  for (const name of Object.keys(FRONT_CASES)) {
    it(`is as written down: ${name}`, () => {
      const { files, probes, symlinks, units, packages, listens } = planOf(front(name));
      for (const { path, text } of files) assertGolden(`nginx/${name}${path}`, text);
      assertGolden(`nginx/${name}/probe.sh`, probes.map(({ script }) => script).join(""));
      const privacy = privacyProbe(front(name), place);
      if (privacy !== undefined) assertGolden(`nginx/${name}/privacy.sh`, privacy.script);
      assertGolden(`nginx/${name}/plan.json`, `${JSON.stringify({ symlinks, units, packages, listens }, null, 2)}\n`);
    });

    it(`is made of args that are good: ${name}`, () => {
      const { args } = FRONT_CASES[name] ?? assert.fail();
      const isUnknown = (value: unknown) => value === "PEM";
      assert.equal(describeIssues(checkFront("", args, { isUnknown })), "");
    });
  }

  it("reloads for a changed certificate, key or password, and restarts for its unit alone", () => {
    const plan = planOf(front("full"));
    const [unit] = plan.units;
    assert.deepEqual([unit?.name, unit?.onChange], [place.front.unit, "reload"]);
    for (const read of [
      place.front.certificate,
      place.front.config,
      FRONT_KEY,
      FRONT_PASSWORDS,
      "/etc/gofleet/goproxy/client-ca.pem",
    ]) {
      assert.ok(unit?.reads.includes(read), read);
    }
    // What a master that runs cannot take up: capabilities for a low port, where it may write.
    assert.deepEqual(unit?.restartFor, [`/etc/systemd/system/${place.front.unit}`]);
    assert.ok(unit?.reads.includes(`/etc/systemd/system/${place.front.unit}`));
  });

  it("names its secrets and holds none", () => {
    assert.deepEqual(frontSecrets(front("plain")), [FRONT_KEY]);
    assert.deepEqual(frontSecrets(front("full")), [FRONT_KEY, FRONT_PASSWORDS]);
    assert.deepEqual(frontSecrets(front("elsewhere")), []);
    const { args } = FRONT_CASES.full ?? assert.fail();
    const password = args.access?.users?.ci ?? assert.fail();
    assert.ok(!JSON.stringify(planOf(front("full"))).includes(password));
    assert.ok(frontConfigText(front("plain"), place).includes(secretPath(place, FRONT_KEY)));
  });

  it("watches files that something else renews", () => {
    const { units, files, symlinks } = planOf(front("elsewhere"));
    const watch = files.find(({ path }) => path.endsWith(".path"))?.text ?? "";
    assert.match(watch, /^PathChanged=\/etc\/letsencrypt\/live\/goproxy\/fullchain\.pem$/m);
    assert.match(watch, /^PathChanged=\/etc\/letsencrypt\/live\/goproxy\/privkey\.pem$/m);
    assert.ok(units.some(({ name }) => name.endsWith("-renewal.path")));
    assert.ok(symlinks.some(({ path, target }) => path === place.front.certificate && target.includes("letsencrypt")));
    assert.deepEqual(planOf(front("plain")).units.length, 1);
  });

  it("has the limit of open files that its configuration asks for", () => {
    for (const name of Object.keys(FRONT_CASES)) {
      const { files } = planOf(front(name));
      const service = files.find(({ path }) => path.endsWith("nginx.service"))?.text;
      const config = files.find(({ path }) => path === place.front.config)?.text;
      const limit = /worker_rlimit_nofile (\d+);/.exec(config ?? "")?.[1];
      assert.ok(limit && service?.includes(`LimitNOFILE=${limit}\n`));
    }
  });

  it("has metrics on the port that is said, and keeps it free from others", () => {
    const { args, context } = FRONT_CASES.plain ?? assert.fail();
    const { files, listens } = planOf(resolveFront({ ...args, statusPort: 9181 }, context));
    assert.match(files.find(({ path }) => path === place.front.config)?.text ?? "", /listen 127\.0\.0\.1:9181;/);
    assert.deepEqual(listens.at(-1), { address: "127.0.0.1", port: 9181, unit: place.front.unit });
    assert.ok(!JSON.stringify(files).includes("9180"));
  });

  describe("with ACME", () => {
    const acme = { acceptTerms: true } as const;
    const tlsOf = (more: object = {}, domain = "goproxy.example.org") => {
      const resolved = resolveFront({ domain, tls: { acme: { ...acme, ...more } } });
      return resolved.tls.kind === "acme" ? acmePaths(place, domain, resolved.tls.acme) : assert.fail();
    };

    it("has no secret, a timer of its own, and none of certbot's package", () => {
      assert.deepEqual(frontSecrets(front("acme")), []);
      const { units, packages, symlinks, files } = planOf(front("acme"));
      assert.deepEqual(
        units.map(({ name, onChange }) => [name, onChange]),
        [
          [place.front.unit, "reload"],
          ["gofleet-goproxy-acme.timer", "restart"],
        ],
      );
      assert.ok(packages.includes("certbot"));
      assert.ok(!JSON.stringify({ symlinks, files }).includes("certbot.timer"));
    });

    it("wants port 80 on each address, and the capability for it", () => {
      const { listens, files } = planOf(front("acme-own"));
      assert.deepEqual(
        listens.filter(({ port }) => port === 80),
        [{ address: "192.0.2.10", port: 80, unit: place.front.unit }],
      );
      const service = files.find(({ path }) => path.endsWith("nginx.service"))?.text;
      assert.match(service ?? "", /^CapabilityBoundingSet=.*CAP_NET_BIND_SERVICE/m);
    });

    it("has a certificate of its own for each domain, server and type of key, and only for those", () => {
      const { pairs } = tlsOf();
      for (const other of [
        tlsOf({ directory: "https://a.example/d" }),
        tlsOf({ keyType: "rsa" }),
        tlsOf({}, "b.example.org"),
      ]) {
        assert.notEqual(other.pairs, pairs);
      }
      assert.equal(tlsOf({ email: "fleet@example.org", keep: true }).pairs, pairs);
    });

    it("asks for a certificate after every other probe", () => {
      const names = ["athens", "front", "privacy", "store"];
      const { probes } = planOf(front("acme"));
      const last = [...probes.map(({ name }) => name), ...names].sort().at(-1);
      assert.equal(last, "tls");
      assert.ok(
        probes.find(({ name }) => name === last)?.script.includes("systemctl start gofleet-goproxy-acme.service"),
      );
    });

    it("needs the CA's text where there is one", () => {
      assert.throws(() => frontPlan(front("acme-own"), place, { config: "" }), /certificates must be among its texts/);
    });
  });

  it("needs the certificate's text where it is a file of ours", () => {
    assert.throws(() => frontPlan(front("plain"), place, { config: "" }), /certificates must be among its texts/);
  });

  describe("its units, read by systemd", () => {
    let folder: string;
    before(function () {
      if (program("systemd-analyze") === undefined) skip(this, "there is no systemd-analyze");
      folder = temporaryDirectory();
    });
    after(() => folder !== undefined && rmSync(folder, { recursive: true }));

    for (const name of Object.keys(FRONT_CASES)) {
      it(`have nothing wrong: ${name}`, () => {
        const units = planOf(front(name)).files.filter(({ path }) => path.startsWith("/etc/systemd/system/"));
        for (const { path, text } of units) {
          // The programs need not be on this machine.
          writeFileSync(join(folder, path.split("/").at(-1) ?? ""), text.replace(/^(Exec\w+=)\S+/gm, "$1/bin/true"));
        }
        const names = units.map(({ path }) => join(folder, path.split("/").at(-1) ?? ""));
        const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--recursive-errors=no", ...names], {
          encoding: "utf8",
        });
        const ours = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("gofleet"));
        assert.deepEqual(ours, []);
      });
    }
  });

  it("is checked by a probe that shellcheck has nothing to say of", function () {
    if (program("shellcheck") === undefined) skip(this, "there is no shellcheck");
    for (const name of Object.keys(FRONT_CASES)) {
      for (const { script } of [...planOf(front(name)).probes, privacyProbe(front(name), place)].filter(isProbe)) {
        const { stdout, status } = spawnSync("shellcheck", ["--shell=sh", "-"], { input: script, encoding: "utf8" });
        assert.equal(stdout, "");
        assert.equal(status, 0);
      }
    }
  });
});
