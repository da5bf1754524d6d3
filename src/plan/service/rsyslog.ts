import type { AbsolutePath, UnitName } from "../../model/names";
import type { Rsyslog } from "../../model/service/rsyslog";
import { logRotation } from "../../render/service/log-rotation";
import { rsyslogCheck } from "../../render/service/rsyslog-check";
import { rsyslogRule } from "../../render/service/rsyslog-rule";
import type { HostPlan, PlanFile } from "../host-plan";
import { textFile } from "../text-file";
import type { ServiceParts, ServiceTexts } from "./parts";
import type { ServicePlace } from "./place";

/** Reading a configuration takes well under a second, but the disk may be busy. */
const TIMEOUT = 30;

const DAEMON: UnitName = "rsyslog.service";
const ROTATION: UnitName = "logrotate.timer";

/** Certificates of public CAs, from the package ca-certificates. */
const PUBLIC_CAS: AbsolutePath = "/etc/ssl/certs/ca-certificates.crt";

/** What makes the host's rsyslog take the service's lines, and rotates the file that it writes. */
export function rsyslogPlan<Text>(
  { place, service }: ServiceParts,
  { logCa }: Pick<ServiceTexts<Text>, "logCa">,
): Partial<HostPlan<Text | string>> {
  const { identifier, rsyslog } = service.journal;
  if (rsyslog === undefined) return {};
  const { file, server } = rsyslog;
  const paths = rsyslogPaths(place);
  const tls = server?.tls;
  const ca = tls?.ownCa ? paths.ca : PUBLIC_CAS;
  const rule = rsyslogRule({ component: place.component, identifier, rsyslog, ca });
  const read = [
    copied<Text | string>(paths.rule, rule),
    ...(tls?.ownCa && logCa !== undefined ? [copied<Text | string>(paths.ca, logCa)] : []),
  ];
  return {
    files: [...read, ...(file === undefined ? [] : [copied(paths.rotation, logRotation(file))])],
    units: [
      { name: DAEMON, onChange: "restart", reads: read.map(({ path }) => path) },
      ...(file === undefined ? [] : [{ name: ROTATION, onChange: "start" as const, reads: [] }]),
    ],
    checks: [{ name: "rsyslog", timeout: TIMEOUT, script: rsyslogCheck({ rule: paths.rule, identifier }) }],
    packages: [
      ...(file === undefined ? [] : ["logrotate"]),
      ...(tls === undefined ? [] : ["rsyslog-gnutls", ...(tls.ownCa ? [] : ["ca-certificates"])]),
    ],
  };
}

/**
 * Units of the distribution: the timer starts with the service, for that of a package that gofleet installed is not enabled;
 * the service comes after the daemon, so that its first line finds the rule.
 */
export function rsyslogUnits(rsyslog: Rsyslog | undefined): { wants: readonly UnitName[]; after: readonly UnitName[] } {
  if (rsyslog === undefined) return { wants: [], after: [] };
  return { wants: rsyslog.file === undefined ? [] : [ROTATION], after: [DAEMON] };
}

interface RsyslogPaths {
  readonly rule: AbsolutePath;
  /** Beside the rule, where a confined rsyslog may read; it takes only `*.conf` as rules. */
  readonly ca: AbsolutePath;
  readonly rotation: AbsolutePath;
}

function rsyslogPaths({ component }: ServicePlace): RsyslogPaths {
  return {
    rule: `/etc/rsyslog.d/30-gofleet-${component}.conf`,
    ca: `/etc/rsyslog.d/30-gofleet-${component}.pem`,
    // logrotate passes over files with some endings, which a component's name could have.
    rotation: `/etc/logrotate.d/gofleet-${component}-log`,
  };
}

/** For daemons that may not follow links. */
function copied<Text>(path: AbsolutePath, text: Text): PlanFile<Text> {
  return { ...textFile(path, text), place: "copy" };
}
