import * as pulumi from "@pulumi/pulumi";
import { parseConnection } from "../host/connection";
import { refusalsOf } from "../model/refused";
import type { Sandbox } from "../model/sandbox/sandbox";
import { sandboxAlertRules, sandboxScrapeConfig } from "../render/sandbox/alerts";
import { sandboxDashboard } from "../render/sandbox/dashboard";
import type { HostTarget } from "../targets/target";

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
  const lines = Object.entries(target.hosts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { line }]) => line);
  return {
    scrapeConfig: pulumi.all(lines).apply((known) => sandboxScrapeConfig(component, known.flatMap(address))),
    alertRules: sandboxAlertRules({
      component,
      watchEvery: sandbox.watermarks.every,
      persistEvery: sandbox.cache.persistEvery,
      enforced: sandbox.confinement === "enforce",
    }),
    dashboard: sandboxDashboard(),
  };
}

/** None where the connection will not do, which the release says. */
function address(line: string): string[] {
  if (refusalsOf(line).length > 0) return [];
  const connection = parseConnection(line);
  return [connection.kind === "ssh" ? connection.host : "localhost"];
}
