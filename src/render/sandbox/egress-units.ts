import type { AbsolutePath, UnitName } from "../../model/names";
import { FIXED_CODE, KERNEL_CLOSED, PRIVATE_FILES, RESTRICTED, SERVICE_CALLS } from "../sandboxing";
import { command, quote } from "../shell";
import { exec, literal, optionalWords, text, unitFile, type UnitSection, type UnitText } from "../unit-file";
import { namesAsJobs } from "./name-lookups";
import { nftName } from "./nft-text";

/** What the units of a sandbox's egress rules are made of. */
export interface EgressUnits {
  readonly component: string;
  readonly table: string;
  /** File of the rules. */
  readonly rules: AbsolutePath;
  /** `gofleet-sandbox`, and its settings. */
  readonly program: AbsolutePath;
  readonly config: AbsolutePath;
  /** The `/etc/resolv.conf` of jobs. */
  readonly resolvConf: AbsolutePath;
  /** Where the metrics are. */
  readonly state: AbsolutePath;
  readonly service: UnitName;
  /** Looks names up. */
  readonly names: UnitName;
}

const NFT = "/usr/sbin/nft";

/** Seconds between two look-ups of the allowed names; a table that somebody flushed is back after as much. */
const EVERY = 60;

/**
 * Loads the table, and is active as long as jobs may run: slots require it. A reload replaces the rules in one
 * transaction, so there is no moment without. The rules name users, so those must be there.
 */
export function egressService({ component, rules, table }: EgressUnits): string {
  const load = exec(NFT, "-f", rules);
  return unitFile(
    [
      "Unit",
      {
        Description: text(`Egress rules of ${component}`),
        // nftables.service flushes every table when it starts, so it must have started before.
        After: literal("systemd-sysusers.service nftables.service"),
      },
    ],
    [
      "Service",
      {
        Type: literal("oneshot"),
        RemainAfterExit: literal("yes"),
        ExecStart: load,
        ExecReload: load,
        ExecStop: exec(NFT, "delete", "table", "inet", nftName(table)),
        ...confined(),
      },
    ],
    ["Install", { WantedBy: literal("multi-user.target") }],
  );
}

/** Puts the addresses of names into the table. If somebody flushed all tables, ours is loaded again, and that is said. */
export function egressNamesService(units: EgressUnits): string {
  const { component, program, config, resolvConf, state, rules, table, service } = units;
  const lost = `<4>egress rules of ${component}: the table was gone and is loaded again; until now jobs were not bound by it`;
  const heal = `${tableIsThere(table)} || { ${command("echo", lost)} >&2; ${command(NFT, "-f", rules)}; }`;
  return unitFile(
    [
      "Unit",
      {
        Description: text(`Names that jobs of ${component} may reach`),
        Requires: literal(service),
        Wants: literal("network-online.target"),
        After: literal(`${service} network-online.target`),
      },
    ],
    [
      "Service",
      {
        Type: literal("oneshot"),
        ExecStartPre: exec("/bin/sh", "-c", heal),
        ExecStart: exec(program, "egress", "-config", config),
        TimeoutStartSec: literal("1min"),
        // That it ran is not said, only what was wrong.
        LogLevelMax: literal("notice"),
        ReadWritePaths: optionalWords(state),
        // A job is let through to what it is told itself.
        ...namesAsJobs(resolvConf),
        ...confined(),
      },
    ],
  );
}

export function egressTimer({ component, names }: EgressUnits): string {
  return unitFile(
    ["Unit", { Description: text(`Timer of the names that jobs of ${component} may reach`) }],
    [
      "Timer",
      {
        Unit: literal(names),
        OnActiveSec: literal("1s"),
        OnUnitInactiveSec: literal(`${EVERY}s`),
        AccuracySec: literal("1s"),
      },
    ],
    ["Install", { WantedBy: literal("timers.target") }],
  );
}

/**
 * A command that must succeed as root before a job begins: that the unit above is active says only that the table was
 * there once.
 */
export function egressGuard(table: string): UnitText {
  const gone = `the egress rules are gone: run systemctl reload-or-restart on the unit that loads table inet ${table}`;
  return exec("/bin/sh", "-c", `${tableIsThere(table)} || { ${command("echo", gone)} >&2; exit 1; }`);
}

function tableIsThere(table: string): string {
  return `${NFT} list chain inet ${quote(nftName(table))} jobs >/dev/null 2>&1`;
}

/** Of root's rights only those that change the firewall. */
function confined(): UnitSection[1] {
  return {
    CapabilityBoundingSet: literal("CAP_NET_ADMIN"),
    NoNewPrivileges: literal("yes"),
    ProtectSystem: literal("strict"),
    ProtectHome: literal("yes"),
    RestrictAddressFamilies: literal("AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
    ...FIXED_CODE,
    ...PRIVATE_FILES,
    ...KERNEL_CLOSED,
    ...RESTRICTED,
    ...SERVICE_CALLS,
  };
}
