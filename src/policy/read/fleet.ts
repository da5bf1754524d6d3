import type { PolicyResource } from "../rule";
import { parseUrn } from "./urn";
import { entries, field } from "./walk";

/** The resource that carries a component's release to its hosts. */
export const HOST_RELEASE = "pulumi-nodejs:gofleet:HostRelease";

/** Resources that make as many machines as they are told to. */
const GROUPS =
  /^(aws:autoscaling\/group:Group|aws:ec2\/(launchTemplate:LaunchTemplate|fleet:Fleet)|azure-native:compute[^:]*:VirtualMachineScaleSet)$/;

/**
 * How many hosts take what the resource says: the hosts of a gofleet pool; without end for Kubernetes, container services
 * and machine groups; 1 for anything else.
 */
export function hostCount({ type, props }: PolicyResource): number {
  if (type === HOST_RELEASE) return entries(props["hosts"]).length;
  const hosts = field(props, "target", "hosts");
  if (type.startsWith("gofleet:") && typeof hosts === "number") return hosts;
  return /^(kubernetes|aws:ecs\/|aws:batch\/)/.test(type) || GROUPS.test(type) ? Infinity : 1;
}

/** Whether the resource is a component of this library, or below one. */
export function isGofleet({ type, urn }: PolicyResource): boolean {
  return type === HOST_RELEASE || parseUrn(urn).types.some((each) => each.startsWith("gofleet:"));
}

/** The component that makes module mirrors. */
export const MIRROR = "gofleet:index:GoProxyMirror";
