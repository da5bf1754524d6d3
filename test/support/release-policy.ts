import type { ReleaseInputs } from "../../src/host/release";

/** What a release does with its hosts where a test asks for nothing else. */
export const POLICY: ReleaseInputs["policy"] = {
  unreachable: "fail",
  adopt: "refuse",
  onNewMachine: "fail",
  keep: 3,
  deadline: 240,
  connect: 60,
  unsupported: "refuse",
};
