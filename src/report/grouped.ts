import type { ComponentChange, Detail, PolicyRow } from "./report";
import { number } from "./words";

/** Components of one type to which the same happens. */
export interface ComponentGroup {
  readonly first: ComponentChange;
  readonly all: readonly ComponentChange[];
}

/** Puts together what reads the same but for its name and place. */
export function groupComponents(components: readonly ComponentChange[]): ComponentGroup[] {
  return grouped(components, ({ type, op, headline, sentences }) => JSON.stringify([type, op, headline, sentences]));
}

export interface PolicyGroup {
  readonly first: PolicyRow;
  readonly all: readonly PolicyRow[];
}

const LEVELS = ["mandatory", "remediate", "advisory"];

/** The same finding on several resources is one; mandatory ones first. */
export function groupPolicies(policies: readonly PolicyRow[]): PolicyGroup[] {
  const groups = grouped(policies, ({ pack, policy, level, message }) =>
    JSON.stringify([pack, policy, level, message]),
  );
  return LEVELS.flatMap((level) => groups.filter(({ first }) => first.level === level));
}

function grouped<T>(items: readonly T[], key: (item: T) => string): { first: T; all: T[] }[] {
  const groups = new Map<string, { first: T; all: T[] }>();
  for (const item of items) {
    const known = groups.get(key(item));
    if (known === undefined) groups.set(key(item), { first: item, all: [item] });
    else known.all.push(item);
  }
  return [...groups.values()];
}

/** `same on 12 hosts`, `the same 3 times, on 36 hosts`; empty for what is in one place without hosts. */
export function sameness({ places, hosts }: Detail): string {
  const on = hosts === 0 ? "" : `on ${number(hosts)} ${hosts === 1 ? "host" : "hosts"}`;
  if (places.length === 1) return hosts > 1 ? `same ${on}` : on;
  return `the same ${places.length} times${on === "" ? "" : `, ${on}`}`;
}
