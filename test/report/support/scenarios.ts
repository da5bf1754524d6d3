import * as pulumi from "@pulumi/pulumi";
import type { FakeHosts } from "../../engine/pool-program";
import type { SavedFile } from "../../../src/report/read-preview";
import { declareToolchain, Foreign, racks, Record_, Service, toolchains } from "./programs";
import { realPreview, type RealPreview, type Scenario } from "./real-preview";

/** Never to be seen in any report, in whatever place of a program it is. */
export const PLANTED = "hunter2-planted-secret";
export const PLANTED_BEFORE = "tr0ub4dor-planted-before";

/** Text that would be markup, mentions, references, links and escapes if it were not shown as what it is. */
export const HOSTILE =
  "</code></summary></details><img src=x onerror=alert(1)> @corp/admins #1 GH-2 !3 ~label **b** `c` ```` | [x](javascript:alert(1)) https://evil.example \u202Egpj.exe :tada:";

const unit = (memory: string): string =>
  [
    "# Written by gofleet; change the program that declares it, not this file.",
    "[Unit]",
    "Description=Build cache",
    "After=network-online.target",
    "",
    "[Service]",
    "ExecStart=/usr/local/lib/gofleet/buildcache/buildcached --listen 127.0.0.1:7070",
    "User=buildcache",
    `MemoryMax=${memory}`,
    "ProtectSystem=strict",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");

type Make = (hosts: FakeHosts) => Scenario[];

/** What golden reports are made of: one list of stacks per report. */
export const SCENARIOS = {
  small: (hosts) => [
    {
      env: hosts.env,
      before: toolchains({ go: { target: racks(4), version: "1.26.7" } }),
      program: toolchains({ go: { target: racks(5), version: "1.26.8", env: { GOFLAGS: "-mod=readonly" } } }),
    },
  ],
  "hosts-200": (hosts) => {
    const target = racks(200, { rollout: { canary: 2, batch: "10 %", parallel: 64 } });
    const program = (version: "1.26.7" | "1.26.8", memory: string) => async () => {
      declareToolchain("go", { target, version });
      new Service("buildcache", {
        target,
        files: { "/etc/systemd/system/buildcache.service": unit(memory) },
        units: { "buildcache.service": "restart" },
      });
    };
    return [
      {
        env: hosts.env,
        before: program("1.26.7", "16G"),
        meanwhile: () => {
          hosts.change("10.0.0.17", ({ components }) => {
            const go = components["gofleet-test-go"];
            if (go !== undefined) go.drift = { "/etc/profile.d/gofleet-gofleet-test-go.sh": "modified" };
          });
        },
        program: program("1.26.8", "24G"),
        options: ["--refresh"],
      },
    ];
  },
  "stacks-3": (hosts) =>
    (["dev", "staging", "prod"] as const).map((name, index) => ({
      name,
      env: hosts.env,
      before: toolchains({ go: { target: racks(4 * (index + 1), {}, index), version: "1.26.7" } }),
      program: toolchains({
        go: { target: racks(4 * (index + 1), {}, index), version: "1.26.8", env: { GOFLAGS: "-mod=readonly" } },
        ...(name === "prod" ? { "go-next": { target: racks(2, {}, 9), version: "1.26.8" as const } } : {}),
      }),
    })),
  secrets: (hosts) => {
    const program = (secret: string) => async () => {
      const token = pulumi.secret(secret);
      new Service("uploader", {
        target: racks(3),
        files: { "/etc/uploader.conf": pulumi.interpolate`token = ${token}\n` },
        units: { "uploader.service": "restart" },
        secrets: { token },
      });
      new Service("signer", { target: racks(2), files: {}, secrets: { key: token } });
      new Record_("record", { identity: "a", comment: pulumi.interpolate`by ${token}` });
    };
    return [{ env: hosts.env, before: program(PLANTED_BEFORE), program: program(PLANTED) }];
  },
  hostile: (hosts) => {
    const program = (index: number) => async () => {
      new Record_(`record ${HOSTILE}`, { identity: "a", comment: `${HOSTILE} ${index}`, [`key ${HOSTILE}`]: index });
      new Service("service", {
        target: racks(2),
        files: { "/etc/motd": `\`\`\`\n${HOSTILE}\n</pre></details>\n${index}\n~~~~\n` },
        units: { "x.service": "reload" },
      });
      if (index === 2) void pulumi.log.warn(`${HOSTILE}\n\`\`\`\n@corp/admins\n# heading\n<script>alert(1)</script>`);
    };
    return [{ env: hosts.env, before: program(1), program: program(2) }];
  },
  replacements: (hosts) => {
    const target = racks(3);
    return [
      {
        env: hosts.env,
        before: async () => {
          declareToolchain("go", { target, version: "1.26.7", directory: "go" });
          declareToolchain("go-old", { target: racks(2, {}, 9), version: "1.26.7" });
          new Record_("goproxy", { identity: "goproxy.corp.example", ttl: 300 });
          new Record_("cache", { identity: "cache.corp.example", ttl: 300 }, { retainOnDelete: true });
        },
        program: async () => {
          declareToolchain("go", { target, version: "1.26.7", directory: "golang" });
          new Record_("goproxy", { identity: "proxy.corp.example", ttl: 60 });
        },
      },
    ];
  },
  protected: (hosts) => [
    {
      env: hosts.env,
      before: async () => void new Record_("data", { identity: "mirror-data" }, { protect: true }),
      program: async () => undefined,
    },
  ],
  unprotected: (hosts) => {
    const program = (protect: boolean) => async () =>
      void new Record_("data", { identity: "mirror-data" }, { protect });
    return [{ env: hosts.env, before: program(true), program: program(false) }];
  },
  policies: (hosts) => {
    const target = racks(6);
    const GOPROXY = "https://goproxy.corp.example";
    return [
      {
        name: "prod",
        env: hosts.env,
        before: toolchains({ go: { target, version: "1.26.7", env: { GOPROXY } } }),
        program: async () => {
          const atOnce = racks(6, { rollout: { canary: 0, batch: "100 %" } });
          declareToolchain("go", { target: atOnce, version: "1.26.8", env: { GOPROXY, GOSUMDB: "off" } });
          declareToolchain("go-next", { target: racks(4, {}, 1), version: "1.26.8", env: { GOPROXY, GOSUMDB: "off" } });
          const container = { name: "build", image: "golang:1.26", args: ["--pprof", ":6060"] };
          const spec = { template: { spec: { containers: [container] } } };
          new Foreign("kubernetes:apps/v1:Deployment", "buildcache", { spec });
          new Foreign("aws:s3/bucket:Bucket", "modules", { tags: { "gofleet-data": "mirror" } });
        },
        policies: true,
      },
    ];
  },
  failure: (hosts) => [
    {
      env: hosts.env,
      before: toolchains({ go: { target: racks(2), version: "1.26.7" } }),
      program: async () => {
        declareToolchain("go", {
          target: racks(2),
          version: "1.26.8",
          env: { GOSUMDB: "off", GOFLAGS: "-mod readonly" },
        });
      },
    },
  ],
  pinned: (hosts) => {
    const of = (version: "1.26.7" | "1.26.8", env?: Record<string, string>) =>
      toolchains({ go: { target: racks(4), version, ...(env && { env }) } });
    return [
      {
        env: hosts.env,
        before: of("1.26.7"),
        meanwhile: async (stack) => {
          const { actual } = (await stack.resource("go-release"))?.outputs as { actual: Record<string, string> };
          const release = actual["rack-001"]?.split(" ")[0];
          stack.program = of("1.26.8");
          await stack.up();
          const pin = { "gofleet-test-go": { release, reason: "builds of the race detector fail" } };
          await stack.automation.setConfig("gofleet:pin", { value: JSON.stringify(pin) });
        },
        program: of("1.26.8", { GOFLAGS: "-mod=readonly" }),
      },
    ];
  },
  "no-change": (hosts) => {
    const same = toolchains({ go: { target: racks(2), version: "1.26.7" } });
    return [{ env: hosts.env, before: same, program: same }];
  },
} satisfies Record<string, Make>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Runs every stack of a scenario, one after the other. */
export async function runScenario(
  name: ScenarioName,
  hosts: FakeHosts,
): Promise<{ files: SavedFile[]; directory: string }> {
  const previews: RealPreview[] = [];
  const make: Make = SCENARIOS[name];
  for (const scenario of make(hosts)) {
    previews.push(await realPreview(scenario));
  }
  return { files: previews.flatMap(({ files }) => files), directory: previews[0]?.directory ?? "" };
}
