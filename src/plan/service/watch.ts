import type { Probe } from "../../model/service/health";
import type { Watch } from "../../model/service/watch";
import { watchScript } from "../../render/service/watch-script";
import type { HostPlan } from "../host-plan";
import { journalNamespace, type ServicePlace } from "./place";

/** A service to look after; a part of its {@link ServiceParts} will do. */
export interface WatchedParts {
  readonly place: ServicePlace;
  readonly service: {
    readonly health: { readonly readiness?: Probe | undefined };
    readonly journal: { readonly namespace: boolean };
  };
}

/** How a host looks after a service for some time after a switch. Undefined: not at all. */
export function watchPlan({ place, service }: WatchedParts, watch: Watch | undefined): Partial<HostPlan> {
  if (watch === undefined) return {};
  const { readiness } = service.health;
  const namespace = service.journal.namespace ? journalNamespace(place) : undefined;
  return {
    watch: {
      seconds: watch.window,
      interval: watch.every,
      onTrip: watch.revert ? "revert" : "report",
      together: watch.together,
      script: watchScript({ unit: place.unit, namespace, readiness, watch }),
    },
    packages: readiness === undefined ? [] : ["curl"],
  };
}
