import * as pulumi from "@pulumi/pulumi";
import { parseConnection } from "../host/connection";
import { refusalsOf, refused } from "../model/refused";
import { messageOf } from "../model/thrown";

/** By run of a program (one process may hold several, one after the other): which component owns a path on a place. */
const claims = new WeakMap<object, Map<string, Owner>>();

/** One component; told apart as an object, because two may have the same name. */
interface Owner {
  readonly label: string;
}

/**
 * The hosts' lines, gated on this: no other component of the program claims one of the paths, or the directory, on the
 * same place. Found at preview; what lies in other programs is found by the host itself.
 */
export function claim(
  label: string,
  component: string,
  paths: readonly string[],
  lines: Readonly<Record<string, pulumi.Input<string>>>,
): Record<string, pulumi.Input<string>> {
  const run = pulumi.runtime.getStackResource() ?? NO_STACK;
  const mine = claims.get(run) ?? new Map<string, Owner>();
  const owner: Owner = { label };
  claims.set(run, mine);
  return Object.fromEntries(
    Object.entries(lines).map(([host, line]) => [
      host,
      typeof line === "string"
        ? taken(mine, owner, component, paths, line)
        : pulumi.output(line).apply((known) => takenOrRefused(mine, owner, component, paths, known)),
    ]),
  );
}

function takenOrRefused(...[mine, owner, component, paths, line]: Parameters<typeof taken>): string {
  if (refusalsOf(line).length > 0) return line;
  try {
    return taken(mine, owner, component, paths, line);
  } catch (error) {
    return refused([{ path: "", reason: messageOf(error) }]);
  }
}

function taken(
  mine: Map<string, Owner>,
  owner: Owner,
  component: string,
  paths: readonly string[],
  line: string,
): string {
  const place = placeOf(line);
  for (const path of [`/etc/gofleet/${component}/`, ...paths]) {
    const key = `${place}\0${path}`;
    const other = mine.get(key);
    // Two hosts of one component on the same place are found by the provider's check, which names both.
    if (other !== undefined && other !== owner) {
      throw new Error(
        `${path} on ${place} is claimed by ${other.label} and by ${owner.label}; give one of them another path, directory or target`,
      );
    }
    mine.set(key, owner);
  }
  return line;
}

/** Stands for the run where there is no stack resource (mocks). */
const NO_STACK = {};

function placeOf(line: string): string {
  const connection = parseConnection(line);
  return connection.kind === "local" ? `local ${connection.root}` : `${connection.host}:${connection.port ?? 22}`;
}
