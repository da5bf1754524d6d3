import type { AbsolutePath } from "../../model/names";
import { apparmorCommon } from "../../render/sandbox/apparmor-common";
import { apparmorProfiles, type SlotProfile } from "../../render/sandbox/apparmor-profile";
import { apparmorScript } from "../../render/sandbox/apparmor-script";
import { apparmorService } from "../../render/sandbox/apparmor-units";
import { keeperTimer, keeperUnit } from "../../render/sandbox/keeper-units";
import { command, quote } from "../../render/shell";
import type { HostPlan, PlanCheck, PlanFile, PlanProbe } from "../host-plan";
import { textFile } from "../text-file";
import { canaryPlace, type SandboxPlace, type SlotPlace } from "./place";
import { unitPath, wantedBy } from "./slots";

/** How the slots of a sandbox are confined by AppArmor. */
export interface Confinement {
  readonly mode: "enforce" | "complain";
  readonly userNamespaces: boolean;
  readonly slots: readonly (SlotPlace & Pick<SlotProfile, "shared">)[];
  /**
   * Directories of programs that jobs read and execute, besides `/usr`, `/opt` and their like: by their real paths, for
   * that is what AppArmor sees behind a link.
   */
  readonly programs: readonly AbsolutePath[];
}

/**
 * The slots' AppArmor profiles: the files, the unit that loads them before any slot starts, a check before the switch
 * that this kernel can enforce them, and a probe that each is loaded in its mode and that processes are held by it.
 * Slots must require `place.apparmor.unit`, and name their profile.
 *
 * @param program `gofleet-sandbox`, which counts what is denied
 */
export function confinementPlan(
  place: SandboxPlace,
  confinement: Confinement,
  program: AbsolutePath,
): Partial<HostPlan> {
  const { component, apparmor } = place;
  const { mode, userNamespaces, slots, programs } = confinement;
  const common = `/etc/apparmor.d/${apparmor.profile}.d/common` as const;
  const locked = (slot: Confinement["slots"][number]): SlotProfile => ({
    ...slot,
    jobLock: `${place.jobLock}.${slot.number}`,
  });
  const profiles = (abi: "3.0" | "4.0", of: readonly SlotProfile[]) =>
    apparmorProfiles({ mode, abi, userNamespaces, common: `${apparmor.profile}.d/common`, slots: of });
  const [first] = slots;
  if (first === undefined) throw new Error("a sandbox has at least one slot");
  const canary = { ...canaryPlace(place, first), shared: false };
  const script = apparmorScript({
    prefix: apparmor.profile,
    profiles: slots.map(({ profile }) => profile),
    path: apparmor.path,
    ...(userNamespaces ? { path4: apparmor.path4 } : {}),
    canary: { profile: canary.profile, path: apparmor.canary },
  });
  const files = [
    // The distribution's service reads them at boot, before a link through the release may lead anywhere.
    copy(common, apparmorCommon({ component, mode, userNamespaces, programs, config: place.config })),
    copy(apparmor.path, profiles("3.0", slots.map(locked))),
    ...(userNamespaces ? [textFile(apparmor.path4, profiles("4.0", slots.map(locked)))] : []),
    textFile(apparmor.canary, profiles("3.0", [locked(canary)])),
    textFile(apparmor.script, script),
  ];
  const unit = unitPath(apparmor.unit);
  const counting = denialsPlan(place, program);
  return {
    files: [...files, textFile(unit, apparmorService({ component, script: apparmor.script })), ...counting.files],
    symlinks: [wantedBy("multi-user.target", apparmor.unit), ...counting.symlinks],
    units: [
      // A restart would take the slots down with it, and leave their processes without a profile meanwhile.
      { name: apparmor.unit, onChange: "reload", reads: [unit, ...files.map(({ path }) => path)] },
      ...counting.units,
    ],
    checks: [confinementCheck(place)],
    probes: [confinementProbe(place, confinement)],
    packages: ["apparmor"],
  };
}

/** Seconds between two looks at the logs. */
const COUNT_EVERY = 300;

function denialsPlan({ component, denials, state, config }: SandboxPlace, program: AbsolutePath) {
  const service = keeperUnit({
    description: `What AppArmor denied jobs of ${component}`,
    start: [[program, "denials", "-config", config, "-record"]],
    stays: false,
    writable: [state],
    within: "2min",
  });
  const timer = keeperTimer(`Timer of what AppArmor denied jobs of ${component}`, denials.unit, COUNT_EVERY);
  const paths = [unitPath(denials.unit), unitPath(denials.timer)] as const;
  return {
    files: [textFile(paths[0], service), textFile(paths[1], timer)],
    symlinks: [wantedBy("timers.target", denials.timer)],
    units: [{ name: denials.timer, onChange: "restart", reads: [...paths, config] }] as const,
  };
}

function copy(path: AbsolutePath, text: string): PlanFile {
  return { ...textFile(path, text), place: "copy" };
}

function confinementCheck({ apparmor }: SandboxPlace): PlanCheck {
  const script = `#!/bin/sh
set -eu
exec sh "$GOFLEET_STAGED"${quote(apparmor.script)} check "$GOFLEET_STAGED"
`;
  return { name: "apparmor", timeout: 60, script };
}

/**
 * systemd must put a process of each slot's user under its profile, in its mode, and what runs in the slot now must be
 * under it too. A slot that prepares its next job has no process of its own just then.
 */
function confinementProbe(place: SandboxPlace, { mode, slots }: Confinement): PlanProbe {
  const script = `#!/bin/sh
set -eu
held() {
  [ "$1" = "$2 (${mode})" ] || {
    echo "$3 is under $(printf '%s' "$1" | tr -d '\\n'), not under $2 (${mode}): systemctl status "${quote(place.apparmor.unit)} >&2
    exit 1
  }
}
slot() {
  grep -qxF "$1 (${mode})" /sys/kernel/security/apparmor/profiles || {
    echo "profile $1 is not loaded in ${mode} mode: systemctl status "${quote(place.apparmor.unit)} >&2
    exit 1
  }
  held "$(systemd-run --quiet --pipe --wait --collect -p AppArmorProfile="$1" -p User="$2" -p Group=${quote(place.group)} \\
    cat /proc/self/attr/current)" "$1" "a process of $2"
  pid=$(${command("systemctl", "show", "--property=MainPID", "--value")} "$3")
  [ "$pid" != 0 ] || return 0
  # Its process is systemd's own for a moment.
  sleep 1
  now=$(cat "/proc/$pid/attr/current" 2>/dev/null) || return 0
  held "$now" "$1" "$3"
}
${slots.map(({ profile, user, unit }) => command("slot", profile, user, unit)).join("\n")}
`;
  return { name: "apparmor", timeout: 30 + 15 * slots.length, script };
}
