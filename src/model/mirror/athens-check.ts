import { at, isFields, nearest, type CheckOptions } from "../check";
import { hiddenIssue, issue, type Issue } from "../issues";
import { parsePercent, parseSize } from "../units";
import { checkBinary, checkBuilder } from "./athens-binary-check";
import { checkStats, checkTracing } from "./athens-exporters-check";
import { checkGoChild } from "./athens-go-check";
import { checkPrivate } from "./athens-private-check";
import { aboveZero, checkIndex, checkSingleFlight, checkStorage } from "./athens-services-check";
import { checkSeconds, checkTogether } from "./athens-together-check";
import { ATHENS_VARIABLES, reachOf } from "./athens-variables";
import { ATHENS_RELEASES, isAthensVersion, NEWEST_ATHENS } from "./athens-versions";
import { checkDownloadMode } from "./download-mode-check";
import {
  checkFields,
  listOf,
  matching,
  oneOf,
  required,
  secretUrl,
  url,
  whole,
  type ValueCheck,
} from "../field-checks";

export interface AthensCheckOptions extends CheckOptions {
  /** How many hosts run this mirror together. */
  readonly hosts: number;
  /** The exact Go release that builds Athens, where it is known. */
  readonly goVersion?: string;
}

/**
 * Checks Athens' settings, whatever their types: every issue there is. An empty list means that they are `AthensArgs`
 * that the chosen release accepts, and that work together.
 */
export function checkAthens(path: string, args: unknown, options: AthensCheckOptions): Issue[] {
  const { hosts, isUnknown = () => false, goVersion } = options;
  if (!isFields(args)) return [issue(path, args, 'an object such as { storage: { kind: "disk", … } }')];
  const version = isAthensVersion(args.version) ? args.version : NEWEST_ATHENS;
  const { measuring } = ATHENS_RELEASES[version];
  const fields = (specs: Parameters<typeof checkFields>[2]): ValueCheck => {
    return (here, given) => checkFields(here, given, specs, isUnknown);
  };
  return [
    ...checkFields(
      path,
      args,
      {
        version: oneOf(...Object.keys(ATHENS_RELEASES)),
        binary: checkBinary,
        storage: required(
          '{ kind: "disk", path: "/srv/athens", max: "200 GiB" } or another kind',
          checkStorage(isUnknown),
        ),
        singleFlight: checkSingleFlight(isUnknown),
        index: checkIndex(isUnknown),
        stats: checkStats(measuring),
        tracing: checkTracing(measuring),
        downloadMode: checkDownloadMode,
        networkMode: oneOf("strict", "offline", "fallback"),
        sumDatabases: listOf(sumDatabase, "checksum databases"),
        workers: fields({ fetch: whole(1, 1000), request: whole(1, 10_000) }),
        timeouts: fields({ external: aboveZero, stash: aboveZero, shutdown: aboveZero }),
        log: fields({ level: oneOf("debug", "info", "warn", "error"), format: oneOf("json", "plain", "gcp") }),
        goEnv: (here, given) =>
          checkGoChild(here, given, isFields(args.private) ? args.private.ssh : undefined, isUnknown),
        private: checkPrivate(isUnknown),
        validatorHook: url("the hook's URL"),
        pathPrefix: matching(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path such as "/go", without a slash at the end'),
        robots: matching(/^[^\0]+$/, "the text of a robots.txt"),
        homeTemplate: matching(/^[^\0]+$/, "the text of a template"),
        pprof: fields({ port: required("a port on loopback", whole(1024, 65535, "a port")) }),
        egress: fields({
          proxy: required("the proxy's URL", secretUrl("http:", "https:")),
          except: listOf(matching(/^[^\s,]+$/, "a host as in NO_PROXY"), "hosts as in NO_PROXY"),
        }),
        limits: fields({ memory, tasks: whole(64, 4_194_304), openFiles: whole(1024, 1_048_576) }),
        variables: (here, given) => checkVariables(here, given, isUnknown),
      },
      isUnknown,
    ),
    ...checkTogether(path, args, hosts),
    ...checkSeconds(path, args),
    ...checkBuilder(path, args.binary, version, goVersion),
  ];
}

const sumDatabase = url(
  '"https://" and a host, such as "https://sum.corp.example": Athens drops a path',
  ({ protocol, pathname, search, hash }) => protocol === "https:" && pathname + search + hash === "/",
);

const memory: ValueCheck = (path, given) => {
  const size = parseSize(path, given);
  return size.issue && parsePercent(path, given).issue ? [size.issue] : [];
};

function checkVariables(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given)) return [issue(path, given, "Athens' variables by name")];
  return Object.entries(given).flatMap(([name, value]) => {
    const here = at(path, name);
    const refuse = (wanted: string): Issue[] => [hiddenIssue(here, "a value", wanted)];
    const reach = reachOf(name);
    if (value === undefined) return [];
    if (reach === undefined) return refuse(rightVariable(name));
    if ("argument" in reach) return refuse(`${reach.argument}, its argument`);
    if ("decided" in reach) return refuse(`nothing: ${reach.decided}`);
    if (isUnknown(value)) return [];
    return typeof value === "string" && reach.variable.test(value) ? [] : refuse(reach.wanted);
  });
}

function rightVariable(name: string): string {
  const near = nearest(name, Object.keys(ATHENS_VARIABLES));
  return near
    ? `no such variable; did you mean "${near}"?`
    : "a variable that Athens reads (https://docs.gomods.io/configuration/)";
}
