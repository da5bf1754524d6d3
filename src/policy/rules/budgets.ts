import { at } from "../../model/check";
import { parseSize } from "../../model/units";
import { HOST_RELEASE, isGofleet } from "../read/fleet";
import { entries, field, objects } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

/** What one change may cost. */
export const budgets = rule({
  name: "budgets",
  description: "Pools, batches and caches stay within their budgets; a large batch has a canary before it.",
  level: "advisory",
  severity: "medium",
  remediation:
    "Split the pool, set rollout.canary, or make the cache smaller; or raise the budget in the pack's config.",
  defaults: { hosts: 0, machines: 0, batchWithoutCanary: 25, cache: "" },
  settings: {
    hosts: { type: "integer", minimum: 0, description: "Most hosts in a pool; 0: no limit." },
    machines: { type: "integer", minimum: 0, description: "Most machines in a cloud's group; 0: no limit." },
    batchWithoutCanary: {
      type: "integer",
      minimum: 0,
      description: "Largest share of a pool, in percent, that takes a release at once where no canary went before.",
    },
    cache: {
      type: "string",
      description: 'Largest cache or volume of a component, such as "200 GiB"; empty: no limit.',
    },
  },
  check: (resource, config) => [
    ...pool(resource, config.hosts),
    ...batch(resource, config.batchWithoutCanary),
    ...machines(resource, config.machines),
    ...cache(resource, config.cache),
  ],
});

function pool({ type, props }: PolicyResource, most: number): Violation[] {
  const hosts = type === HOST_RELEASE ? entries(props["hosts"]).length : 0;
  return most > 0 && hosts > most ? [{ path: "hosts", given: `${hosts} hosts`, wanted: `at most ${most}` }] : [];
}

function batch({ type, props }: PolicyResource, most: number): Violation[] {
  const hosts = entries(props["hosts"]).length;
  const canary = field(props, "rollout", "canary");
  const size = field(props, "rollout", "batch");
  if (type !== HOST_RELEASE || hosts < 2 || !isNone(canary)) return [];
  const percent = typeof size === "number" ? (size / hosts) * 100 : Number.parseFloat(String(size));
  if (!(percent > most)) return [];
  const given = typeof size === "number" ? `${size} of ${hosts} hosts` : String(size);
  return [
    { path: "rollout.batch", given: `${given} without a canary`, wanted: `rollout.canary, or at most ${most} %` },
  ];
}

/** No host goes first. */
function isNone(canary: unknown): boolean {
  return Array.isArray(canary) ? canary.length === 0 : Number.parseFloat(String(canary)) === 0;
}

/** Where a group's type says how many machines it may have. */
const MOST: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^aws:autoscaling\/group:Group$/, ["maxSize"]],
  [/^aws:eks\/nodeGroup:NodeGroup$/, ["scalingConfig", "maxSize"]],
  [/^azure-native:compute[^:]*:VirtualMachineScaleSet$/, ["sku", "capacity"]],
  [/^kubernetes:apps\/v1:(Deployment|StatefulSet)$/, ["spec", "replicas"]],
  [/^kubernetes:autoscaling\/v\d+:HorizontalPodAutoscaler$/, ["spec", "maxReplicas"]],
];

function machines({ type, props }: PolicyResource, most: number): Violation[] {
  const keys = MOST.find(([pattern]) => pattern.test(type))?.[1];
  const count = keys && field(props, ...keys);
  if (keys === undefined || most <= 0 || typeof count !== "number" || count <= most) return [];
  return [{ path: keys.join("."), given: String(count), wanted: `at most ${most}` }];
}

/** Caches of our components and volumes that claims ask for. */
function cache(resource: PolicyResource, most: string): Violation[] {
  const limit = most === "" ? undefined : parseSize("cache", most).value;
  if (limit === undefined) return [];
  const sizes = isGofleet(resource)
    ? objects(resource.props).flatMap(({ path, fields }) =>
        ["size", "max"].map((key) => ({ path: at(path, key), given: fields[key] })),
      )
    : /^kubernetes:core\/v1:PersistentVolumeClaim$/.test(resource.type)
      ? [
          {
            path: "spec.resources.requests.storage",
            given: field(resource.props, ..."spec.resources.requests.storage".split(".")),
          },
        ]
      : [];
  return sizes.flatMap(({ path, given }): Violation[] => {
    if (typeof given !== "string") return [];
    // Kubernetes writes 24Gi where a size of ours is 24 GiB.
    const bytes = parseSize(path, given.replace(/^(\d+)([KMGT]i)$/, "$1$2B")).value;
    return bytes === undefined || bytes <= limit
      ? []
      : [{ path, given: JSON.stringify(given), wanted: `at most ${most}` }];
  });
}
