import assert from "node:assert/strict";
import { parseHostKey } from "../../src/model/host-key";
import {
  parseAddress,
  parseComponentName,
  parseEnvName,
  parsePath,
  parseUnitName,
  parseUserName,
} from "../../src/model/names";

// The bytes 0 to 31 as a key: nobody has the private half.
const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

type Parse = (
  path: string,
  given: unknown,
) => { readonly value?: unknown; readonly issue?: { readonly wanted: string } };

function accepts(parse: Parse, ...values: readonly string[]): void {
  for (const value of values) {
    it(`${parse.name} accepts ${value}`, () => assert.deepEqual(parse("x", value), { value }));
  }
}

function refuses(parse: Parse, ...values: readonly unknown[]): void {
  for (const value of values) {
    it(`${parse.name} refuses ${JSON.stringify(value)?.slice(0, 60)}`, () => {
      const { issue } = parse("x", value);
      assert.ok(issue, "it was accepted");
      assert.notEqual(issue.wanted, "");
    });
  }
}

describe("names", () => {
  accepts(parsePath, "/etc/x", "/srv/50%/go", "/etc/systemd/system/a\\x2db.service", "/srv/é", "/a/.b/..c", "/a;b&c");
  refuses(parsePath, "", "/", "etc", "//etc", "/etc//x", "/etc/./x", "/etc/../x", "/etc/", "/a b", "/a\tb", "/a\nb");
  refuses(
    parsePath,
    "/a'b",
    '/a"b',
    "/a`b",
    "/a*",
    "/a?",
    "/a[b",
    "/a$b",
    "/a\0",
    7,
    undefined,
    "/..",
    `/${"a".repeat(256)}`,
  );

  accepts(parseUnitName, "buildcache.service", "var-cache-go\\x2dbuild.mount", "getty@tty1.service", "a.slice");
  refuses(
    parseUnitName,
    "a",
    "a.exe",
    "a b.service",
    "../a.service",
    ".service",
    "@.service",
    `${"a".repeat(250)}.service`,
  );

  accepts(parseComponentName, "go", "proj-go", "0.a_b");
  refuses(parseComponentName, "", ".", "..", "-a", "Go", "a/b", "a\n", "a".repeat(64), 7);

  accepts(parseAddress, "build-01.corp.example", "192.0.2.7", "2001:db8::1", "localhost");
  refuses(parseAddress, "", "-oProxyCommand=id", "root@h", "h:22", "[::1]", "a b", "a..b", "300.1.1.1", "1.2.3", "h\n");

  accepts(parseUserName, "fleet", "_apt", "go-build");
  refuses(parseUserName, "", "Root", "1a", "-a", "a b", "a:b", "a".repeat(33));

  accepts(parseEnvName, "GOFLAGS", "_x1");
  refuses(parseEnvName, "", "1a", "a-b", "a=b", "a b", "é");
});

describe("host keys", () => {
  it("takes a public key and drops its comment", () => {
    assert.deepEqual(parseHostKey("k", `ssh-ed25519 ${KEY} root@build-01\n`), { value: `ssh-ed25519 ${KEY}` });
  });

  refuses(
    parseHostKey,
    "…",
    "",
    undefined,
    "ssh-ed25519 AAAA…",
    "ssh-ed25519",
    `ssh-rsa ${KEY}`,
    `ssh-ed25519 ${KEY.slice(0, -8)}`,
    `ssh-dss ${KEY}`,
    `ssh-ed25519 ${KEY}\nssh-ed25519 ${KEY}`,
  );

  const hints: Record<string, [string, RegExp]> = {
    "a known_hosts line": [`192.0.2.7 ssh-ed25519 ${KEY}`, /leave out the host name in front/],
    "a fingerprint": ["SHA256:abcdefghijklmnopqrstuvwxyz", /a fingerprint cannot be pinned/],
  };
  for (const [name, [given, wanted]] of Object.entries(hints)) {
    it(`says what is wrong with ${name}`, () => assert.match(parseHostKey("k", given).issue?.wanted ?? "", wanted));
  }

  it("refuses a private key without repeating it", () => {
    const given = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----";
    const { issue } = parseHostKey("hosts.a.hostKey", given);
    assert.equal(issue?.given, "a private key (not shown)");
    assert.ok(!JSON.stringify(issue).includes("c2VjcmV0"));
  });
});
