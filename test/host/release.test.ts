import { strict as assert } from "node:assert";
import { prepare } from "../../src/host/prepared-release";
import { formatActual, planInputs, planOf, type ReleaseInputs, type ReleaseState } from "../../src/host/release";
import { checkRelease, UNKNOWN } from "../../src/host/release-check";
import { diffRelease } from "../../src/host/release-diff";
import { AT_ONCE } from "../../src/model/rollout";
import { EMPTY_PLAN, type HostPlan } from "../../src/plan/host-plan";
import { manifest } from "../../src/plan/manifest";

const plan: HostPlan = {
  ...EMPTY_PLAN,
  files: [
    {
      path: "/etc/systemd/system/a.service",
      text: "[Service]\n",
      mode: "0644",
      owner: "root",
      group: "root",
      place: "link",
    },
    { path: "/etc/sudoers.d/a", text: "#\n", mode: "0440", owner: "root", group: "adm", place: "copy" },
  ],
  symlinks: [
    { path: "/usr/local/bin/go", target: "/usr/local/lib/go/bin/go", switched: true },
    { path: "/etc/systemd/system/multi-user.target.wants/a.service", target: "../a.service", switched: false },
  ],
  downloads: [
    {
      name: "go1.26.8",
      format: "module",
      variants: [
        { arch: "amd64", checksum: "h1:AAA", urls: ["https://goproxy.corp.example/a.zip"] },
        { arch: "arm64", checksum: "h1:BBB", urls: [], file: "go.zip" },
      ],
      overlay: { path: "go.env", text: "/etc/gofleet/c/go.env" },
    },
    {
      name: "tool-1.2.3",
      format: "module",
      variants: [{ arch: "any", checksum: "h1:CCC", urls: [], file: "tool.zip" }],
      build: {
        package: "./cmd/tool",
        output: "tool",
        goRoot: "download:go1.26.8",
        env: { GOPROXY: "https://goproxy.corp.example", GOFLAGS: "-tags=small" },
        keepSources: undefined,
      },
    },
  ],
  units: [{ name: "a.service", onChange: "restart", reads: ["/etc/systemd/system/a.service", "token"] }],
  probes: [{ name: "a", timeout: 5, script: "true\n" }],
  packages: ["nginx", "ca-certificates"],
  listens: [
    { address: "0.0.0.0", port: 443, unit: "a.service" },
    { address: "::1", port: 9180, unit: "a.service" },
  ],
  confirm: 30,
};

const inputs: ReleaseInputs = {
  component: "fleet-go",
  stack: "organization/fleet/dev",
  resourceUrn: "urn:pulumi:dev::fleet::x",
  files: Object.fromEntries(plan.files.map(({ path, text }) => [path, text])),
  plan: planInputs(plan),
  secrets: { token: "hunter2" },
  hosts: { a: "ssh 10.0.0.1", b: "ssh 10.0.0.2" },
  policy: {
    unreachable: "fail",
    adopt: "refuse",
    onNewMachine: "fail",
    keep: 3,
    deadline: 60,
    connect: 5,
    unsupported: "refuse",
  },
  rollout: AT_ONCE,
};
const key = "00".repeat(32);
const release = prepare(inputs, key).id;
const actual = formatActual({ release, machine: "f".repeat(32), facts: "debian-12 amd64 systemd-252" });
const state: ReleaseState = {
  ...inputs,
  instance: "1".repeat(32),
  key,
  actual: { a: actual, b: actual },
  readings: {},
};

describe("a release's inputs", () => {
  it("hold the whole plan: the manifest from them is the manifest of the plan", () => {
    const back = planOf(inputs, () => "d".repeat(64));
    assert.equal(manifest(back), manifest({ ...plan, secrets: [{ name: "token", hmac: "d".repeat(64) }] }));
  });

  it("are the same whatever order the plan came in", () => {
    const reversed = { ...plan, files: [...plan.files].reverse(), symlinks: [...plan.symlinks].reverse() };
    assert.equal(JSON.stringify(planInputs(reversed)), JSON.stringify(planInputs(plan)));
  });

  it("show packages and ports as a person reads them", () => {
    assert.deepEqual(inputs.plan.packages, ["ca-certificates", "nginx"]);
    assert.deepEqual(inputs.plan.listens, { "0.0.0.0:443": "a.service", "[::1]:9180": "a.service" });
  });

  it("name a secret by a digest that depends on the key", () => {
    assert.notEqual(prepare(inputs, key).id, prepare(inputs, "11".repeat(32)).id);
    assert.ok(!JSON.stringify(prepare(inputs, key).plan).includes("hunter2"));
  });
});

const build = (more: object) => ({
  plan: {
    attributes: {},
    downloads: {
      t: {
        format: "module",
        variants: {},
        build: { package: ".", output: "t", goRoot: "/usr/local/go", env: {}, ...more },
      },
    },
  },
});

