import type { HostPlan } from "../host-plan";
import { mergePlans } from "../merge";
import { healthPlan } from "./health";
import type { ServiceParts, ServiceTexts } from "./parts";
import { socketsPlan } from "./sockets";
import { unitPlan } from "./unit";

/** All that a host must hold for a service. */
export function servicePlan<Text>(parts: ServiceParts, texts: ServiceTexts<Text>): HostPlan<Text | string> {
  return mergePlans<Text | string>(
    parts.release.plan,
    unitPlan<Text>(parts, texts),
    socketsPlan(parts),
    healthPlan(parts),
  );
}
