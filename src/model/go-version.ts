import type { Parsed } from "./check";
import { issue } from "./issues";

/** An exact Go release: `"1.26.8"`, or a pre-release such as `"1.27rc1"`. See https://go.dev/doc/toolchain#version. */
export type GoVersion = `${number}.${number}.${number}` | `${number}.${number}${"rc" | "beta"}${number}`;

/** A Go language version, without a patch level: `"1.26"`. */
export type GoMajor = `${number}.${number}`;

const EXACT = /^(\d+)\.(\d+)(?:\.(\d+)|(beta|rc)([1-9]\d*))$/;
const MAJOR = /^(\d+)\.(\d+)$/;

/** The oldest release that reads `go.env` in its tree and knows GOTOOLCHAIN. */
const OLDEST_GO = "1.21.0";

/** An exact release, 1.21.0 or newer. */
export function parseGoVersion(path: string, given: unknown): Parsed<GoVersion> {
  const refuse = (wanted: string) => ({ issue: issue(path, given, wanted) });
  const wanted = 'an exact Go version such as "1.26.8"';
  if (typeof given !== "string") return refuse(wanted);
  if (given.startsWith("go") && isGoVersion(given.slice(2))) return refuse(`"${given.slice(2)}", without "go"`);
  if (isGoMajor(given)) return refuse(`${wanted}; for the newest locked one, lock(${JSON.stringify(given)})`);
  if (/^(latest|stable|oldstable|x)$/i.test(given) || given.includes("x")) {
    return refuse(`${wanted}: a build host must not follow a moving name`);
  }
  if (!isGoVersion(given)) return refuse(wanted);
  return compareGoVersions(given, OLDEST_GO) < 0
    ? refuse(`Go ${OLDEST_GO} or newer: older releases read no go.env in their tree`)
    : { value: given };
}

export function isGoVersion(text: string): text is GoVersion {
  return EXACT.test(text) && parts(text).every((part) => String(part.number) === part.text);
}

export function isGoMajor(text: string): text is GoMajor {
  return MAJOR.test(text) && text.split(".").every((part) => String(Number(part)) === part);
}

/** `1.26.8` → `1.26`, `1.27rc1` → `1.27`. */
export function majorOf(version: string): string {
  return version.replace(/^(\d+\.\d+).*$/, "$1");
}

/** Negative when `a` is older: `1.27beta1` < `1.27rc1` < `1.27.0` < `1.27.1`. Both must be exact versions. */
export function compareGoVersions(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)];
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const STAGE: Readonly<Record<string, number>> = { beta: 0, rc: 1 };

function rank(version: string): number[] {
  const [, major, minor, patch, stage = "", count] = EXACT.exec(version) ?? [];
  return [Number(major), Number(minor), STAGE[stage] ?? 2, Number(patch ?? count)];
}

function parts(version: string): { readonly text: string; readonly number: number }[] {
  return (version.match(/\d+/g) ?? []).map((text) => ({ text, number: Number(text) }));
}
