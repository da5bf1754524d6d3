import type { EngineEvent, StepMetadata, StepState } from "../../../src/report/read-events";

/** Events as the engine writes them, made by hand: for what a real preview cannot be made to hold quickly. */
export function urn(type: string, name: string, stack = "test"): string {
  return `urn:pulumi:${stack}::fleet::${type}::${name}`;
}

export const COMPONENT = "gofleet:index:GoServiceUnit";
export const RELEASE = "pulumi-nodejs:gofleet:HostRelease";

export function step(
  op: string,
  type: string,
  name: string,
  states: { old?: StepState; new?: StepState; stack?: string } & Partial<StepMetadata>,
): EngineEvent {
  const { stack, ...rest } = states;
  return { resourcePreEvent: { metadata: { op, urn: urn(type, name, stack), type, old: null, new: null, ...rest } } };
}

export interface ReleaseSettings {
  readonly hosts: number;
  readonly files: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export function releaseInputs({ hosts, files, more }: ReleaseSettings): Record<string, unknown> {
  const lines = Array.from({ length: hosts }, (_, i) => [
    `rack-${String(i + 1).padStart(4, "0")}`,
    `ssh root@192.0.2.${i}`,
  ]);
  return {
    component: "service",
    stack: "organization/fleet/test",
    files,
    plan: {
      attributes: Object.fromEntries(Object.keys(files).map((path) => [path, "0644 root:root"])),
      units: { "service.service": { onChange: "restart", reads: Object.keys(files) } },
    },
    hosts: Object.fromEntries(lines),
    policy: {
      unreachable: "fail",
      adopt: "refuse",
      onNewMachine: "fail",
      keep: 3,
      deadline: 900,
      connect: 30,
      unsupported: "refuse",
    },
    rollout: { canary: 1, batch: "25 %", parallel: 16, onFailure: "rollback", pause: 0 },
    ...more,
  };
}

/** A component and its release, updated. */
export function updated(name: string, before: ReleaseSettings, after: ReleaseSettings, stack = "test"): EngineEvent[] {
  const parent = urn(COMPONENT, name, stack);
  return [
    step("same", COMPONENT, name, { new: { inputs: {} }, old: { inputs: {} }, stack }),
    step("update", RELEASE, `${name}-release`, {
      old: { parent, inputs: releaseInputs(before), outputs: {} },
      new: { parent, inputs: releaseInputs(after), outputs: {} },
      stack,
    }),
  ];
}

export const SUMMARY: EngineEvent = { summaryEvent: { result: "succeeded" } };

export function file(events: readonly EngineEvent[], name = "events.ndjson"): { name: string; text: string } {
  return { name, text: events.map((event) => `${JSON.stringify(event)}\n`).join("") };
}
