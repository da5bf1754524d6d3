import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { confinementPlan } from "../../src/plan/sandbox/confinement";
import { sandboxPlace, slotPlace } from "../../src/plan/sandbox/place";
import { must } from "../hosts/support/commands";
import { skipFor } from "../support/skip";
import { noGuest, runGuest, type GuestFiles } from "./support/guest";

const place = sandboxPlace("ci");
const slots = [1, 2].map((number) => ({ ...slotPlace(place, number), shared: false }));
const [slot, neighbour] = slots as [(typeof slots)[number], (typeof slots)[number]];

const GOROOT = "/usr/local/lib/gofleet/go/tree";
const MODULE = `${place.modules}/example.com`;
const WORK = `${slot.workspace}/work`;
const ANYBODY = "unconfined";

/** What a job does all day. */
const OWN = [
  "own-file",
  "own-link",
  "own-rename",
  "own-input",
  "own-modules",
  "own-child",
  "own-network",
  "own-lock",
  "system",
];

/** Ways out as root, for whom modes of files are no hindrance; and what the kernel's log says of each. */
const AS_ROOT: Readonly<Record<string, string>> = {
  shadow: "open /etc/shadow",
  "goroot-write": `open ${GOROOT}/VERSION`,
  "goroot-create": `open ${GOROOT}/bin/new`,
  "modules-write": `open ${MODULE}/m@v1.0.0/m.go`,
  "modules-create": `open ${MODULE}/new`,
  "host-process": `ptrace ${ANYBODY}`,
  ptrace: `ptrace ${ANYBODY}`,
  signal: `signal ${ANYBODY}`,
  mount: `mount ${WORK}/mnt/`,
  bind: `mount ${WORK}/mnt/`,
  module: "capable sys_module",
  "raw-socket": "create inet raw",
  "packet-socket": "create packet raw",
  chroot: "capable sys_chroot",
  device: "capable dac_override",
  hostname: "open /proc/sys/kernel/hostname",
  policy: "open /sys/kernel/security/apparmor/.load",
  // The last: in complain mode it succeeds.
  "leave-profile": "open /proc/*/task/*/attr/current",
};

/** Ways out as the slot's own user, which modes of files and owners leave open. */
const AS_SLOT: Readonly<Record<string, string>> = {
  "neighbour-file": `open ${neighbour.workspace}/work/secret`,
  "neighbour-write": `open ${neighbour.workspace}/work/secret`,
  "neighbour-lock": `open ${place.jobLock}.2`,
  "neighbour-symlink": `open ${neighbour.workspace}/work/secret`,
  "modules-write": `open ${MODULE}/m@v1.0.0/m.go`,
  "hardlink-in": `link ${WORK}/hardlink`,
  "hardlink-out": "link /srv/mine/hardlink",
  "rename-out": "rename_dest /srv/mine/went",
  "outside-write": "open /srv/open/file",
  "same-user-ptrace": `ptrace ${ANYBODY}`,
  "same-user-signal": `signal ${ANYBODY}`,
  "same-user-memory": "open /proc/*/mem",
  "setuid-program": "exec /usr/bin/su",
  "setuid-unknown": "capable setuid",
  "setuid-shadow": "open /etc/shadow",
  "namespace-and-mount": "capable sys_admin",
};

interface Denial {
  readonly denied: boolean;
  readonly profile: string;
  readonly operation: string;
  readonly object: string;
}

