import { all, isSecret, secret, type Input, type Output } from "@pulumi/pulumi";
import { formatConnection, ONLY_HOST, type SshConnection } from "../host/connection";
import { isFields, unknownKeys, type Parsed } from "../model/check";
import { parseHostKey } from "../model/host-key";
import { hiddenIssue, issue, type Issue } from "../model/issues";
import { parseAddress, parseUserName } from "../model/names";
import { refusedFor } from "../model/refused";
import { AT_ONCE } from "../model/rollout";
import { SETTING_KEYS, targetPolicy } from "./settings";
import type { HostTarget, TargetSettings } from "./target";

/** A host reached by the system's OpenSSH; `ssh_config`, agents, certificates and bastions work as on the command line. */
export interface SshArgs extends TargetSettings {
  /** Name, IPv4 or IPv6 address, or an alias of `ssh_config`. */
  readonly host: Input<string>;
  /**
   * Port of the SSH server.
   * @default 22, or what `ssh_config` says
   */
  readonly port?: Input<number>;
  /**
   * Who logs in.
   * @default what `ssh_config` says, else the operator's own name
   */
  readonly user?: Input<string>;
  /**
   * Become root by sudo; without it the user must be root.
   * @default none
   */
  readonly become?: "sudo";
  /**
   * sudo's password, kept as a secret; it travels on standard input only.
   * @default none: a sudoers rule without a password
   */
  readonly password?: Input<string>;
  /**
   * The host's public key, `ssh-ed25519 AAAA…`. Host keys are always checked.
   * @default the operator's `known_hosts` must have it
   */
  readonly hostKey?: Input<string>;
  /**
   * A bastion, or several with commas, as for `ssh -J`.
   * @default none, or what `ssh_config` says
   */
  readonly jump?: Input<string>;
  /**
   * Private key file on the operator's machine.
   * @default the SSH agent and the files of `ssh_config`
   */
  readonly identity?: Input<string>;
}

/**
 * One host over SSH.
 *
 * ```ts
 * const target = ssh({ host: "10.20.0.11", user: "fleet", become: "sudo", hostKey: "ssh-ed25519 AAAA…" });
 * ```
 * @see https://man.openbsd.org/ssh_config
 */
export function ssh(args: SshArgs): HostTarget {
  const given: Partial<SshArgs> = isFields(args) ? args : {};
  const issues: Issue[] = [
    ...unknownKeys("", given as Record<string, unknown>, [...CONTENT, "become", "password", ...SETTING_KEYS]),
  ];
  const content = Object.fromEntries(CONTENT.map((key) => [key, given[key]]));
  issues.push(...checkContent(content, isPlain));
  if (given.become !== undefined && given.become !== "sudo") issues.push(issue("become", given.become, '"sudo"'));
  if (given.password !== undefined && given.become === undefined) {
    issues.push(hiddenIssue("password", "a password", 'no password without become: "sudo"; logins are by key'));
  }
  if (typeof given.password === "string" && /[\r\n]/.test(given.password)) {
    issues.push(hiddenIssue("password", "a password", "one line"));
  }
  return {
    kind: "hosts",
    hosts: {
      [ONLY_HOST]: {
        line: Object.values(content).every(isPlain)
          ? issues.length > 0
            ? ""
            : line(content, given.become)
          : laterLine(all(content), given.become),
        ...(given.password === undefined ? {} : { password: secret(given.password) }),
      },
    },
    rollout: AT_ONCE,
    policy: targetPolicy(given, issues),
    issues,
  };
}

const CONTENT = ["host", "port", "user", "hostKey", "jump", "identity"] as const;

type Content = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): boolean =>
  value === undefined || value === null || typeof value !== "object" || !("apply" in value || "then" in value);

/** The line once its content is known, and checked then. */
function laterLine(content: Output<Content>, become: "sudo" | undefined): Output<string> {
  return all([content, isSecret(content)]).apply(([known, secret]) => {
    const issues = checkContent(known, () => true);
    if (issues.length === 0) return line(known, become);
    return refusedFor(secret ? issues.map((each) => hiddenIssue(each.path, "a secret", each.wanted)) : issues);
  });
}

function line(content: Content, become: "sudo" | undefined): string {
  const key = parseHostKey("hostKey", content["hostKey"]);
  const connection = { ...content, become, hostKey: key.issue === undefined ? key.value : undefined };
  return formatConnection({ kind: "ssh", ...connection } as SshConnection);
}

/** Issues of everything that `ready` lets through; the rest is checked when it is known. */
function checkContent(content: Content, ready: (value: unknown) => boolean): Issue[] {
  const issues: Issue[] = [];
  const check = (key: string, parse: (path: string, given: unknown) => Parsed<unknown>, optional = true): void => {
    const given = content[key];
    if (!ready(given) || (optional && given === undefined)) return;
    const parsed = parse(key, given);
    if (parsed.issue !== undefined) issues.push(parsed.issue);
  };
  check("host", parseAddress, false);
  check("user", parseUserName);
  check("hostKey", parseHostKey);
  check("port", (path, given) =>
    Number.isInteger(given) && Number(given) > 0 && Number(given) < 65536
      ? { value: given }
      : { issue: issue(path, given, "a port from 1 to 65535") },
  );
  check("jump", (path, given) => word(path, given, 'a bastion such as "ops@bastion.corp.example"'));
  check("identity", (path, given) => word(path, given, "a private key file, without white space in its path"));
  return issues;
}

/** One word that the command line cannot take for an option. */
function word(path: string, given: unknown, wanted: string): Parsed<string> {
  const ok = typeof given === "string" && /^[^\s\p{Cc}-][^\s\p{Cc}]*$/u.test(given) && !given.includes("PRIVATE KEY");
  if (ok) return { value: given };
  const key = typeof given === "string" && given.includes("PRIVATE KEY");
  return { issue: key ? hiddenIssue(path, "a private key", wanted) : issue(path, given, wanted) };
}
