import type { MirrorParts } from "../plan/mirror/mirror";
import { alertRules, scrapeConfig } from "../render/mirror/alerts";
import { dashboard } from "../render/mirror/dashboard";

/** What a Prometheus and a Grafana need to look after a mirror: the texts of their files. */
export interface MirrorMonitoring {
  /**
   * `scrape_configs` with the mirror's jobs, for a Prometheus on its host or an agent there that sends on: the status port
   * listens on the loopback interface only.
   */
  readonly scrapeConfig: string;
  /** Alerting rules; those of the store and the certificate where the store is a disk of the host. */
  readonly alertRules: string;
  /** A Grafana dashboard to be imported, one for all mirrors. */
  readonly dashboard: string;
}

export function mirrorMonitoring({ place, front, store }: MirrorParts): MirrorMonitoring {
  const { component } = place;
  return {
    scrapeConfig: scrapeConfig(component, `127.0.0.1:${front.statusPort}`, store !== undefined),
    alertRules: alertRules({ component, store }),
    dashboard: dashboard(),
  };
}
