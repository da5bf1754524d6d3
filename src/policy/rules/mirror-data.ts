import { HOST_RELEASE, MIRROR } from "../read/fleet";
import { isBelow } from "../read/urn";
import { field, objects } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

/** What keeps data, in Kubernetes and the clouds. */
const STORAGE: readonly RegExp[] = [
  /^kubernetes:core\/v1:PersistentVolume(Claim)?$/,
  /^aws:s3\/bucket(V2)?:Bucket(V2)?$/,
  /^aws:(efs\/fileSystem:FileSystem|ebs\/volume:Volume|fsx\/\w+:\w+)$/,
  /^aws:rds\/(instance:Instance|cluster:Cluster)$/,
  /^azure-native:storage[^:]*:(StorageAccount|BlobContainer|FileShare)$/,
  /^azure-native:compute[^:]*:Disk$/,
];

/** Data of a module mirror that one wrong step deletes: modules that are gone upstream are gone for good. */
export const mirrorData = rule({
  name: "protected-mirror-data",
  description: "A mirror's data survives its resource: protected, and not deleted with what holds it.",
  level: "mandatory",
  severity: "high",
  remediation:
    "Set protect: true on what holds the mirror's modules, no forceDestroy, reclaim policy Retain; on a host list the " +
    "path in keepData.",
  defaults: { tag: "gofleet-data", value: "mirror", names: "" },
  settings: {
    tag: { type: "string", description: "Tag or label of storage that holds a mirror's modules." },
    value: { type: "string", description: "The tag's value." },
    names: {
      type: "string",
      description: "Regular expression for names of storage that counts without the tag; empty: none.",
    },
  },
  check(resource, config) {
    if (resource.type === HOST_RELEASE) return onHost(resource);
    if (!STORAGE.some((type) => type.test(resource.type)) || !isMirrors(resource, config)) return [];
    return [...unprotected(resource), ...deletable(resource)];
  },
});

function isMirrors(
  { name, urn, props }: PolicyResource,
  { tag, value, names }: { readonly tag: string; readonly value: string; readonly names: string },
): boolean {
  const tagged = objects(props).some(({ fields }) => fields[tag] === value);
  return tagged || (names !== "" && new RegExp(names).test(name)) || isBelow(urn, MIRROR);
}

function unprotected({ protect }: PolicyResource): Violation[] {
  return protect ? [] : [{ path: "protect", given: "false", wanted: "protect: true among the resource's options" }];
}

function deletable({ props }: PolicyResource): Violation[] {
  const force = props["forceDestroy"] === true;
  const reclaim = field(props, "spec", "persistentVolumeReclaimPolicy");
  return [
    ...(force ? [{ path: "forceDestroy", given: "true", wanted: "no forceDestroy: it empties the bucket first" }] : []),
    ...(reclaim === "Delete" || reclaim === "Recycle"
      ? [{ path: "spec.persistentVolumeReclaimPolicy", given: JSON.stringify(reclaim), wanted: '"Retain"' }]
      : []),
  ];
}

/** A mirror that keeps modules on its host's disk. */
function onHost(resource: PolicyResource): Violation[] {
  const kept = field(resource.props, "policy", "keepData");
  if (!isBelow(resource.urn, MIRROR) || typeof kept === "symbol") return [];
  if (resource.protect || (Array.isArray(kept) && kept.length > 0)) return [];
  return [{ path: "policy.keepData", given: undefined, wanted: "the mirror's storage path, or protect: true" }];
}
