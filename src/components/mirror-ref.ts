import * as pulumi from "@pulumi/pulumi";
import { isFields } from "../model/check";
import { GO_ENV_KEYS, type GoEnv, type GoEnvKey } from "../model/go-env-keys";
import { issue, type Issue } from "../model/issues";
import { refused } from "../model/refused";
import { MARKER } from "../render/marker";

/** A mirror as plain data, to be exported by one stack and used by another. */
export interface GoProxyMirrorRef {
  /** `https://goproxy.corp.example`, with the port where it is not 443. */
  readonly origin: string;
  /** The settings of a client's go command. */
  readonly goEnv: Readonly<Record<string, string>>;
  /** Certificates (PEM) that clients must trust to reach it; empty where the system's own will do. */
  readonly ca: string;
}

/** What other components need of a mirror, wherever it was made. */
export interface GoProxyMirrorOutputs {
  /** The mirror as plain data, for an export. */
  readonly ref: pulumi.Output<GoProxyMirrorRef>;
  /** `https://goproxy.corp.example`, with the port where it is not 443. */
  readonly origin: pulumi.Output<string>;
  /** The exact settings of a client's go command. */
  readonly goEnv: pulumi.Output<Record<string, string>>;
  /** Certificates (PEM) that clients must trust to reach it; empty where the system's own will do. */
  readonly ca: pulumi.Output<string>;
}

/** A mirror of this program, or the ref of another stack's. */
export type MirrorArg = GoProxyMirrorOutputs | pulumi.Input<GoProxyMirrorRef>;

/** Settings that a mirror may make for its clients. */
export const MIRROR_ENV_KEYS = [
  "GONOPROXY",
  "GONOSUMDB",
  "GOPRIVATE",
  "GOPROXY",
] as const satisfies readonly GoEnvKey[];

/** Stands in for a ref that is none; see {@link refused}. */
const NOT_A_REF = refused([
  { path: "mirror", reason: "not a mirror's ref: export `mirror.ref` in the stack that makes it" },
]);

export function mirrorRef(mirror: MirrorArg): pulumi.Output<GoProxyMirrorRef> {
  return isOutputs(mirror) ? mirror.ref : checkedRef(mirror);
}

/** A ref as it came from outside, checked. */
export function checkedRef(ref: pulumi.Input<GoProxyMirrorRef>): pulumi.Output<GoProxyMirrorRef> {
  return pulumi.output(ref).apply(checkRef);
}

/** The client's settings by key, empty where the mirror does not make one. */
export function mirrorEnvironment(mirror: MirrorArg): GoEnv<pulumi.Output<string>> {
  const ref = mirrorRef(mirror);
  return Object.fromEntries(MIRROR_ENV_KEYS.map((key) => [key, ref.apply(({ goEnv }) => goEnv[key] ?? "")]));
}

/** The certificates to trust, as a file of the host's own store. */
export function mirrorTrust(mirror: MirrorArg): pulumi.Output<string> {
  return mirrorRef(mirror).apply(({ ca }) => `${MARKER}\n${ca === "" ? "" : `${ca.trim()}\n`}`);
}

/** One mirror, and no setting of the environment beside it that it makes itself. */
export function checkMirrorArg(mirror: unknown, env: unknown): Issue[] {
  if (mirror === undefined) return [];
  if (!pulumi.Output.isInstance(mirror) && !isFields(mirror)) {
    return [issue("mirror", mirror, "a GoProxyMirror, or the ref that another stack exports of one")];
  }
  if (!isFields(env)) return [];
  return MIRROR_ENV_KEYS.filter((key) => env[key] !== undefined).map((key) =>
    issue(
      `env.${key}`,
      pulumi.Output.isInstance(env[key]) ? undefined : env[key],
      "no such setting: the mirror makes it",
    ),
  );
}

/** The outputs of a mirror that is known by its ref. */
export function outputsOf(ref: pulumi.Output<GoProxyMirrorRef>): GoProxyMirrorOutputs {
  return {
    ref,
    origin: ref.apply(({ origin }) => origin),
    goEnv: ref.apply(({ goEnv }) => ({ ...goEnv })),
    ca: ref.apply(({ ca }) => ca),
  };
}

/** A mirror of this program, or what may be the ref of one: an output, or plain data with an origin. */
export function isMirror(given: unknown): given is MirrorArg {
  if (pulumi.Output.isInstance(given)) return true;
  return isFields(given) && (pulumi.Output.isInstance(given["ref"]) || typeof given["origin"] === "string");
}

function isOutputs(mirror: MirrorArg): mirror is GoProxyMirrorOutputs {
  // Any property of an output is an output too.
  return !pulumi.Output.isInstance(mirror) && isFields(mirror) && pulumi.Output.isInstance(mirror["ref"]);
}

function checkRef(given: unknown): GoProxyMirrorRef {
  const { origin, goEnv, ca } = isFields(given) ? given : {};
  const isEnv =
    isFields(goEnv) &&
    Object.entries(goEnv).every(
      ([key, value]) => GO_ENV_KEYS.some((known) => known === key) && typeof value === "string",
    );
  if (typeof origin === "string" && isEnv && typeof ca === "string") {
    return { origin, goEnv: goEnv as Record<string, string>, ca };
  }
  return { origin: NOT_A_REF, goEnv: { GOPROXY: NOT_A_REF }, ca: "" };
}
