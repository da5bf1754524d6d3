import { at, isFields } from "../../check";
import { checkFields, listOf, matching, type FieldSpecs, type ValueCheck } from "../../field-checks";
import { issue, type Issue } from "../../issues";
import type { AgentProgram } from "./release";

/** What a forge is told of the slots' agents, and where their program is from. Nothing of it is secret. */
export interface ResolvedForge {
  readonly kind: "github" | "gitlab" | "buildkite" | "jenkins";
  /** Where agents go; https, without a slash at the end. */
  readonly url: string;
  /** Where they are made known. */
  readonly api: string;
  /** Whose jobs they take, as the forge's part of `gofleet-sandbox` reads it; Jenkins's take those of the whole server. */
  readonly scope: string;
  /** By which the forge chooses among agents. */
  readonly labels: readonly string[];
  /** GitHub's number of a runner group; 0: none. */
  readonly group: number;
  /** The GitHub App to act as, and its installation; empty and 0: the credential is a token. */
  readonly app: string;
  readonly installation: number;
  readonly program: AgentProgram;
  /** Whether the agent writes beside its program. */
  readonly writesBeside: boolean;
}

/** `https://git.corp.example/` → `https://git.corp.example`. */
export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

/**
 * Checks a credential. Whatever is wrong with it, nothing of it is shown: a secret may be in the wrong place. Its secrets
 * may become known later; what else it has, and the object itself, are written on the hosts as they are now.
 *
 * @param secrets fields that may become known later
 */
export function checkCredential(
  specs: FieldSpecs,
  secrets: readonly string[],
  isUnknown: (value: unknown) => boolean,
): ValueCheck {
  return (path, given) => {
    if (!isFields(given)) return hide([issue(path, typeof given, `an object with ${Object.keys(specs).join(", ")}`)]);
    const early = Object.keys(given).filter((key) => !secrets.includes(key) && isUnknown(given[key]));
    if (early.length > 0) {
      return early.map((key) => issue(at(path, key), undefined, "a plain value; only secrets may be known later"));
    }
    return hide(checkFields(path, given, specs, isUnknown));
  };
}

function hide(issues: readonly Issue[]): Issue[] {
  return issues.map((each) => (each.given === undefined ? each : { ...each, given: "a value (not shown)" }));
}

/** Words by which a forge chooses among agents. */
export function checkLabels(wanted: string, isUnknown: (value: unknown) => boolean): ValueCheck {
  return listOf(matching(/^[!-+.-~-]{1,256}$/, "a word of ASCII, without white space and commas"), wanted, isUnknown);
}

/** The URL of a server of one's own. */
export function isServer({ protocol, pathname, search, hash }: URL): boolean {
  return protocol === "https:" && pathname === "/" && search === "" && hash === "";
}
