import type * as pulumi from "@pulumi/pulumi";
import type { Metrics } from "../model/service/metrics";
import { serviceRules, serviceScrapeConfig } from "../render/service/alerts";
import { serviceDashboard } from "../render/service/dashboard";
import type { HostTarget } from "../targets/target";
import { hostAddresses } from "./host-addresses";

/** What a Prometheus and a Grafana need to look after a service: the texts of their files. */
export interface ServiceMonitoring {
  /**
   * `scrape_configs` with one job for all hosts, by the addresses they are reached by over SSH; for metrics on the loopback
   * interface, a job for a Prometheus or an agent on each host.
   */
  readonly scrapeConfig: pulumi.Output<string>;
  /** Recording rules, and the alerting rules that ask for what they record. */
  readonly alertRules: string;
  /** A Grafana dashboard to be imported, one for all services. */
  readonly dashboard: string;
}

export function serviceMonitoring(
  component: string,
  metrics: Metrics,
  memoryLimit: number | undefined,
  target: HostTarget,
): ServiceMonitoring {
  return {
    scrapeConfig: hostAddresses(target).apply((hosts) => serviceScrapeConfig(component, metrics, hosts)),
    alertRules: serviceRules({ component, metrics, memoryLimit }),
    dashboard: serviceDashboard(),
  };
}
