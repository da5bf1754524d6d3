import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { formatConnection, parseConnection, type SshConnection } from "../../src/host/connection";

const word = fc.stringMatching(/^[A-Za-z0-9._~/@-]{1,20}$/);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const connection: fc.Arbitrary<SshConnection> = fc.record({
  kind: fc.constant("ssh" as const),
  host: fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().filter((address) => address.includes(":")),
  ),
  port: optional(fc.integer({ min: 1, max: 65535 })),
  user: optional(fc.stringMatching(/^[a-z_][a-z0-9_-]{0,20}$/)),
  become: optional(fc.constant("sudo" as const)),
  jump: optional(word),
  identity: optional(word),
  hostKey: optional(fc.stringMatching(/^ssh-ed25519 [A-Za-z0-9+/]{20}$/)),
});

describe("a host's line in the state", () => {
  it("reads back what was written, whatever was given", () => {
    fc.assert(
      fc.property(connection, (given) => assert.deepEqual(parseConnection(formatConnection(given)), { ...given })),
      {
        numRuns: 2000,
      },
    );
  });

  it("is short and plain", () => {
    const line = formatConnection({
      kind: "ssh",
      host: "10.20.0.11",
      user: "fleet",
      become: "sudo",
      hostKey: "ssh-ed25519 AAAA",
    });
    assert.equal(line, "ssh fleet@10.20.0.11 sudo key=ssh-ed25519 AAAA");
    assert.equal(formatConnection({ kind: "ssh", host: "fd00::1", port: 2222 }), "ssh [fd00::1]:2222");
  });

  for (const line of ["", "ssh", "local ", "telnet host", "ssh a b=c", "ssh user@"]) {
    it(`refuses ${JSON.stringify(line)}`, () => assert.throws(() => parseConnection(line), /not a host connection/));
  }
});
