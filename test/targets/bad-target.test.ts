import { strict as assert } from "node:assert";
import { InputPropertiesError } from "@pulumi/pulumi";
import { GoToolchainHost, hostPool, local, lock, ssh, type HostTarget } from "../../src/index";
import { LOCK } from "../engine/pool-program";

type Loose = Record<string, unknown>;
const looseSsh = ssh as unknown as (args: unknown) => HostTarget;
const looseLocal = local as unknown as (args: unknown) => HostTarget;
const loosePool = hostPool as unknown as (args: unknown) => HostTarget;
const one = ssh({ host: "10.0.0.1" });

/** What each wrong target must say: path, what was given, what would do. */
const CASES: readonly [string, HostTarget, RegExp][] = [
  ["ssh without arguments", looseSsh(undefined), /^host: missing, wanted a host name or an IP address/m],
  ["ssh with a user in the host", looseSsh({ host: "root@h" }), /^host: given "root@h"/m],
  ["ssh with a port in the host", looseSsh({ host: "h:22" }), /^host: given "h:22".*user and port apart/m],
  ["ssh with an option for a host", looseSsh({ host: "-oProxyCommand=id" }), /^host: given "-oProxyCommand=id"/m],
  ["ssh with port 0", looseSsh({ host: "h", port: 0 }), /^port: given 0, wanted a port from 1 to 65535/m],
  ["ssh with a port as text", looseSsh({ host: "h", port: "22" }), /^port: given "22"/m],
  ["ssh with a bad user", looseSsh({ host: "h", user: "Fleet User" }), /^user: given "Fleet User"/m],
  ["ssh with another way to root", looseSsh({ host: "h", become: "su" }), /^become: given "su", wanted "sudo"/m],
  [
    "ssh with a password but no sudo",
    looseSsh({ host: "h", password: "x" }),
    /^password: given a password \(not shown\)/m,
  ],
  [
    "ssh with a password of two lines",
    looseSsh({ host: "h", become: "sudo", password: "a\nb" }),
    /^password: .*one line/m,
  ],
  [
    "ssh with a placeholder key",
    looseSsh({ host: "h", hostKey: "…" }),
    /^hostKey: given "…", wanted the host's public key/m,
  ],
  [
    "ssh with a fingerprint",
    looseSsh({ host: "h", hostKey: "SHA256:abc" }),
    /^hostKey: .*a fingerprint cannot be pinned/m,
  ],
  [
    "ssh with a private host key",
    looseSsh({ host: "h", hostKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA" }),
    /^hostKey: given a private key \(not shown\)/m,
  ],
  [
    "ssh with a private key for a file",
    looseSsh({ host: "h", identity: "-----BEGIN OPENSSH PRIVATE KEY-----" }),
    /^identity: given a private key \(not shown\)/m,
  ],
  ["ssh with an option for a bastion", looseSsh({ host: "h", jump: "-oX=y" }), /^jump: given "-oX=y"/m],
  [
    "ssh with a key misspelt",
    looseSsh({ host: "h", hostkey: "x" }),
    /^hostkey: given "x", wanted no such key; did you mean "hostKey"/m,
  ],
  [
    "ssh with a policy misspelt",
    looseSsh({ host: "h", unreachable: "ignore" }),
    /^unreachable: given "ignore", wanted "fail" or "keep" or "gone"/m,
  ],
  ["ssh with a bad deadline", looseSsh({ host: "h", deadline: "soon" }), /^deadline: given "soon", wanted a duration/m],
  [
    "ssh with no time to connect",
    looseSsh({ host: "h", connect: "0 s" }),
    /^connect: given "0 s", wanted at least one second/m,
  ],
  ["local without a root", looseLocal({}), /^root: missing, wanted a directory/m],
  ["local with white space", looseLocal({ root: "my root" }), /^root: given "my root"/m],
  ["local with a host", looseLocal({ root: "r", host: "h" }), /^host: given "h", wanted no such key/m],
  ["an empty pool", loosePool({ hosts: {} }), /^hosts: given {}, wanted hosts by key/m],
  ["a pool by list", loosePool({ hosts: [one] }), /^hosts: given .* wanted hosts by key/m],
  [
    "a pool of strings",
    loosePool({ hosts: { a: "10.0.0.1" } }),
    /^hosts\.a: given "10\.0\.0\.1", wanted one host: ssh/m,
  ],
  [
    "a pool in a pool",
    loosePool({ hosts: { a: hostPool({ hosts: { b: one, c: one } }) } }),
    /^hosts\.a: given "another target", wanted one host/m,
  ],
  ["a pool key with a space", loosePool({ hosts: { "a b": one } }), /^hosts\["a b"\]: given "a b", wanted a key/m],
  ["a pool with a bad host", loosePool({ hosts: { a: looseSsh({ host: "" }) } }), /^hosts\.a\.host: given ""/m],
  [
    "a canary that is no host",
    loosePool({ hosts: { a: one }, rollout: { canary: ["b"] } }),
    /^rollout\.canary\[0\]: given "b", wanted a key of hosts: a/m,
  ],
  ["half a canary", loosePool({ hosts: { a: one }, rollout: { canary: 0.5 } }), /^rollout\.canary: given 0\.5/m],
  [
    "a batch of none",
    loosePool({ hosts: { a: one }, rollout: { batch: 0 } }),
    /^rollout\.batch: given 0, wanted .*at least 1/m,
  ],
  [
    "a batch of 120 %",
    loosePool({ hosts: { a: one }, rollout: { batch: "120 %" } }),
    /^rollout\.batch: given "120 %"/m,
  ],
  [
    "too many at once",
    loosePool({ hosts: { a: one }, rollout: { parallel: 1000 } }),
    /^rollout\.parallel: given 1000/m,
  ],
  [
    "an unknown failure policy",
    loosePool({ hosts: { a: one }, rollout: { onFailure: "ignore" } }),
    /^rollout\.onFailure: given "ignore"/m,
  ],
  [
    "a rollout key misspelt",
    loosePool({ hosts: { a: one }, rollout: { batches: 2 } }),
    /^rollout\.batches: .*did you mean "batch"/m,
  ],
];

const go = lock("1.26.8", LOCK);
const source = { kind: "module", proxy: "https://goproxy.corp.example" };

/** The message of the error that the component throws. */
function messageOf(args: Loose): string {
  try {
    new (GoToolchainHost as unknown as new (name: string, args: Loose) => unknown)("go", args);
  } catch (error) {
    assert.ok(error instanceof InputPropertiesError, String(error));
    return error.message.replace(/^ {2}/gm, "");
  }
  assert.fail("nothing was refused");
}

describe("a wrong target", () => {
  for (const [title, target, wanted] of CASES) {
    it(`is refused: ${title}`, () => {
      const lines = messageOf({ target, go, source }).replace(/^target\./gm, "");
      assert.match(lines, wanted);
    });
  }

  it("is refused: none, and a string", () => {
    assert.match(messageOf({ go, source }), /^target: missing, wanted a target: local/m);
    assert.match(messageOf({ go, source, target: "10.0.0.1" }), /^target: given "10\.0\.0\.1", wanted a target/m);
  });

  it("never shows a password or a private key", () => {
    const target = looseSsh({ host: "h", password: "hunter2", identity: "BEGIN PRIVATE KEY hunter2" });
    assert.ok(!messageOf({ target, go, source }).includes("hunter2"));
  });
});

describe("wrong release arguments", () => {
  const wrong = (more: Loose): string => messageOf({ target: one, go, source, ...more });

  for (const [title, more, wanted] of [
    ["adopt", { adopt: "force" }, /^adopt: given "force", wanted one of "refuse", "displace", "take"/m],
    ["replaces", { replaces: "file" }, /^replaces: given "file", wanted "directory"/m],
    ["keep", { keep: 1 }, /^keep: given 1, wanted a whole number from 2 to 20/m],
    ["directory", { directory: "../etc" }, /^directory: given "\.\.\/etc", wanted a directory name/m],
    ["an unknown hook point", { hooks: { afterSwitch: { operator: ["x"] } } }, /^hooks\.afterSwitch: .*no such key/m],
    ["a hook as text", { hooks: { afterHealthy: "./smoke" } }, /^hooks\.afterHealthy: given "\.\/smoke"/m],
    [
      "a hook of two kinds",
      { hooks: { afterHealthy: { host: ["a"], operator: ["b"] } } },
      /^hooks\.afterHealthy: given \["host","operator"\], wanted exactly one/m,
    ],
    [
      "a hook's command as text",
      { hooks: { onFailure: { operator: "rm -rf /" } } },
      /^hooks\.onFailure\.operator: given "rm -rf \/", wanted program and arguments/m,
    ],
    [
      "a hook's URL with credentials",
      { hooks: { onFailure: { post: "https://u:p@h/" } } },
      /^hooks\.onFailure\.post: .*without credentials/m,
    ],
    [
      "a hook's timeout",
      { hooks: { onFailure: { post: "https://h/", timeout: 5 } } },
      /^hooks\.onFailure\.timeout: given 5, wanted a duration/m,
    ],
    [
      "a hook's failure",
      { hooks: { onFailure: { post: "https://h/", failure: "ignore" } } },
      /^hooks\.onFailure\.failure: given "ignore"/m,
    ],
  ] as const) {
    it(`are refused: ${title}`, () => assert.match(wrong(more), wanted));
  }

  it("are all reported at once, with those of the toolchain and the target", () => {
    const message = messageOf({
      target: looseSsh({ host: "root@h", port: -1 }),
      go: { version: "1.26", checksums: {} },
      env: { GO_PROXY: "x" },
      keep: 99,
    });
    for (const path of ["target.host", "target.port", "go.version", "go.checksums", "env.GO_PROXY", "keep"]) {
      assert.match(message, new RegExp(`^${path.replace(".", "\\.")}: `, "m"));
    }
  });
});
