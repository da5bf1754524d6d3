import type { AbsolutePath } from "../../model/names";
import { METADATA_ADDRESSES } from "../../model/sandbox/metadata";
import { EGRESS_COUNTERS, egressRules, type EgressRules } from "../../render/sandbox/egress-rules";
import { egressNamesService, egressService, egressTimer, type EgressUnits } from "../../render/sandbox/egress-units";
import { command, quote } from "../../render/shell";
import type { HostPlan, PlanCheck, PlanProbe } from "../host-plan";
import { textFile } from "../text-file";
import { slotPlace, type SandboxPlace } from "./place";

const SUBORDINATE = "/etc/subuid";

/** The rules of a sandbox's network, by {@link egressRules}. */
export function egressText(
  place: SandboxPlace,
  slots: number,
  network: Pick<EgressRules, "addresses" | "resolver">,
): string {
  return egressRules({
    component: place.component,
    table: place.egress.table,
    users: slotUsers(place, slots),
    moduleUser: place.moduleUser,
    addresses: network.addresses,
    resolver: network.resolver,
  });
}

/**
 * What bounds where jobs may send: the rules, the unit that loads them before any slot starts, a timer that looks names
 * up, and a probe that tries to reach a metadata address. Slots must require `place.egress.unit`, and run `egressGuard`
 * first.
 *
 * @param texts the rules by {@link egressText}, and what jobs have as `/etc/resolv.conf`
 * @param program `gofleet-sandbox`
 */
export function egressPlan<Text>(
  place: SandboxPlace,
  slots: number,
  texts: { readonly egress: Text; readonly resolvConf: Text },
  program: AbsolutePath,
): Partial<HostPlan<Text | string>> {
  const { egress } = place;
  const units: EgressUnits = {
    component: place.component,
    table: egress.table,
    rules: egress.rules,
    program,
    config: place.config,
    resolvConf: place.resolvConf,
    state: place.state,
    service: egress.unit,
    names: egress.names,
  };
  const path = (unit: string): AbsolutePath => `/etc/systemd/system/${unit}`;
  return {
    files: [
      textFile<Text | string>(egress.rules, texts.egress),
      textFile<Text | string>(place.resolvConf, texts.resolvConf),
      textFile(path(egress.unit), egressService(units)),
      textFile(path(egress.names), egressNamesService(units)),
      textFile(path(egress.timer), egressTimer(units)),
    ],
    symlinks: [
      { path: path(`multi-user.target.wants/${egress.unit}`), target: `../${egress.unit}`, switched: false },
      { path: path(`timers.target.wants/${egress.timer}`), target: `../${egress.timer}`, switched: false },
    ],
    units: [
      // A restart would take the slots down with it, and leave a moment without rules.
      { name: egress.unit, onChange: "reload", reads: [egress.rules, path(egress.unit)] },
      {
        name: egress.timer,
        onChange: "restart",
        reads: [path(egress.timer), path(egress.names), place.config, place.resolvConf],
      },
    ],
    checks: [subordinateUsersCheck(place, slots)],
    probes: [egressProbe(place, slots)],
    packages: ["iproute2", "nftables"],
  };
}

/**
 * The rules look at the users of slots. A job that may make user namespaces would send as others, if the host gave its
 * user some: see subuid(5).
 */
function subordinateUsersCheck(place: SandboxPlace, slots: number): PlanCheck {
  const script = `#!/bin/sh
set -eu
for user in ${command(...slotUsers(place, slots))}; do
  uid=$(id -u "$user" 2>/dev/null) || uid=$user
  if grep -q -e "^$user:" -e "^$uid:" ${SUBORDINATE} 2>/dev/null; then
    echo "${SUBORDINATE} gives $user other users, as which jobs would get past the firewall: take its line out" >&2
    exit 1
  fi
done
`;
  return { name: "subordinate-users", timeout: 30, script };
}

/**
 * Each slot's user must be refused a metadata address by the rules: what counts is that the counter rose, since a host
 * without such an address gives an error as well. A host without any route there sends nothing that could be refused.
 */
function egressProbe(place: SandboxPlace, slots: number): PlanProbe {
  const { table } = place.egress;
  const [metadata] = METADATA_ADDRESSES;
  const [counter] = EGRESS_COUNTERS;
  const script = `#!/bin/sh
set -eu
refused() {
  ${command("nft", "list", "counter", "inet", table, counter)} | sed -n 's/.*packets \\([0-9]*\\).*/\\1/p'
}
${command("nft", "list", "chain", "inet", table, "jobs")} >/dev/null || {
  echo ${quote(`table inet ${table} is not loaded: systemctl status ${place.egress.unit}`)} >&2
  exit 1
}
ip route get ${metadata} >/dev/null 2>&1 || { echo ${quote(`no route to ${metadata}: nothing to refuse`)}; exit 0; }
for user in ${command(...slotUsers(place, slots))}; do
  before=$(refused)
  if timeout 10 runuser -u "$user" -- bash -c ${quote(`exec 3<>/dev/tcp/${metadata}/80`)} 2>/dev/null; then
    echo "$user reaches "${quote(`${metadata}: jobs would have the machine's identity`)} >&2
    exit 1
  fi
  [ "$(refused)" -gt "$before" ] || {
    echo "what $user sends is not looked at by the rules: is the user the one they name?" >&2
    exit 1
  }
done
`;
  return { name: "egress", timeout: 30 + 10 * slots, script };
}

function slotUsers(place: SandboxPlace, slots: number): string[] {
  return Array.from({ length: slots }, (_, index) => slotPlace(place, index + 1).user);
}
