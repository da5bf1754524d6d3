import type { AbsolutePath, UnitName } from "../../model/names";
import { MARKER } from "../marker";
import { apparmorBelow, apparmorDirectory, apparmorWord } from "./apparmor-text";

/** What {@link apparmorProfiles} is made of. */
export interface ApparmorProfiles {
  readonly mode: "enforce" | "complain";
  /**
   * The features that the profile is written for. AppArmor 4 reads both and mediates user namespaces with "4.0" alone;
   * AppArmor 3, as in Debian 12 and Ubuntu 22.04, knows only "3.0".
   */
  readonly abi: "3.0" | "4.0";
  readonly userNamespaces: boolean;
  /** File of the rules of all slots, below `/etc/apparmor.d`. */
  readonly common: string;
  readonly slots: readonly SlotProfile[];
}

/** What one slot's profile is made of. */
export interface SlotProfile {
  readonly profile: string;
  readonly unit: UnitName;
  readonly workspace: AbsolutePath;
  /** GOCACHE and GOMODCACHE as its jobs see them. */
  readonly buildCache: AbsolutePath;
  readonly modules: AbsolutePath;
  /** The slot's own part of the job lock. */
  readonly jobLock: AbsolutePath;
  /** True: other slots write the same build cache. */
  readonly shared: boolean;
  /** Where its agent sees its program, with a layer of the job's own above; undefined: it writes nothing there. */
  readonly agent?: AbsolutePath;
}

/**
 * A profile for each slot, so that one slot's files, processes and sockets are nothing to another's jobs even where the
 * modes of files would let them. No profile attaches to a program: units name theirs. Units have mount namespaces of
 * their own, so what systemd opened outside of it has a path that begins nowhere; without `attach_disconnected` any use
 * of it would be denied, even in complain mode.
 *
 * go builds in `$GOTMPDIR/go-build<digits>` and executes from there and from GOCACHE; from GOROOT it only reads and
 * executes. A view of a cache shows files that others own, to be read; what the job writes there is its own.
 */
export function apparmorProfiles(profiles: ApparmorProfiles): string {
  const head = [MARKER, `abi <abi/${profiles.abi}>,`];
  return `${[...head, ...profiles.slots.map((slot) => profile(slot, profiles))].join("\n\n")}\n`;
}

function profile(slot: SlotProfile, { mode, abi, userNamespaces, common }: ApparmorProfiles): string {
  const rules = [
    `include <${common}>`,
    ...(userNamespaces && abi === "4.0" ? ["userns,"] : []),
    ...own(slot.workspace),
    `${apparmorBelow(`${slot.workspace}/inputs`)} mrix,`,
    ...(slot.agent === undefined ? [] : [`${apparmorBelow(slot.agent)} mrix,`]),
    ...(slot.shared ? shared(slot.buildCache) : view(slot.buildCache)),
    ...view(slot.modules),
    `${apparmorWord(slot.jobLock)} rk,`,
    `${apparmorBelow(`/run/credentials/${slot.unit}`)} r,`,
  ];
  const flags = ["attach_disconnected", ...(mode === "complain" ? ["complain"] : [])].join(", ");
  return [`profile ${apparmorWord(slot.profile)} flags=(${flags}) {`, ...rules.map((rule) => `  ${rule}`), "}"].join(
    "\n",
  );
}

/** A directory of the slot's own. A hard link may only name what is in there already. */
function own(directory: AbsolutePath): string[] {
  const below = apparmorBelow(directory);
  return [`${apparmorDirectory(directory)} r,`, `owner ${below} rwkmix,`, `owner link ${below} -> ${below},`];
}

/** A layer of the slot's own above what others own. */
function view(directory: AbsolutePath): string[] {
  return [...own(directory), `${apparmorBelow(directory)} mrix,`];
}

function shared(directory: AbsolutePath): string[] {
  const below = apparmorBelow(directory);
  return [`${apparmorDirectory(directory)} r,`, `${below} rwkmix,`];
}
