/**
 * What a preview costs: pools of 1, 100 and 1,000 simulated hosts, and 100 separate components, each beside the
 * engine's preview of trivial resources with inputs of the same size. The change previewed is one line of one file.
 */
import { rmSync } from "node:fs";
import { TestStack, withStack, type StackSettings } from "../../test/support/engine";
import { makeProject } from "../../test/support/engine/project";
import { addresses, FakeHosts, LOCK, pool, toolchain } from "../../test/engine/pool-program";
import { GoToolchainHost, lock, ssh } from "gofleet";
import { median, paired, progress, ratio, report, seconds, type Figures } from "../support";
import { Trivial, TRIVIAL } from "./floor";

const ROUNDS = 5;
const flags = (round: number) => ({ env: { GOFLAGS: `-p=${round + 1}` } });

/** Inputs as large as our release resource's, for the floor. */
async function inputsOf(stack: TestStack): Promise<Record<string, unknown>> {
  const inputs = (await stack.resource("go-release"))?.inputs ?? {};
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== "__provider" && key !== "resourceUrn"));
}

async function withFloor(settings: StackSettings, body: (floor: TestStack) => Promise<void>): Promise<void> {
  const workDir = makeProject(TRIVIAL);
  try {
    await withStack(async () => undefined, { ...settings, workDir }, body);
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function pools(hosts: FakeHosts, count: number): Promise<Figures> {
  progress(`pool of ${count}`);
  const figures: Record<string, number> = {};
  const wide = { rollout: { canary: 1, batch: "25 %", parallel: 64 } } as const;
  await withStack(toolchain({ target: pool(count, wide), ...flags(0) }), { env: hosts.env }, async (stack) => {
    figures[`up_seconds_${count}`] = await seconds(() => stack.up());
    const inputs = await inputsOf(stack);
    await withFloor({}, async (floor) => {
      const trivial = (text: string) => async () => void new Trivial("trivial", { ...inputs, text });
      floor.program = trivial("0");
      await floor.up();
      const times = await paired(ROUNDS, {
        ours: (round) => {
          stack.program = toolchain({ target: pool(count, wide), ...flags(round + 1) });
          return stack.preview();
        },
        floor: (round) => {
          floor.program = trivial(String(round + 1));
          return floor.preview();
        },
      });
      figures[`preview_seconds_${count}`] = median(times.ours);
      figures[`floor_seconds_${count}`] = median(times.floor);
      figures[`ratio_to_floor_${count}`] = ratio(times.ours, times.floor);
    });
  });
  return figures;
}

async function components(hosts: FakeHosts, count: number): Promise<Figures> {
  progress(`${count} separate components`);
  const figures: Record<string, number> = {};
  const program = (round: number) => async () => {
    const go = lock("1.26.8", LOCK);
    const source = { kind: "module", proxy: "http://127.0.0.1:9" } as const;
    for (const host of addresses(count)) {
      const target = ssh({ host, user: "root" });
      new GoToolchainHost(`go-${host.replace(/\D/g, "-")}`, { target, go, source, ...flags(round) });
    }
  };
  await withStack(program(0), { env: hosts.env }, async (stack) => {
    await stack.up();
    const { resources = [] } = await stack.state();
    const inputs = resources.find(({ type }) => type.includes("HostRelease"))?.inputs ?? {};
    const { __provider: _, resourceUrn: __, ...same } = inputs;
    await withFloor({}, async (floor) => {
      const trivial = (text: string) => async () => {
        for (let i = 0; i < count; i++) new Trivial(`trivial-${i}`, { ...same, text });
      };
      floor.program = trivial("0");
      await floor.up();
      const times = await paired(ROUNDS, {
        ours: (round) => {
          stack.program = program(round + 1);
          return stack.preview();
        },
        floor: (round) => {
          floor.program = trivial(String(round + 1));
          return floor.preview();
        },
      });
      figures["preview_seconds_components"] = median(times.ours);
      figures["floor_seconds_components"] = median(times.floor);
      figures["ratio_to_floor_components"] = ratio(times.ours, times.floor);
    });
  });
  return figures;
}

async function main(): Promise<void> {
  // One part alone where it is named: `npm run bench -- preview components`.
  const part = process.argv[2];
  let figures: Figures = {};
  for (const count of part === "components" ? [] : [1, 100, 1000]) {
    const hosts = new FakeHosts();
    figures = { ...figures, ...(await pools(hosts, count)) };
    hosts.remove();
  }
  if (part !== "pools") {
    const hosts = new FakeHosts();
    figures = { ...figures, ...(await components(hosts, 100)) };
    hosts.remove();
  }
  report("preview", figures);
}

void main();
