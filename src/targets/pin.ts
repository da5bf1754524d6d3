import * as pulumi from "@pulumi/pulumi";
import { describe, type Issue } from "../model/issues";
import { parsePins, PIN_KEY, type Pin } from "../model/pin";
import { parseSnapshots, protectedReleases } from "../model/snapshot-set";

/** By run of a program: the components it declared. */
const declared = new WeakMap<object, Set<string>>();

/**
 * The release that the stack's configuration holds a component on, if any.
 * @throws RunError where `gofleet:pin` is not what it should be
 */
export function pinOf(component: string): Pin | undefined {
  const { pins, issues } = parsePins(new pulumi.Config("gofleet").getObject("pin"));
  refuse(issues);
  if (pins.size > 0) remember(component, [...pins.keys()]);
  return pins.get(component);
}

/**
 * What the policy says of the releases that protected snapshots name.
 * @throws RunError where `gofleet:snapshots` is not what it should be
 */
export function heldReleases(component: string): { readonly protected?: readonly string[] } {
  const { snapshots, issues } = parseSnapshots(new pulumi.Config("gofleet").getObject("snapshots"));
  refuse(issues);
  const releases = protectedReleases(snapshots, component);
  return releases.length === 0 ? {} : { protected: releases };
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  throw new pulumi.RunError(`the stack's configuration will not do\n${describe(issues).replace(/^/gm, "  ")}`);
}

/** Once the program is through, pins that hold nothing are told: most likely a name was changed or misspelt. */
function remember(component: string, pinned: readonly string[]): void {
  const stack = pulumi.runtime.getStackResource();
  if (stack === undefined) return;
  const known = declared.get(stack);
  if (known !== undefined) {
    known.add(component);
    return;
  }
  const components = new Set([component]);
  declared.set(stack, components);
  stack.outputs.apply(async () => {
    for (const name of pinned.filter((each) => !components.has(each))) {
      await pulumi.log.warn(
        `${PIN_KEY} holds "${name}", and no component of the program has that directory; ` +
          `there are ${[...components].sort().join(", ")}. \`gofleet rollback ${name} --undo\` takes the pin off`,
      );
    }
  });
}
