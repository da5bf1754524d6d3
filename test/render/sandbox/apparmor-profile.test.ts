import assert from "node:assert/strict";
import { sandboxPlace, slotPlace } from "../../../src/plan/sandbox/place";
import { apparmorCommon, type ApparmorCommon } from "../../../src/render/sandbox/apparmor-common";
import { apparmorProfiles } from "../../../src/render/sandbox/apparmor-profile";
import { assertGolden } from "../../support/golden";
import { skipFor } from "../../support/skip";
import { compile, noParser } from "./apparmor-parser";

const place = sandboxPlace("ci");
const INCLUDED = "gofleet-ci.d/common";

interface Case {
  readonly mode?: "enforce" | "complain";
  readonly abi?: "3.0" | "4.0";
  readonly userNamespaces?: boolean;
  readonly shared?: boolean;
}

const common = ({ mode = "enforce", userNamespaces = false }: Case = {}, change: Partial<ApparmorCommon> = {}) =>
  apparmorCommon({
    component: "ci",
    mode,
    userNamespaces,
    programs: ["/srv/toolchains"],
    config: place.config,
    ...change,
  });

const profiles = ({ mode = "enforce", abi = "3.0", userNamespaces = false, shared = false }: Case = {}) =>
  apparmorProfiles({
    mode,
    abi,
    userNamespaces,
    common: INCLUDED,
    slots: [1, 2].map((number) => ({
      ...slotPlace(place, number),
      shared,
      jobLock: `${place.jobLock}.${number}` as const,
    })),
  });

/** Rules, each on a line of its own. */
const rules = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /,$/.test(line));

describe("AppArmor profiles", () => {
  it("are one a slot, with what they have in common beside them", () => {
    assertGolden("sandbox/apparmor/profiles", profiles());
    assertGolden("sandbox/apparmor/common", common());
    assertGolden("sandbox/apparmor/common-user-namespaces", common({ userNamespaces: true }));
  });

  it("name no path of another slot", () => {
    for (const [, number = "", body = ""] of profiles().matchAll(/^profile "gofleet-ci-(\d)" [^{]*\{\n([^}]*)\}$/gm)) {
      const others = number === "1" ? "2" : "1";
      assert.ok(body.includes(`/slots/${number}/`));
      assert.ok(!body.includes(`/slots/${others}/`) && !body.includes(`@${others}.service`));
    }
  });

  it("let nothing be written but what is the slot's own, or nobody's", () => {
    const written = rules(`${common()}${profiles()}`).filter((rule) => /^(?!owner).*["/}\]*] \S*[wl]\S*,$/.test(rule));
    assert.deepEqual(written, [
      "/dev/{full,null,ptmx,tty,zero} rw,",
      "/run/systemd/journal/{dev-log,socket,stdout} rw,",
    ]);
  });

  it("give no capability, no mount, no raw socket and no user namespace", () => {
    const all = rules(`${common()}${profiles()}`);
    assert.deepEqual(
      all.filter((rule) => /^(capability|mount|umount|remount|pivot_root|userns|change_profile)/.test(rule)),
      [],
    );
    assert.deepEqual(
      all.filter((rule) => rule.startsWith("network") && /raw|packet|,network,$/.test(rule)),
      ["network netlink raw,"],
    );
  });

  it("let all slots write a build cache that they share", () => {
    assert.match(profiles({ shared: true }), /^ {2}"\/var\/cache\/gofleet-ci\/slots\/1\/build\/\*\*" rwkmix,$/m);
  });

  it("deny nothing outright in complain mode, where that would be enforced", () => {
    assert.match(common(), /deny/);
    assert.doesNotMatch(common({ mode: "complain" }), /deny \//);
    assert.match(
      profiles({ mode: "complain" }),
      /^profile "gofleet-ci-2" flags=\(attach_disconnected, complain\) \{$/m,
    );
  });

  it("know user namespaces only where the parser does", () => {
    assert.doesNotMatch(profiles({ userNamespaces: true }), /userns/);
    assert.match(profiles({ userNamespaces: true, abi: "4.0" }), /^ {2}userns,$/m);
    assert.doesNotMatch(profiles({ abi: "4.0" }), /userns/);
  });

  describe("as the parser reads them", () => {
    before(function () {
      skipFor(this, noParser());
    });

    const cases: Record<string, Case> = {
      "that enforce": {},
      "that complain": { mode: "complain" },
      "with user namespaces": { userNamespaces: true },
      "of slots that share a cache": { shared: true },
    };
    for (const [name, each] of Object.entries(cases)) {
      it(`are good: ${name}`, () => {
        const { complaint, names } = compile(profiles(each), { [INCLUDED]: common(each) });
        assert.equal(complaint, "");
        assert.deepEqual(names, ["gofleet-ci-1", "gofleet-ci-2"]);
      });
    }

    it("are good for any directory", () => {
      const hostile = '/srv/a"b, {c} *[x]^?/@{PROC}\\e';
      const { complaint } = compile(profiles(), {
        [INCLUDED]: common({}, { programs: [hostile], config: hostile }),
      });
      assert.equal(complaint, "");
    });

    it("are refused with a mistake in them", () => {
      assert.match(compile(profiles(), { [INCLUDED]: common().replace("mrix,", "mrix") }).complaint, /exit 1/);
      assert.match(compile(profiles()).complaint, /exit 1/);
    });
  });
});