describe("check", () => {
  const broken = (change: object): string =>
    checkRelease({ ...inputs, ...change })
      .map(({ property, reason }) => `${property}: ${reason}`)
      .join("\n");

  it("finds nothing wrong with a right one, nor below an unknown", () => {
    assert.equal(broken({}), "");
    assert.equal(broken({ hosts: UNKNOWN, plan: UNKNOWN, files: UNKNOWN, component: UNKNOWN }), "");
    assert.equal(broken({ hosts: { a: UNKNOWN }, files: { "/etc/a": UNKNOWN } }), "");
  });

  for (const [title, change, wanted] of [
    ["a relative path", { files: { "etc/a": "" } }, /files\["etc\/a"\]: given "etc\/a", wanted an absolute path/],
    ["a path that climbs", { files: { "/etc/../a": "" } }, /wanted an absolute path/],
    ["a path with a space", { files: { "/etc/a b": "" } }, /wanted an absolute path/],
    ["a file that is no text", { files: { "/etc/a": 5 } }, /files\["\/etc\/a"\]: given "number", wanted text/],
    ["a component directory that climbs", { component: "../x" }, /component: given "\.\.\/x", wanted a directory name/],
    ["no host", { hosts: {} }, /hosts: given \{\}, wanted at least one host/],
    [
      "a host line made by hand",
      { hosts: { a: "10.0.0.1" } },
      /hosts\["a"\]: given "10\.0\.0\.1", wanted a connection/,
    ],
    [
      "one host twice",
      { hosts: { a: "ssh h", b: "ssh root@h" } },
      /hosts\["b"\]: given "h:22", wanted a host of its own; "a" is the same one/,
    ],
    [
      "a mode of letters",
      { plan: { attributes: { "/etc/a": "rwx root:root" } } },
      /plan\.attributes\["\/etc\/a"\]: given "rwx root:root"/,
    ],
    [
      "a package that apt would remove",
      { plan: { attributes: {}, packages: ["nginx-"] } },
      /plan\.packages: given "nginx-", wanted the name of a Debian package/,
    ],
    [
      "a port at no address",
      { plan: { attributes: {}, listens: { "localhost:80": "a.service" } } },
      /plan\.listens: given "localhost:80", wanted an IP address/,
    ],
    [
      "a port that is none",
      { plan: { attributes: {}, listens: { "[::1]:99999": "a.service" } } },
      /plan\.listens: given "\[::1\]:99999"/,
    ],
    [
      "a build that climbs out of its module",
      build({ package: "../other" }),
      /downloads\["t"\]\.build\.package: given "\.\.\/other", wanted a package's directory/,
    ],
    [
      "a download that would be placed elsewhere",
      { plan: { attributes: {}, downloads: { t: { format: "file", as: "../t", variants: {} } } } },
      /downloads\["t"\]\.as: given "\.\.\/t", wanted a file name/,
    ],
    [
      "a build without a toolchain",
      build({ goRoot: "go1.26.8" }),
      /build\.goRoot: given "go1\.26\.8", wanted an absolute path, or download:/,
    ],
    [
      "a build with a setting of two lines, and does not show it",
      build({ env: { GOPROXY: "hunter2\nGOFLAGS=x" } }),
      /^(?!.*hunter2).*build\.env\["GOPROXY"\]: given "\(not shown\)", wanted/s,
    ],
  ] as const) {
    it(`refuses ${title}`, () => assert.match(broken(change), wanted));
  }
});

describe("diff", () => {
  const changes = (news: Partial<ReleaseInputs>, olds: Partial<ReleaseState> = {}) =>
    diffRelease({ ...state, ...olds }, { ...inputs, ...news });

  it("is none where every host has the release", () => assert.deepEqual(changes({}), { changes: false, replaces: [] }));
  it("is none for a resource of another name or provider line", () => {
    assert.equal(changes({ resourceUrn: "urn:other" }).changes, false);
  });
  it("is some for a text, a secret, a host's line, a policy, a host more or less", () => {
    assert.equal(changes({ files: { ...inputs.files, "/etc/sudoers.d/a": "" } }).changes, true);
    assert.equal(changes({ secrets: { token: "other" } }).changes, true);
    assert.equal(changes({ hosts: { ...inputs.hosts, a: "ssh 10.0.0.9" } }).changes, true);
    assert.equal(changes({ hosts: { a: "ssh 10.0.0.1" } }).changes, true);
    assert.equal(changes({ hosts: { ...inputs.hosts, c: "ssh 10.0.0.3" } }).changes, true);
    assert.equal(changes({ policy: { ...inputs.policy, keep: 5 } }).changes, true);
  });
  it("is some where a host is elsewhere or drifted, though the inputs are the same", () => {
    assert.equal(changes({}, { actual: { a: actual, b: actual.replace(release, "0".repeat(16)) } }).changes, true);
    assert.equal(changes({}, { actual: { a: actual } }).changes, true);
    assert.equal(changes({}, { drift: { a: { "/etc/a": "modified" } } }).changes, true);
  });
  it("is some where anything is unknown", () => assert.equal(changes({ hosts: { a: UNKNOWN } }).changes, true));
  it("replaces only for another directory", () => {
    assert.deepEqual(changes({ component: "other" }).replaces, ["component"]);
    assert.deepEqual(changes({ hosts: { a: "ssh 10.0.0.9" } }).replaces, []);
  });
});
