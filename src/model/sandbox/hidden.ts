import { isFields } from "../check";
import { issue, type Issue } from "../issues";

/** What a directive of the slots' units hides of the host's directories; see systemd.exec(5). */
const HIDES: Readonly<Record<string, readonly string[]>> = {
  PrivateTmp: ["/tmp", "/var/tmp"],
  ProtectHome: ["/home", "/root", "/run/user"],
};

/** Paths that jobs use and do not see: nothing would start, or nothing would be stored. The args are otherwise right. */
export function checkHidden(args: Readonly<Record<string, unknown>>, isUnknown: (value: unknown) => boolean): Issue[] {
  const within = (value: unknown, key: string | number): unknown =>
    isFields(value) || Array.isArray(value) ? (value as Record<string | number, unknown>)[key] : undefined;
  const { agent, cache, job } = args;
  const paths: readonly (readonly [string, unknown])[] = [
    ["agent.command[0]", within(within(agent, "command"), 0)],
    ["cache.path", within(cache, "path")],
    ["cache.program.command[0]", within(within(within(cache, "program"), "command"), 0)],
    ["job.before[0]", within(within(job, "before"), 0)],
    ["job.after[0]", within(within(job, "after"), 0)],
  ];
  const off = within(args["hardening"], "off");
  const turnedOff: readonly unknown[] = Array.isArray(off) ? off : [];
  const hidden = Object.entries(HIDES).filter(([directive]) => !turnedOff.includes(directive));
  return paths.flatMap(([path, given]) => {
    if (isUnknown(given) || typeof given !== "string") return [];
    return hidden.flatMap(([directive, directories]) =>
      directories
        .filter((each) => given === each || given.startsWith(`${each}/`))
        .map((each) => issue(path, given, `a path outside of ${each}, of which jobs see nothing (${directive}=)`)),
    );
  });
}
