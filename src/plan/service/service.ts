import type { HostPlan } from "../host-plan";
import { mergePlans } from "../merge";
import { healthPlan } from "./health";
import type { ServiceParts, ServiceTexts } from "./parts";
import { releasePlan } from "./release";
import { rsyslogPlan } from "./rsyslog";
import { socketsPlan } from "./sockets";
import { unitPlan } from "./unit";
import { watchPlan } from "./watch";

/** All that a host must hold for a service. */
export function servicePlan<Text>(parts: ServiceParts, texts: ServiceTexts<Text>): HostPlan<Text | string> {
  return mergePlans<Text | string>(
    releasePlan(parts.release, parts.place),
    unitPlan<Text>(parts, texts),
    socketsPlan(parts),
    healthPlan(parts),
    rsyslogPlan<Text>(parts, texts),
    watchPlan(parts, parts.watch && { ...parts.watch, revert: parts.watch.revert && !parts.irreversible }),
    parts.irreversible ? { irreversible: true } : {},
  );
}
