import { isFields } from "../model/check";
import { issue, type Issue } from "../model/issues";

/** A directory that stands for a host has no users and no services: not for components that need them. */
export function checkMachines(targets: Readonly<Record<string, unknown>>): Issue[] {
  return Object.values(targets).flatMap((each) => {
    const line = isFields(each) ? each["line"] : undefined;
    const isDirectory = typeof line === "string" && line.startsWith("local ") && line !== "local /";
    return isDirectory ? [issue("target", line, 'a machine, by ssh, hostPool or local({ root: "/" })')] : [];
  });
}

/** The hosts of a target, if it is one. */
export function hostsOf(target: unknown): Readonly<Record<string, unknown>> {
  return isFields(target) && isFields(target["hosts"]) ? target["hosts"] : {};
}
