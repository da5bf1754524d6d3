import * as pulumi from "@pulumi/pulumi";
import { parseConnection } from "../host/connection";
import { refusalsOf } from "../model/refused";
import type { HostTarget } from "../targets/target";

/** The names or addresses by which a target's machines are reached over SSH, in the order of their keys. */
export function hostAddresses(target: HostTarget): pulumi.Output<string[]> {
  const lines = Object.entries(target.hosts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { line }]) => line);
  return pulumi.all(lines).apply((known) => known.flatMap(address));
}

/** None where the connection will not do, which the release says. */
function address(line: string): string[] {
  if (refusalsOf(line).length > 0) return [];
  const connection = parseConnection(line);
  return [connection.kind === "ssh" ? connection.host : "localhost"];
}
