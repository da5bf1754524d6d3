import assert from "node:assert/strict";
import { manifest } from "../../../src/plan/manifest";
import type { ForgeAgent } from "../../../src/model/sandbox/agent";
import type { SandboxArgs } from "../../../src/model/sandbox/sandbox";
import { BUILDKITE_AGENT, GITHUB_AGENT, GITLAB_AGENT, JENKINS_AGENT } from "../../support/agents";
import { assertGolden } from "../../support/golden";
import { assertSystemdTakes } from "./host-tools";
import { plan, textOf } from "./parts";

const TEMPLATE = "/etc/systemd/system/gofleet-ci@.service";
const SETTINGS = "/etc/gofleet/ci/sandbox.json";
const APPARMOR = ["/etc/apparmor.d/gofleet-ci", "/etc/apparmor.d/gofleet-ci.d/common"];

/** The smallest sandbox for each kind of agent. */
const KINDS: Record<string, Pick<SandboxArgs, "network"> & { readonly agent: ForgeAgent }> = {
  github: { agent: GITHUB_AGENT, network: { allow: ["github.com"] } },
  gitlab: { agent: GITLAB_AGENT, network: { allow: ["gitlab.com"] } },
  buildkite: { agent: BUILDKITE_AGENT, network: { allow: ["agent.buildkite.com"] } },
  jenkins: { agent: JENKINS_AGENT, network: { allow: ["jenkins.corp.example"] } },
};

for (const [kind, args] of Object.entries(KINDS)) {
  describe(`sandbox plan with agents of ${kind}`, () => {
    it("is as written down", () => {
      const made = plan(args);
      assertGolden(`sandbox/agents/${kind}/manifest`, manifest(made));
      for (const path of [TEMPLATE, SETTINGS, ...APPARMOR]) {
        assertGolden(`sandbox/agents/${kind}${path}`, textOf(made, path));
      }
    });

    it("has nothing of a credential in it", () => {
      const made = plan(args);
      assert.doesNotMatch(JSON.stringify(made), /planted/);
      assert.match(textOf(made, SETTINGS), /"\/etc\/gofleet\/ci\/current\/\.gofleet\/secrets\/agent-credential"/);
    });

    it("has a unit that systemd takes without a word", function () {
      const made = plan(args);
      const text = textOf(made, TEMPLATE).replaceAll("%i", "1");
      const needed = made.files.filter(({ path }) => /(egress|apparmor|cache)[a-z-]*\.(service|slice)$/.test(path));
      assertSystemdTakes(this, [...needed, { path: TEMPLATE.replace("@.", "@1."), text }]);
    });

    it("starts agents anew when what the forge is told changes, and not for a credential", () => {
      const template = (agent: object) =>
        textOf(plan({ ...args, agent: { ...args.agent, ...agent } as never }), TEMPLATE);
      assert.equal(template({ credential: { token: "another" } }), template({}));
      assert.notEqual(template({ runner: { ...args.agent.runner, version: "20.0.0" } }), template({}));
      assert.notEqual(template({ stop: { within: "1 h" } }), template({}));
    });

    it("lets the watermarks ask the forge for agents without a job", () => {
      const watch = (of: Partial<SandboxArgs>) => textOf(plan(of), "/etc/systemd/system/gofleet-ci-watch.service");
      assert.match(watch(args), /^RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6$/m);
      assert.match(watch({}), /^RestrictAddressFamilies=AF_UNIX$/m);
    });

    it("registers last, and unregisters before it clears up", () => {
      const unit = textOf(plan(args), TEMPLATE);
      const order = [
        /^ExecStartPre=\+.* "prepare" /m,
        /^ExecStartPre=\+.* "register" /m,
        /^ExecStart=\S+ "run" .*"-slot" %i$/m,
        /^ExecStopPost=-\+.* "deregister" /m,
        /^ExecStopPost=\+.* "finish" /m,
      ].map((line) => unit.search(line));
      assert.ok(
        order.every((at, index) => at > (order[index - 1] ?? 0)),
        String(order),
      );
    });
  });
}

describe("sandbox plan with agents that a forge would give a second job", () => {
  const unit = "/etc/systemd/system/gofleet-ci-attendant.service";

  it("has a service that lets it give them one alone", function () {
    const made = plan(KINDS["jenkins"] ?? {});
    assertGolden(`sandbox/agents/jenkins${unit}`, textOf(made, unit));
    assertSystemdTakes(this, [{ path: unit, text: textOf(made, unit) }]);
  });

  it("has none for the others", () => {
    for (const kind of ["github", "gitlab", "buildkite"]) {
      assert.ok(plan(KINDS[kind] ?? {}).files.every(({ path }) => path !== unit));
    }
  });

  it("wants a package with Java", () => {
    const java = (agent: object) => plan({ ...KINDS["jenkins"], agent: { ...JENKINS_AGENT, ...agent } }).packages;
    assert.ok(java({}).includes("default-jre-headless"));
    const own = java({ java: "openjdk-21-jre-headless" });
    assert.ok(own.includes("openjdk-21-jre-headless") && !own.includes("default-jre-headless"));
  });
});
