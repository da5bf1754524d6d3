import { goSettings } from "../read/go-settings";
import { rule, type Violation } from "../rule";

/** What turns off the checksum database for every module. See https://go.dev/ref/mod#checksum-database. */
export const checksumDatabase = rule({
  name: "checksum-database-on",
  description:
    "Modules are checked against the checksum database: no GOSUMDB=off, no pattern that excludes all of them.",
  level: "mandatory",
  severity: "critical",
  remediation:
    "Leave GOSUMDB out (or name a database of your own) and list private modules in GOPRIVATE or GONOSUMDB, each with " +
    'its host: "git.corp.example/*". An air-gapped fleet uses a mirror that answers /sumdb/.',
  defaults: {},
  settings: {},
  check: ({ props }) => goSettings(props).flatMap(({ path, name, value }) => find(path, name, value)),
});

function find(path: string, name: string, value: string): Violation[] {
  const violation = (wanted: string) => [{ path, given: `${name}=${value}`, wanted, subject: `${name}=${value}` }];
  if (name === "GOSUMDB" && value.trim() === "off") return violation("no GOSUMDB, or the name of a checksum database");
  if (name === "GONOSUMCHECK" && value.trim() !== "") {
    return violation("GONOSUMDB with the private modules' patterns; GONOSUMCHECK is not a setting of go");
  }
  if (name === "GONOSUMDB" && value.split(",").some(matchesAll)) return violation("patterns that begin with a host");
  if (name === "GOFLAGS" && /(^|\s)-insecure\b/.test(value)) {
    return violation("no -insecure: it skips the checksum database too");
  }
  return [];
}

/** `*` and its like: a pattern is matched by path elements, and the first one is the host. */
function matchesAll(pattern: string): boolean {
  return /^[*?]+(\/|$)/.test(pattern.trim());
}
