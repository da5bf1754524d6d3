import assert from "node:assert/strict";
import { resolveAgent, type Agent } from "../../../src/model/sandbox/agent";
import { checkSandbox } from "../../../src/model/sandbox/check";
import { JENKINS_AGENT, PLANTED_TOKEN, SHA256 } from "../../support/agents";

const UNKNOWN = Symbol("later");

const problems = (args: object) =>
  checkSandbox(
    { cache: { size: "2 GiB" }, limits: { memory: "8 GiB" }, ...args },
    { isUnknown: (value) => value === UNKNOWN },
  ).map(({ path, given, wanted }) => `${path}: ${wanted} (${JSON.stringify(given)})`);

describe("agents of Jenkins", () => {
  const network = { allow: ["jenkins.corp.example"], resolver: "10.20.0.53" };
  const jenkins = (more: object) => ({ agent: { ...JENKINS_AGENT, ...more }, network });
  const runner = (more: object) => ({ runner: { ...JENKINS_AGENT.runner, ...more } });

  it("are nodes of a Jenkins, which has their program", () => {
    assert.deepEqual(problems(jenkins({})), []);
    const { forge, stopSignal } = resolveAgent({ ...JENKINS_AGENT, url: "https://jenkins.corp.example/ci/" });
    assert.deepEqual([forge?.url, forge?.api], Array(2).fill("https://jenkins.corp.example/ci"));
    assert.equal(stopSignal, "SIGTERM");
    assert.deepEqual(forge?.program, {
      name: "jenkins-agent-3355.v388858a_47b_33",
      format: "file",
      files: ["amd64", "arm64"].map((arch) => ({
        arch,
        sha256: SHA256,
        url: "https://jenkins.corp.example/ci/jnlpJars/agent.jar",
      })),
      package: "default-jre-headless",
      endsWith: 143,
    });
    assert.doesNotMatch(JSON.stringify(forge), /planted|builder/);
  });

  it("may come from elsewhere, with another Java", () => {
    const given = { ...runner({ from: "https://files.corp.example/jenkins/" }), java: "openjdk-21-jre-headless" };
    assert.deepEqual(problems(jenkins(given)), []);
    const { forge } = resolveAgent({ ...JENKINS_AGENT, ...given } as Agent);
    assert.equal(forge?.program.files[0]?.url, "https://files.corp.example/jenkins/agent.jar");
    assert.equal(forge.program.package, "openjdk-21-jre-headless");
  });

  it("may have a token that is known later", () => {
    assert.deepEqual(problems(jenkins({ credential: { user: "builder", token: UNKNOWN } })), []);
  });

  const wrong: Record<string, [more: object, says: RegExp]> = {
    "no server": [{ url: undefined }, /^agent\.url: the https URL of a Jenkins/],
    "a server without TLS": [{ url: "http://jenkins.corp.example" }, /^agent\.url: the https URL of a Jenkins/],
    "a server's search": [{ url: "https://jenkins.corp.example/?a" }, /^agent\.url: the https URL of a Jenkins/],
    "a token alone": [{ credential: { token: PLANTED_TOKEN } }, /^agent\.credential\.user: a user's name/],
    "a user with a password behind": [
      { credential: { user: "builder:planted", token: PLANTED_TOKEN } },
      /^agent\.credential\.user: a user's name, without a colon/,
    ],
    "a user that is known later": [
      { credential: { user: UNKNOWN, token: PLANTED_TOKEN } },
      /^agent\.credential\.user: a plain value/,
    ],
    "a version with a slash": [runner({ version: "1/2" }), /^agent\.runner\.version: a version such as/],
    "a checksum for each architecture": [runner({ sha256: { amd64: SHA256 } }), /^agent\.runner\.sha256: /],
    "no labels": [{ labels: undefined }, /^agent\.labels: labels of the jobs/],
    "a label that is an expression": [{ labels: ["a&&b"] }, /^agent\.labels\[0\]: a label of letters/],
    "a package by its file": [{ java: "./jre.deb" }, /^agent\.java: a package's name/],
  };
  for (const [name, [more, says]] of Object.entries(wrong)) {
    it(`may not have ${name}`, () => {
      const said = problems(jenkins(more));
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", says);
      assert.doesNotMatch(said.join(), /planted/);
    });
  }

  it("must be able to reach it", () => {
    assert.match(
      problems({ ...jenkins({}), network: {} }).join(),
      /^network\.allow: \{ host: "jenkins\.corp\.example"/,
    );
  });
});
