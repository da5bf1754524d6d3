/** The parts of a URN: `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** The types from the outermost parent to the resource itself. */
  readonly types: readonly string[];
}

/** Takes a URN apart. See https://www.pulumi.com/docs/iac/concepts/resources/names/#urns. */
export function parseUrn(urn: string): UrnParts {
  const [stack = "", project = "", types = ""] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { stack, project, types: types.split("$") };
}

/** Whether the resource is one of the component, or below one. */
export function isBelow(urn: string, component: string): boolean {
  return parseUrn(urn).types.includes(component);
}
