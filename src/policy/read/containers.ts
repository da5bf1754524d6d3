import { isFields } from "../../model/check";
import { members, objects, type Fields } from "./walk";
import { unwrapped } from "./documents";

export interface Container {
  readonly path: string;
  readonly fields: Fields;
}

/** Names under which Kubernetes, ECS and Azure list containers. */
const LISTS = ["containers", "initContainers", "ephemeralContainers", "containerDefinitions"] as const;

/** The containers of a resource of any type. */
export function containers(props: unknown): Container[] {
  return objects(unwrapped(props)).flatMap(({ path, fields }) =>
    LISTS.flatMap((list) =>
      members(fields[list], path === "" ? list : `${path}.${list}`).flatMap((each) =>
        isFields(each.value) ? [{ path: each.path, fields: each.value }] : [],
      ),
    ),
  );
}

/** The parts of an image's reference: `registry/name:tag@sha256:…`. */
export interface ImageReference {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Takes a reference apart. See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests. */
export function parseImage(image: string): ImageReference {
  const [rest = "", digest] = image.split("@");
  const [, name = rest, tag] = /^(.*?)(?::([^/:]+))?$/.exec(rest) ?? [];
  return { name, tag, digest };
}
