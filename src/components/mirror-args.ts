import * as pulumi from "@pulumi/pulumi";
import { at, isFields, type Fields } from "../model/check";
import { flag, optional } from "../model/field-checks";
import { issue, type Issue } from "../model/issues";
import type { AthensArgs } from "../model/mirror/athens";
import { checkAthens } from "../model/mirror/athens-check";
import type { AthensStorage } from "../model/mirror/athens-services";
import { checkClientPolicy, type ClientPolicy } from "../model/mirror/client";
import type { FrontArgs } from "../model/mirror/front";
import { checkFront } from "../model/mirror/front-check";
import { checkPrivateModules, type PrivateModules } from "../model/mirror/private-modules";
import type { StoreArgs } from "../model/mirror/store";
import { checkStore } from "../model/mirror/store-check";
import type { GoRelease, GoSource } from "../model/toolchain";
import { checkToolchain } from "../model/toolchain-check";
import { checkMachines, hostsOf } from "./machines";
import { checkReleaseArgs, RELEASE_KEYS, type ReleaseArgs } from "./release-args";

/** Arguments of `GoProxyMirror`. What is not named here is the front's: `domain`, `tls`, `access`, `fallback`, …. */
export interface GoProxyMirrorArgs extends ReleaseArgs, FrontArgs<pulumi.Input<string>> {
  /** The Go release that Athens fetches modules with, and that builds what the host builds: `lock("1.26")`. */
  readonly go: GoRelease;
  /**
   * Where that release comes from.
   * @default the official archives
   */
  readonly source?: GoSource;
  /** Where modules are kept: `{ kind: "disk", path: "/srv/athens", max: "200 GiB" }`, or an object store. */
  readonly storage: AthensStorage<pulumi.Input<string>>;
  /**
   * Where Athens gets what it does not have: base URLs of module proxies, in order, and `direct` for the repositories
   * themselves. Private modules always come from their repositories. What the host builds, Athens itself, comes through
   * these proxies as well; where there is none, from where the toolchain's own settings say (`go env GOPROXY`).
   * @default ["direct"]
   */
  readonly upstream?: readonly string[];
  /**
   * Patterns of private module paths, as in GOPRIVATE: never named to a public proxy or checksum database.
   * @default none
   */
  readonly privateModules?: PrivateModules;
  /**
   * How clients use the mirror.
   * @default the mirror alone, for private modules too
   */
  readonly client?: ClientPolicy;
  /**
   * Athens' other settings.
   * @default see `AthensArgs`
   */
  readonly athens?: Omit<AthensArgs<pulumi.Input<string>>, "storage" | "pathPrefix">;
  /**
   * How the store is kept within its budget and in good health; for storage of kind `disk`.
   * @default see `StoreArgs`
   */
  readonly store?: StoreArgs;
  /**
   * Whether the store on the host's disk stays when the mirror goes.
   * @default true
   */
  readonly keepStore?: boolean;
}

const KEYS = [
  ...["go", "source", "storage", "upstream", "privateModules", "client", "athens", "store", "keepStore"],
  ...RELEASE_KEYS,
] as const;

/** Everything that is wrong with the arguments of a mirror. `now`: when its certificate must be valid. */
export function checkMirrorArgs(args: unknown, now: Date): Issue[] {
  if (!isFields(args)) return [issue("", args, "an object such as { target, domain, tls, storage, go }")];
  const isUnknown = pulumi.Output.isInstance;
  const { privateModules, client, athens, store, keepStore, storage, upstream } = args;
  const hasPrivate = Array.isArray(privateModules) && privateModules.length > 0;
  return [
    ...checkReleaseArgs(args),
    ...checkMachines(hostsOf(args["target"])),
    ...checkOneHost(args["tls"], hostsOf(args["target"])),
    ...checkFront("", args, { isUnknown, otherKeys: KEYS, now }),
    ...checkToolchain({ go: args["go"], source: args["source"] }),
    ...optional("upstream", upstream, checkUpstream),
    ...optional("privateModules", privateModules, checkPrivateModules),
    ...optional("client", client, (path, given) => checkClientPolicy(path, given, hasPrivate)),
    ...checkAthensArgs({ athens, storage, upstream }, hostsOf(args["target"]), args["go"]),
    ...optional("store", store, (path, given) => checkStoreArgs(path, given, storage)),
    ...optional("keepStore", keepStore, flag),
  ];
}

function checkAthensArgs(
  { athens, storage, upstream }: Fields,
  hosts: Readonly<Record<string, unknown>>,
  go: unknown,
): Issue[] {
  if (athens !== undefined && !isFields(athens))
    return [issue("athens", athens, "an object such as { workers: { fetch: 5 } }")];
  const refused = ["storage", "pathPrefix"].filter((key) => athens?.[key] !== undefined);
  const issues = checkAthens(
    "athens",
    { ...athens, storage, pathPrefix: undefined },
    {
      hosts: Object.keys(hosts).length,
      isUnknown: pulumi.Output.isInstance,
      ...(isFields(go) && typeof go["version"] === "string" && { goVersion: go["version"] }),
    },
  );
  const goProxy = isFields(athens?.["goEnv"]) && upstream !== undefined ? athens["goEnv"]["GOPROXY"] : undefined;
  return [
    ...atArguments(issues),
    ...refused.map((key) =>
      issue(
        at("athens", key),
        athens?.[key],
        key === "storage" ? "storage beside athens" : "no prefix: the front serves the mirror at its root",
      ),
    ),
    ...(goProxy === undefined ? [] : [issue("athens.goEnv.GOPROXY", undefined, "nothing: upstream says it")]),
  ];
}

/** Issues of Athens' settings under the arguments where a program has them. */
export function atArguments(issues: readonly Issue[]): Issue[] {
  return issues.map((each) => ({ ...each, path: each.path.replace(/^athens\.storage\b/, "storage") }));
}

function checkStoreArgs(path: string, store: unknown, storage: unknown): Issue[] {
  if (isFields(storage) && storage["kind"] !== "disk") {
    return [issue(path, store, "no such argument: only a store on the host's own disk is kept by the mirror")];
  }
  return checkStore(path, store, { isUnknown: pulumi.Output.isInstance });
}

function checkUpstream(path: string, given: unknown): Issue[] {
  const wanted = 'a list such as ["https://proxy.corp.example", "direct"]';
  if (!Array.isArray(given) || given.length === 0) return [issue(path, given, wanted)];
  return given.flatMap((entry: unknown, index) => {
    const here = at(path, index);
    if (entry === "direct") {
      return index === given.length - 1 ? [] : [issue(here, entry, "direct at the end: nothing after it is tried")];
    }
    const isUrl = typeof entry === "string" && /^https?:\/\/[^\s,|@]+$/.test(entry) && URL.canParse(entry);
    return isUrl ? [] : [issue(here, entry, 'the base URL of a module proxy without credentials, or "direct"')];
  });
}

/** ACME asks one host, whichever the name leads to, for the answer to a question that another one may have caused. */
function checkOneHost(tls: unknown, targets: Readonly<Record<string, unknown>>): Issue[] {
  const hosts = Object.keys(targets);
  const wanted = "one host where tls.acme is used; several need a certificate that all are given, or files";
  return isFields(tls) && tls["acme"] !== undefined && hosts.length > 1 ? [issue("target", hosts, wanted)] : [];
}
