import { at, isFields, issuesOf, type Parsed } from "./check";
import { issue, type Issue } from "./issues";
import { isReleaseId } from "./pin";

/** A snapshot that a stack holds on to: the release of each component, by component directory. */
export type SnapshotSet = Readonly<Record<string, string>>;

/** Where a stack's configuration has its protected snapshots, by name. Their releases stay on the hosts. */
export const SNAPSHOTS_KEY = "gofleet:snapshots";

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

/** A snapshot's name: `v1.4.2`, or one of `snapshotId`. */
export function parseSnapshotName(path: string, given: string): Parsed<string> {
  if (NAME.test(given)) return { value: given };
  return { issue: issue(path, given, "a name of letters, digits, '.', '_' and '-', at most 128 long") };
}

/** The protected snapshots of a stack's configuration, sorted by name; what is wrong with them is listed beside. */
export function parseSnapshots(given: unknown): {
  readonly snapshots: ReadonlyMap<string, SnapshotSet>;
  readonly issues: Issue[];
} {
  const snapshots = new Map<string, SnapshotSet>();
  if (given === undefined) return { snapshots, issues: [] };
  const wanted = 'snapshots by name: { "v1.4.2": { "fleet-go": "<release id>" } }';
  if (!isFields(given)) return { snapshots, issues: [issue(SNAPSHOTS_KEY, given, wanted)] };
  const issues: Issue[] = [];
  for (const [name, set] of Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = at(SNAPSHOTS_KEY, name);
    issues.push(...issuesOf(parseSnapshotName(path, name)));
    if (!isFields(set)) {
      issues.push(issue(path, set, 'releases by component directory: { "fleet-go": "<release id>" }'));
      continue;
    }
    for (const [component, release] of Object.entries(set)) {
      if (!isReleaseId(release))
        issues.push(issue(at(path, component), release, "a release id: 16 hex digits, in quotes"));
    }
    snapshots.set(name, set as SnapshotSet);
  }
  return { snapshots, issues };
}

/** The releases of a component that protected snapshots name, each once, sorted. */
export function protectedReleases(snapshots: ReadonlyMap<string, SnapshotSet>, component: string): string[] {
  const found = [...snapshots.values()].flatMap((set) => set[component] ?? []);
  return [...new Set(found)].sort();
}
