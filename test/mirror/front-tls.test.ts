import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RSA } from "../support/certificates";
import { DOMAIN, testMirrors, type TestMirror } from "../support/front";
import { program } from "../support/nginx";
import { skip } from "../support/skip";

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

const ACCEPTED = readFileSync(join(__dirname, "front-tls-accepted.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

/** What testssl.sh has to say of a front, with the test's CA among those it trusts. */
async function findings({ root, ca, front }: TestMirror, ...checks: readonly string[]): Promise<Finding[]> {
  const [trusted, report] = [join(root, "ca.pem"), join(root, "testssl.json")];
  writeFileSync(trusted, ca.root.certificate);
  const options = ["--quiet", "--warnings=batch", "--color=0", "--nodns=none", "--ip=127.0.0.1"];
  const command = program("testssl") ?? "testssl";
  const child = spawn(
    command,
    [...options, `--add-ca=${trusted}`, `--jsonfile=${report}`, ...checks, `${DOMAIN}:${front.port}`],
    {
      stdio: "ignore",
    },
  );
  await once(child, "exit");
  return JSON.parse(readFileSync(report, "utf8")) as Finding[];
}

/** What is wrong with a server: findings above LOW, protocols that are not the two, a chain that does not lead anywhere. */
function problems(all: readonly Finding[]): string[] {
  const said = (id: string) => all.find((each) => each.id === id)?.finding ?? "not looked at";
  const above = all.filter(({ id, severity }) => !["OK", "INFO", "LOW"].includes(severity) && !ACCEPTED.includes(id));
  const protocols = {
    SSLv2: /not offered/,
    SSLv3: /not offered/,
    TLS1: /not offered/,
    TLS1_1: /not offered/,
    TLS1_2: /^offered/,
    TLS1_3: /^offered/,
  };
  return [
    ...above.map(({ id, severity, finding }) => `${id}: ${severity}: ${finding}`),
    ...Object.entries(protocols).flatMap(([id, wanted]) => (wanted.test(said(id)) ? [] : [`${id}: ${said(id)}`])),
    ...(said("cert_chain_of_trust").startsWith("passed")
      ? []
      : [`cert_chain_of_trust: ${said("cert_chain_of_trust")}`]),
  ];
}

describe("the front's TLS, read by testssl.sh", function () {
  this.timeout(600_000);
  const make = testMirrors();
  before(function () {
    if (program("testssl") === undefined) skip(this, "there is no testssl");
  });

  it("has no finding above LOW, exactly TLS 1.2 and 1.3, and a complete chain", async () => {
    const all = await findings(await make().start());
    assert.ok(all.length > 100, "testssl did not look at everything");
    assert.deepEqual(problems(all), []);
    assert.deepEqual(
      ACCEPTED.filter((id) => !all.some((each) => each.id === id)),
      [],
      "accepted, but not found any more",
    );
  });

  it("would be found bad if it were", async () => {
    const weak = (config: string) =>
      config
        .replace("ssl_protocols TLSv1.2 TLSv1.3;", "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;")
        .replace(/ssl_ciphers [^;]+;/, "ssl_ciphers ALL:@SECLEVEL=0;");
    // The leaf alone, without its intermediate.
    const mirror = make({ files: { edit: weak }, pair: (ca) => ca.leaf(DOMAIN, { key: RSA(1024) }) });
    await mirror.start();
    const found = problems(await findings(mirror, "--protocols", "--server-defaults", "--std")).join("\n");
    for (const wanted of [/^TLS1: /m, /^TLS1_1: /m, /^TLS1_3: /m, /^cert_chain_of_trust: /m, /^cert_keySize: /m]) {
      assert.match(found, wanted);
    }
  });
});