/** One virtual machine for all: without a profile, in enforce mode, in complain mode, and without one again. */
describe("the slots' AppArmor profiles in a kernel that enforces", function () {
  this.timeout(900_000);
  let printed: ReadonlyMap<string, string>;
  let scratch: string;
  let program: string;

  const section = (name: string): string => printed.get(name) ?? assert.fail(`nothing was printed for ${name}`);
  const answers = (name: string): Record<string, string> =>
    Object.fromEntries(
      section(name)
        .split("\n")
        .filter((line) => line.includes("\t"))
        .map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]),
    );
  /** What the host's own program makes of the log. */
  const denials = async (name: string): Promise<readonly Denial[]> => {
    const log = join(scratch, "log");
    writeFileSync(log, section(name));
    const config = ["-config", join(scratch, "sandbox.json")];
    const text = await must(program, ["denials", ...config, "-log", log, "-json"]);
    return (JSON.parse(text) as { readonly groups: readonly Denial[] }).groups;
  };
  const each = (names: readonly string[], value: string) => Object.fromEntries(names.map((name) => [name, value]));

  before(async function () {
    skipFor(this, noGuest());
    scratch = mkdtempSync(join(tmpdir(), "gofleet-apparmor-"));
    program = join(scratch, "gofleet-sandbox");
    await must("go", ["build", "-C", join(__dirname, "../../hosttools/sandbox"), "-o", program, "."]);
    writeFileSync(join(scratch, "sandbox.json"), settings());
    printed = await runGuest({
      ...confined("enforce"),
      ...confined("complain", "/complain"),
      "/attempts-root": Object.keys(AS_ROOT).join(" "),
      "/attempts-slot": [...OWN, ...Object.keys(AS_SLOT)].join(" "),
    });
  });

  after(() => {
    if (scratch) rmSync(scratch, { recursive: true, force: true });
  });

  it("are needed: without them every way out is open", async () => {
    assert.deepEqual(answers("control root"), each(Object.keys(AS_ROOT), "ok"));
    assert.deepEqual(answers("control slot"), each([...OWN, ...Object.keys(AS_SLOT)], "ok"));
    assert.deepEqual(await denials("control log"), []);
  });

  it("are loaded by the unit's script, each in its mode", () => {
    assert.deepEqual(
      section("load").trim().split("\n").sort(),
      slots.map(({ profile }) => `${profile} (enforce)`),
    );
  });

  it("let a job do what jobs do", () => {
    const slotAnswers = answers("enforce slot");
    for (const name of OWN) assert.equal(slotAnswers[name], "ok", name);
  });

  for (const [who, ways] of [["root", AS_ROOT] as const, ["slot", AS_SLOT] as const]) {
    describe(`in enforce mode, as ${who === "root" ? "root" : "the slot's user"}`, () => {
      for (const [name, said] of Object.entries(ways)) {
        it(`deny ${name}, and it is logged`, async () => {
          // Such a program runs, as root even; but a root without any right to be one.
          if (name !== "setuid-unknown")
            assert.match(answers(`enforce ${who}`)[name] ?? "", /permission denied|not permitted/);
          const logged = (await denials("enforce log")).filter(
            ({ denied, profile }) => denied && profile === slot.profile,
          );
          assert.ok(
            logged.some(({ operation, object }) => `${operation} ${object}` === said),
            `${said} is not among ${JSON.stringify(logged, undefined, 1)}`,
          );
        });
      }
    });
  }

  it("let go build and run a program with nothing denied", async () => {
    const [attribute, ...rest] = section("build").trim().split("\n");
    assert.equal(attribute, `${slot.profile} (enforce)`);
    assert.deepEqual(rest, ["built here"]);
    assert.deepEqual(await denials("build log"), []);
  });

  it("deny nothing in complain mode, and log all that enforce mode denies", async () => {
    assert.match(section("load-complain"), new RegExp(`^${slot.profile} \\(complain\\)$`, "m"));
    assert.deepEqual(answers("complain root"), each(Object.keys(AS_ROOT), "ok"));
    assert.deepEqual(answers("complain slot"), each([...OWN, ...Object.keys(AS_SLOT)], "ok"));
    const noted = await denials("complain log");
    assert.ok(noted.every(({ denied }) => !denied));
    const texts = noted.map(({ operation, object }) => `${operation} ${object}`);
    // The one rule that denies outright is left out in complain mode.
    const outright = AS_SLOT["setuid-program"];
    for (const said of [...Object.values(AS_ROOT), ...Object.values(AS_SLOT)]) {
      if (said !== outright) assert.ok(texts.includes(said), `${said} is not among\n${texts.join("\n")}`);
    }
  });

  describe("for the canary build", () => {
    const CANARY = "gofleet-ci-canary1";
    const loaded = (name: string) => section(name).trim().split("\n").sort();
    const both = slots.map(({ profile }) => `${profile} (enforce)`);

    it("are joined by one, until that is taken out, twice even", () => {
      assert.deepEqual(loaded("canary"), [...both, `${CANARY} (enforce)`]);
      assert.deepEqual(loaded("no canary"), both);
    });

    it("let go build and run a program at its paths with nothing denied", async () => {
      const [attribute, ...rest] = section("canary build").trim().split("\n");
      assert.equal(attribute, `${CANARY} (enforce)`);
      assert.deepEqual(rest, ["built here"]);
      assert.deepEqual(await denials("canary build log"), []);
    });

    it("deny it the files of slots and what they deny to slots", async () => {
      const tried = answers("canary out");
      const logged = await denials("canary out log");
      // The attempt is on the slot's own file, which is another's here.
      for (const name of ["own-file", "neighbour-file", "same-user-memory", "setuid-program"]) {
        assert.match(tried[name] ?? "", /permission denied|not permitted/, name);
        const said = name === "own-file" ? `open ${WORK}/file` : AS_SLOT[name];
        assert.ok(
          logged.some(
            ({ denied, profile, operation, object }) =>
              denied && profile === CANARY && `${operation} ${object}` === said,
          ),
          `${said} is not among ${JSON.stringify(logged, undefined, 1)}`,
        );
      }
    });

    it("are those of a staged release, with its rules and not the installed ones", () => {
      const { "setuid-program": answer } = answers("canary staged");
      assert.equal(answer, "ok");
      assert.match(section("canary staged"), new RegExp(`^${CANARY} \\(complain\\)$`, "m"));
    });
  });

  it("go with the slots, and with the unit", () => {
    assert.equal(section("fewer").trim(), `${slot.profile} (complain)`);
    assert.equal(section("unload").trim(), "");
  });
});

function confined(mode: "enforce" | "complain", below = ""): GuestFiles {
  const { files = [] } = confinementPlan(
    place,
    {
      mode,
      userNamespaces: false,
      slots,
      programs: ["/usr/local/lib/gofleet/go"],
    },
    "/usr/bin/gofleet-sandbox",
  );
  return Object.fromEntries(files.map(({ path, text }) => [`${below}${path}`, text]));
}

/** As much of the program's settings as it takes to read a log. */
function settings(): string {
  const { component, group, state, runtime, pauseMark, jobLock, metrics } = place;
  return JSON.stringify({
    ...{ component, group, state, runtime, pauseMark, jobLock, metrics, go: `${GOROOT}/bin/go` },
    slots: slots.map(({ number, user, unit, workspace, buildCache, modules }) => ({
      ...{ number, user, unit, workspace, buildCache, modules },
    })),
    cache: { kind: "disk" },
    watch: { pausePercent: 85, reclaimPercent: 95, lowPercent: 80 },
  });
}
