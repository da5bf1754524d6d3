import { keeperUnit } from "../../render/sandbox/keeper-units";
import type { HostPlan } from "../host-plan";
import { textFile } from "../text-file";
import { gofleet, INTERNET } from "./keepers";
import type { SandboxParts } from "./parts";
import { unitPath, wantedBy } from "./slots";

/** Jenkins gives an agent one job after another. */
export function isAttended({ sandbox }: SandboxParts): boolean {
  return sandbox.agent.forge?.kind === "jenkins";
}

/** The attendant: it has a forge give each agent one job alone, and ends the agent after that. */
export function attendancePlan(parts: SandboxParts): Partial<HostPlan> {
  if (!isAttended(parts)) return {};
  const { place } = parts;
  const unit = keeperUnit({
    description: `One job for each agent of ${place.component}`,
    // It sees in a slot's workspace that a job begins.
    capabilities: ["CAP_DAC_READ_SEARCH"],
    start: [gofleet(parts, "attend")],
    stays: "running",
    writable: [],
    families: INTERNET,
    after: ["network-online.target"],
    within: "30s",
  });
  const file = unitPath(place.attendant);
  return {
    files: [textFile(file, unit)],
    symlinks: [wantedBy("multi-user.target", place.attendant)],
    // It remembers nothing that matters: a restart ends no job.
    units: [{ name: place.attendant, onChange: "restart", reads: [file, place.config] }],
  };
}
