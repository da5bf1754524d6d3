import { isFields, type Fields } from "../check";
import { issue, type Issue } from "../issues";
import { parseDuration } from "../units";
import { REQUEST_SECONDS } from "./athens";
import { below } from "../field-checks";

/** What storage, flight, index, hosts and timeouts may not be together: Athens starts with most of it. */
export function checkTogether(path: string, args: Fields, hosts: number): Issue[] {
  const kindOf = (value: unknown) => (isFields(value) ? value.kind : undefined);
  const storage = kindOf(args.storage);
  const flight = args.singleFlight === undefined ? "memory" : kindOf(args.singleFlight);
  const index = kindOf(args.index);
  const issues: Issue[] = [];
  const refuse = (key: string, given: unknown, wanted: string) => issues.push(issue(below(path, key), given, wanted));
  if (hosts > 1 && (storage === "disk" || storage === "memory")) {
    refuse(
      "storage.kind",
      storage,
      `a storage that ${hosts} hosts share: each would have modules that the others lack`,
    );
  }
  if (hosts > 1 && flight === "memory") {
    refuse(
      "singleFlight.kind",
      flight,
      `etcd, redis, redis-sentinel, gcp or azureblob: ${hosts} hosts would write a version at once`,
    );
  }
  if (hosts > 1 && index === "memory")
    refuse("index.kind", index, `mysql or postgres: ${hosts} hosts would each list its own`);
  if (flight === "redis" && isFields(args.singleFlight)) {
    const { endpoints, cluster } = args.singleFlight;
    if (Array.isArray(endpoints) && endpoints.length > 1 && cluster !== true) {
      refuse("singleFlight.endpoints", endpoints, "one endpoint, or cluster: true");
    }
  }
  if ((flight === "gcp" || flight === "azureblob") && storage !== undefined && storage !== flight) {
    refuse("singleFlight.kind", flight, `another kind: "${flight}" locks by objects of the storage "${flight}"`);
  }
  return issues;
}

/** Seconds that cut each other short: Athens starts with them and says nothing. */
export function checkSeconds(path: string, args: Fields): Issue[] {
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
