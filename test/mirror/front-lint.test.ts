import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FRONT_CASES } from "../support/front-cases";
import { testMirrors, type Setup } from "../support/front";
import { lint, type Finding } from "../support/gixy";
import { program } from "../support/nginx";
import { skip } from "../support/skip";

interface Accepted {
  readonly plugin: string;
  readonly where: RegExp;
}

const ACCEPTED = readFileSync(join(__dirname, "front-lint-accepted.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line): Accepted => {
    const [plugin = "", where = "", reason = ""] = line.split(" | ");
    assert.ok(reason.length > 20, `no reason: ${line}`);
    return { plugin, where: new RegExp(where) };
  });

/** Each location that a finding is about, the server where it is none, and why. */
function places({ config, reason }: Finding): string[] {
  const locations = [...config.matchAll(/^\s*(location .*) \{$/gm)].map(([, location = ""]) => location);
  return (locations.length > 0 ? locations : ["server"]).map((place) => `${place}: ${reason}`);
}

/** Findings that are not accepted in every place that they are about. */
function problems(found: readonly Finding[]): string[] {
  return found.flatMap((finding) =>
    places(finding)
      .filter((place) => !ACCEPTED.some(({ plugin, where }) => plugin === finding.plugin && where.test(place)))
      .map((place) => `${finding.severity} ${finding.plugin}, ${place}`),
  );
}

describe("the front's configuration, read by a linter", function () {
  const make = testMirrors();
  before(function () {
    if (program("python3") === undefined) skip(this, "there is no python3");
  });

  const golden = (name: string) => join(__dirname, `../golden/nginx/${name}/etc/gofleet/goproxy/nginx.conf`);
  const real = async (setup: Setup): Promise<Finding[]> => {
    const mirror = make(setup);
    assert.equal(mirror.front.complaint({ ...mirror.files, ...setup.files }), undefined);
    return lint(mirror.front.config);
  };

  it("has no finding that is not accepted, and none is accepted in vain", async () => {
    const seen: Finding[] = [];
    for (const name of Object.keys(FRONT_CASES)) {
      const found = await lint(golden(name));
      assert.deepEqual(problems(found), [], name);
      seen.push(...found);
    }
    const context = { privateModules: ["git.corp.example"], privateFrom: "repository" } as const;
    assert.deepEqual(problems(await real({ context, args: { limits: { requests: 10, connections: 10 } } })), []);
    const unused = ACCEPTED.filter(
      ({ plugin, where }) =>
        !seen.some((each) => each.plugin === plugin && places(each).some((place) => where.test(place))),
    );
    assert.deepEqual(unused, []);
  });

  const planted: Record<string, [edit: (config: string) => string, finding: RegExp]> = {
    "a path that leads out of a directory": [
      (config) => config.replace("location = /healthz", "location /i { alias /srv/i/; }\nlocation = /healthz"),
      /alias_traversal, location \/i/,
    ],
    "a Host that the client says": [
      (config) => config.replace("proxy_set_header Host localhost;", "proxy_set_header Host $http_host;"),
      /host_spoofing/,
    ],
    "a path with a line break": [(config) => config.replaceAll("\\\\z", "$"), /HIGH http_splitting, location ~/],
    "an old TLS": [(config) => config.replace("ssl_protocols TLSv1.2", "ssl_protocols TLSv1 TLSv1.2"), /weak_ssl_tls/],
  };
  for (const [name, [edit, finding]] of Object.entries(planted)) {
    it(`would have one for ${name}`, async () => {
      const changed = (config: string) => {
        assert.notEqual(edit(config), config);
        return edit(config);
      };
      const found = problems(await real({ files: { edit: changed } }));
      assert.ok(
        found.some((each) => finding.test(each)),
        found.join("\n") || "nothing",
      );
    });
  }
});
