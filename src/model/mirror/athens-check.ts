import { at, hasControlCharacter, isFields, nearest, type CheckOptions, type Fields } from "../check";
import { parseSha256 } from "../checksum";
import { hasCredentials, isUrl } from "../go-env-values";
import { issue, type Issue } from "../issues";
import { parseAddress } from "../names";
import { parsePercent, parseDuration, parseSize } from "../units";
import { REQUEST_SECONDS } from "./athens";
import { checkGoChild } from "./athens-go-check";
import { aboveZero, checkIndex, checkSingleFlight, checkStorage, checkTogether } from "./athens-services-check";
import { ATHENS_VARIABLES, reachOf } from "./athens-variables";
import { ATHENS_RELEASES, isAthensVersion, NEWEST_ATHENS, type AthensMeasuring } from "./athens-versions";
import { checkDownloadMode } from "./download-mode-check";
import {
  below,
  byKind,
  checkFields,
  hidden,
  hostPort,
  listOf,
  matching,
  oneOf,
  parsed,
  required,
  secretText,
  secretUrl,
  url,
  whole,
  type ValueCheck,
} from "./field-checks";

export interface AthensCheckOptions extends CheckOptions {
  /** How many hosts run this mirror together. */
  readonly hosts: number;
  /** True where the mirror knows a module proxy for its hosts' downloads, so that `binary` needs none. */
  readonly hasModuleProxy?: boolean;
}

/**
 * Checks Athens' settings, whatever their types: every issue there is. An empty list means that they are `AthensArgs`
 * that the chosen release accepts, and that work together.
 */
export function checkAthens(path: string, args: unknown, options: AthensCheckOptions): Issue[] {
  const { hosts, isUnknown = () => false, hasModuleProxy = false } = options;
  if (!isFields(args)) return [issue(path, args, 'an object such as { storage: { kind: "disk", … } }')];
  const measuring = ATHENS_RELEASES[isAthensVersion(args.version) ? args.version : NEWEST_ATHENS].measuring;
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
        private: fields({
          netrc: secretText,
          githubToken: hidden("a token, as one word", (text) => /^\S+$/.test(text)),
          ssh: fields({
            key: required("an OpenSSH private key", privateKey),
            knownHosts: required("lines of a known_hosts", knownHosts),
            hosts: listOf(parsed(parseAddress), "host names"),
          }),
          hgrc: secretText,
        }),
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
    ...checkCredentials(path, args),
    ...checkSeconds(path, args),
    ...(hasModuleProxy ? [] : checkSource(path, args, isUnknown)),
  ];
}

/** How a release can give out statistics. */
export function checkStats(measuring: AthensMeasuring): ValueCheck {
  return (path, given) => {
    if (given === "stackdriver" && measuring === "opencensus") {
      return [issue(path, given, '"prometheus" or "datadog": Athens hands Stackdriver its own name as the project')];
    }
    return oneOf("none", "prometheus", ...(measuring === "opencensus" ? ["datadog"] : []))(path, given);
  };
}

/** Where a release can send traces: an exporter that it does not know it only mentions in its log. */
export function checkTracing(measuring: AthensMeasuring): ValueCheck {
  const collector = (example: string) =>
    required(`the collector's URL, such as "${example}"`, url("the collector's URL"));
  const exporters: Record<string, Parameters<typeof checkFields>[2]> =
    measuring === "opencensus"
      ? {
          jaeger: { url: collector("http://jaeger.corp.example:14268") },
          datadog: { url: required('the agent\'s "host:port"', hostPort) },
          stackdriver: { project: required("a project id") },
        }
      : { otlp: { url: collector("http://otel.corp.example:4317"), fraction: share } };
  return (path, given) => {
    const { exporter, ...rest } = isFields(given) ? given : { exporter: given };
    if (typeof exporter !== "string" || !Object.hasOwn(exporters, exporter)) {
      return [
        issue(at(path, "exporter"), exporter, `${Object.keys(exporters).join(", ")}: this release knows no other`),
      ];
    }
    return byKind(exporters)(path, { kind: exporter, ...rest });
  };
}

const share: ValueCheck = (path, given) => {
  return typeof given === "number" && given >= 0 && given <= 1 ? [] : [issue(path, given, "a share from 0 to 1")];
};

