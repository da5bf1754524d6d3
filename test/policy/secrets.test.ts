import assert from "node:assert/strict";
import { plainSecrets } from "../../src/policy/rules/plain-secrets";
import { CONTAINER, deployment, release, resource, table, UNKNOWN, type Case } from "./support";

const NONE: ReadonlySet<string> = new Set();
/** A resource of which the engine has told the secrets. */
const told = (props: Readonly<Record<string, unknown>>, secrets = NONE) => resource("x:y:Z", props, { secrets });
const file = (text: string) => release(1, { files: { "/f": text } });
// Put together here, so that no scanner takes this file for a leak.
const PEM = `-----BEGIN ${"PRIVATE"} KEY-----\nMIIE\n-----END ${"PRIVATE"} KEY-----\n`;
const GITHUB = `ghp${"_"}${"a1B2".repeat(9)}`;
const FOUND = (what: string, path = 'files["/f"]') => `${path}: ${what} in clear (not shown)`;

const CASES: Readonly<Record<string, Case>> = {
  "plain text": { of: file("GOPROXY=https://goproxy.corp.example\npassword policies are on the wiki\n"), finds: [] },
  "a private key": { of: file(`key:\n${PEM}`), finds: [FOUND("a private key")] },
  "an OpenSSH key": { of: file(PEM.replaceAll("PRIVATE", "OPENSSH PRIVATE")), finds: [FOUND("a private key")] },
  "a public key and a certificate": {
    of: file("-----BEGIN PUBLIC KEY-----\n-----BEGIN CERTIFICATE-----\nssh-ed25519 AAAA"),
    finds: [],
  },
  "a netrc": { of: file("machine git.corp.example login ci password hunter2\n"), finds: [FOUND("a netrc password")] },
  "a netrc over lines": {
    of: file("machine git.corp.example\n  login ci\n  password hunter2\n"),
    finds: [FOUND("a netrc password")],
  },
  "a GitHub token": { of: file(`token ${GITHUB}`), finds: [FOUND("a GitHub token")] },
  "a GitLab token": { of: file(`glpat${"-"}${"a1B2".repeat(5)}`), finds: [FOUND("a GitLab token")] },
  "an AWS access key": { of: file(`AKIA${"ABCD".repeat(4)}`), finds: [FOUND("an AWS access key")] },
  "a password in a URL": {
    of: file("https://ci:hunter2@git.corp.example/x"),
    finds: [FOUND("a password in a URL")],
  },
  "a user name in a URL": { of: file("ssh://git@git.corp.example/x https://host:8080/a@b"), finds: [] },
  "a placeholder in a URL": { of: file("https://ci:${TOKEN}@git.corp.example/x"), finds: [] },
  "a request's credentials": {
    of: file(`Authorization: Bearer ${"abcd1234"}`),
    finds: [FOUND("credentials of a request")],
  },
  "in boot data": {
    of: resource("aws:ec2/instance:Instance", { userData: Buffer.from(PEM).toString("base64") }),
    finds: [FOUND("a private key", "userData")],
  },
  "a secret input": { of: told({ token: GITHUB, pem: PEM }, new Set(["token", "pem"])), finds: [] },
  "below a secret input": { of: told({ auth: { token: GITHUB } }, new Set(["auth"])), finds: [] },
  "beside a secret input": {
    of: told({ auth: "x", authority: GITHUB }, new Set(["auth"])),
    finds: [FOUND("a GitHub token", "authority")],
  },
  "a plain password by its name": { of: told({ password: "hunter2" }), finds: [FOUND("a value", "password")] },
  "a password whose secrecy nobody told": { of: resource("x:y:Z", { password: "hunter2" }), finds: [] },
  "an empty password": { of: told({ password: "" }), finds: [] },
  "a password that is not known": { of: told({ password: UNKNOWN }), finds: [] },
  "a reference": { of: told({ password: "arn:aws:secretsmanager:x", token: "${TOKEN}" }), finds: [] },
  "names like it": { of: told({ tokenTtl: "5m", passwordLength: "20", secretName: "x" }), finds: [] },
  "a name of one's own": {
    of: told({ pin: "1234" }),
    config: { names: ["pin"] },
    finds: [FOUND("a value", "pin")],
  },
  "a variable of a container": {
    of: deployment({ env: [{ name: "CI_TOKEN", value: "hunter2" }] }, { secrets: NONE }),
    finds: [FOUND("a value", `${CONTAINER}.env[0].value`)],
  },
  "a variable from a secret": {
    of: deployment(
      { env: [{ name: "CI_TOKEN", valueFrom: { secretKeyRef: { name: "ci", key: "token" } } }] },
      { secrets: NONE },
    ),
    finds: [],
  },
  "a Secret of Kubernetes": {
    of: resource("kubernetes:core/v1:Secret", { stringData: { key: PEM } }, { secrets: NONE }),
    finds: [],
  },
};

describe("policy: secrets", () => {
  table(plainSecrets, CASES);

  it("never quotes what it found", () => {
    const texts = Object.values(CASES).flatMap(({ of }) => plainSecrets.check(of).map((each) => JSON.stringify(each)));
    assert.ok(texts.length > 10);
    assert.doesNotMatch(texts.join("\n"), /hunter2|MIIE|ghp_|glpat|AKIA|abcd1234/);
  });
});
