import type * as pulumi from "@pulumi/pulumi";
import type { Sandbox } from "../model/sandbox/sandbox";
import { sandboxAlertRules, sandboxScrapeConfig } from "../render/sandbox/alerts";
import { sandboxDashboard } from "../render/sandbox/dashboard";
import type { HostTarget } from "../targets/target";
import { hostAddresses } from "./host-addresses";

/** What a Prometheus and a Grafana need to look after a sandbox: the texts of their files. */
export interface SandboxMonitoring {
  /**
   * `scrape_configs` with one job for all hosts, by the addresses they are reached by over SSH: node_exporter on port
   * 9100, which reads the sandbox's files. Not needed where another job collects its text files already.
   */
  readonly scrapeConfig: pulumi.Output<string>;
  /** Alerting rules. */
  readonly alertRules: string;
  /** A Grafana dashboard to be imported, one for all sandboxes. */
  readonly dashboard: string;
}

export function sandboxMonitoring(component: string, sandbox: Sandbox, target: HostTarget): SandboxMonitoring {
  return {
    scrapeConfig: hostAddresses(target).apply((hosts) => sandboxScrapeConfig(component, hosts)),
    alertRules: sandboxAlertRules({
      component,
      watchEvery: sandbox.watermarks.every,
      persistEvery: sandbox.cache.persistEvery,
      enforced: sandbox.confinement === "enforce",
    }),
    dashboard: sandboxDashboard(),
  };
}