const sumDatabase = url('"https://" and a host, such as "https://sum.corp.example": Athens drops a path', (given) => {
  return (
    given.protocol === "https:" && given.pathname === "/" && !/[?#]|.\/$/.test(given.href.slice("https://".length, -1))
  );
});

const privateKey = hidden("an OpenSSH private key, from -----BEGIN to -----END", (text) => {
  return /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[^]+\n-----END [A-Z ]*PRIVATE KEY-----\n*$/.test(text);
});

const knownHosts: ValueCheck = (path, given) => {
  const wanted = 'lines such as "git.corp.example ssh-ed25519 AAAA…" (ssh-keyscan prints them)';
  if (typeof given !== "string" || given.includes("\0")) return [issue(path, given, wanted)];
  const lines = given.split("\n").filter((each) => each.trim() !== "" && !each.startsWith("#"));
  const bad = lines.find(
    (each) => !/^(@(cert-authority|revoked) )?\S+ [a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$/.test(each),
  );
  return lines.length > 0 && bad === undefined ? [] : [issue(path, bad ?? given, wanted)];
};

const memory: ValueCheck = (path, given) => {
  const size = parseSize(path, given);
  return size.issue && parsePercent(path, given).issue ? [size.issue] : [];
};

const checkBinary: ValueCheck = (path, given) => {
  const download: ValueCheck = (here, value) =>
    checkFields(here, value, {
      url: required("a URL", url("an http or https URL")),
      sha256: required("64 hex digits", parsed(parseSha256)),
    });
  const downloads = { amd64: download, arm64: download };
  const proxy = url("a module proxy's base URL", ({ search, hash }) => search + hash === "");
  const issues = byKind({
    file: downloads,
    archive: {
      ...downloads,
      program: matching(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "a path below the archive's directory"),
    },
    module: {
      proxy: (here, value) => (Array.isArray(value) ? listOf(proxy, "proxies")(here, value) : proxy(here, value)),
    },
  })(path, given);
  if (!isFields(given) || (given.kind !== "file" && given.kind !== "archive")) return issues;
  const ofFile = given.kind === "file" ? [given.amd64, given.arm64].filter(isFields) : [];
  const misnamed = ofFile.find(({ url: from }) => typeof from === "string" && !/\/athens$/.test(from));
  return [
    ...issues,
    ...(given.amd64 === undefined && given.arm64 === undefined
      ? [issue(at(path, "amd64"), undefined, "amd64, arm64 or both")]
      : []),
    ...(misnamed ? [issue(path, misnamed.url, "a URL that ends in /athens: the file gets that name")] : []),
  ];
};

function checkVariables(path: string, given: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (!isFields(given)) return [issue(path, given, "Athens' variables by name")];
  return Object.entries(given).flatMap(([name, value]) => {
    const here = at(path, name);
    const hiddenIssue = (wanted: string): Issue[] => [{ path: here, given: "a value (not shown)", wanted }];
    const reach = reachOf(name);
    if (value === undefined) return [];
    if (reach === undefined) return hiddenIssue(rightVariable(name));
    if ("argument" in reach) return hiddenIssue(`${reach.argument}, its argument`);
    if ("decided" in reach) return hiddenIssue(`nothing: ${reach.decided}`);
    if (isUnknown(value)) return [];
    return typeof value === "string" && reach.variable.test(value) ? [] : hiddenIssue(reach.wanted);
  });
}

function rightVariable(name: string): string {
  const near = nearest(name, Object.keys(ATHENS_VARIABLES));
  return near
    ? `no such variable; did you mean "${near}"?`
    : "a variable that Athens reads (https://docs.gomods.io/configuration/)";
}

/** Athens makes the netrc from the token, so it refuses to start with both. */
function checkCredentials(path: string, { private: given }: Fields): Issue[] {
  if (!isFields(given) || given.githubToken === undefined || given.netrc === undefined) return [];
  const wanted = 'one of them: a token in the netrc is "machine github.com login <token>"';
  return [{ path: below(path, "private.githubToken"), given: "a token beside a netrc (not shown)", wanted }];
}

/** Seconds that cut each other short: Athens starts with them and says nothing. */
function checkSeconds(path: string, args: Fields): Issue[] {
  const field = (of: unknown, key: string) => (isFields(of) ? of[key] : undefined);
  const seconds = (value: unknown, byDefault: number) => parseDuration("", value).value ?? byDefault;
  const given = field(args.timeouts, "stash");
  const stash = seconds(given, 600);
  const flight = field(args.singleFlight, "kind");
  const issues: Issue[] = [];
  const refuse = (key: string, value: unknown, wanted: string) => issues.push(issue(below(path, key), value, wanted));
  if (stash > REQUEST_SECONDS) {
    refuse("timeouts.stash", given, `at most ${REQUEST_SECONDS} s: Athens gives every request no more than that`);
  } else if (flight === "azureblob" && stash > 600) {
    refuse("timeouts.stash", given, "at most 600 s with this singleFlight: its lock ends a fetch then");
  }
  if (flight === "redis" || flight === "redis-sentinel") {
    const ttl = field(field(args.singleFlight, "lock"), "ttl");
    if (seconds(ttl, 900) <= stash) {
      refuse(
        "singleFlight.lock.ttl",
        ttl,
        `more than timeouts.stash, ${stash} s: a lock that ends first lets two hosts write`,
      );
    }
  }
  const workers = { fetch: field(args.workers, "fetch") ?? 10, request: field(args.workers, "request") ?? 30 };
  if (Number(workers.request) <= Number(workers.fetch)) {
    refuse(
      "workers.request",
      workers.request,
      `more than workers.fetch, ${workers.fetch}: fetches would hold up every other answer`,
    );
  }
  return issues;
}

/** Athens' sources need an address; go's own default is not ours to know. */
function checkSource(path: string, { binary, goEnv }: Fields, isUnknown: (value: unknown) => boolean): Issue[] {
  const fromModule =
    binary === undefined || (isFields(binary) && binary.kind === "module" && binary.proxy === undefined);
  const proxy = isFields(goEnv) ? goEnv.GOPROXY : undefined;
  if (!fromModule || isUnknown(proxy)) return [];
  const urls = typeof proxy === "string" ? moduleProxies(proxy) : [];
  if (urls.length > 0) return [];
  return [
    issue(below(path, "binary.proxy"), undefined, "a module proxy that has Athens' sources, or one in goEnv.GOPROXY"),
  ];
}

/** The proxies of a GOPROXY, without `direct` and `off`. */
export function moduleProxies(goProxy: string): string[] {
  return goProxy.split(/[,|]/).filter((entry) => isUrl(entry) && !hasCredentials(entry) && !hasControlCharacter(entry));
}
