import { changes, type Operation, type Position, type ResourceChange, type StackPreview } from "./change";
import { isRelease, releaseChange, type ReleaseChange } from "./release-change";
import type { Differ } from "./text-diff";

/** A gofleet component with its own resources, or a resource outside of any. */
export interface Component {
  readonly stack: string;
  readonly root: ResourceChange;
  /** The component's resources, itself left out. */
  readonly children: readonly ResourceChange[];
  /** Changes of its release resources. */
  readonly releases: readonly { readonly resource: ResourceChange; readonly change: ReleaseChange }[];
  readonly op: Operation;
}

const GOFLEET = /^gofleet:[^:]*:/;
const PROVIDER = /^pulumi:providers:/;

/** What changes of a stack, and how many components and other resources do not. */
export interface Folded {
  readonly changed: readonly Component[];
  readonly unchanged: number;
}

/** Folds every resource under its nearest gofleet component. */
export function fold({ stack, resources }: StackPreview, diff: Differ): Folded {
  const byUrn = new Map(resources.map((each) => [each.urn, each]));
  const members = new Map<string, ResourceChange[]>();
  for (const resource of resources) {
    if (PROVIDER.test(resource.type) && !resource.failed && resource.op !== "delete" && resource.op !== "replace")
      continue;
    const root = rootOf(resource, byUrn);
    const known = members.get(root.urn) ?? [];
    members.set(root.urn, known);
    if (root !== resource) known.push(resource);
  }
  const changed = [...members].flatMap(([urn, children]): Component[] => {
    const root = byUrn.get(urn);
    if (root === undefined || ![root, ...children].some((each) => changes(each) || each.failed)) return [];
    const releases = [root, ...children]
      .filter((each) => isRelease(each) && changes(each))
      .map((resource) => ({ resource, change: releaseChange(resource, diff) }));
    const position = placeOf(root, byUrn) ?? children.find((each) => each.position !== undefined)?.position;
    return [
      {
        stack,
        root: position === undefined ? root : { ...root, position },
        children,
        releases,
        op: operation(root, children),
      },
    ];
  });
  return { changed, unchanged: members.size - changed.length };
}

function rootOf(resource: ResourceChange, byUrn: ReadonlyMap<string, ResourceChange>): ResourceChange {
  for (let at: ResourceChange | undefined = resource, left = byUrn.size; at !== undefined && left >= 0; left--) {
    if (GOFLEET.test(at.type)) return at;
    at = at.parent === undefined ? undefined : byUrn.get(at.parent);
  }
  return resource;
}

/** The place of the nearest ancestor that has one. An unchanged component has none in a digest: then a child tells. */
function placeOf(resource: ResourceChange, byUrn: ReadonlyMap<string, ResourceChange>): Position | undefined {
  for (let at: ResourceChange | undefined = resource, left = byUrn.size; at !== undefined && left >= 0; left--) {
    if (at.position !== undefined) return at.position;
    at = at.parent === undefined ? undefined : byUrn.get(at.parent);
  }
  return undefined;
}

/** The component's own operation; for an unchanged one with changed resources, an update. */
function operation(root: ResourceChange, children: readonly ResourceChange[]): Operation {
  if (changes(root) && root.op !== "update") return root.op;
  return children.some(({ op }) => op === "replace") ? "replace" : "update";
}
