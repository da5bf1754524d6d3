import { changes } from "./change";
import { compare } from "./compare";
import type { Component } from "./component";
import { typeName } from "./meaning";
import { isRelease } from "./release-change";
import type { Detail, Place } from "./report";

/** Every difference once: files by their diff, other resources by their list of properties. */
export function detailsOf(components: readonly Component[]): Detail[] {
  const found = new Map<string, { readonly places: Place[]; readonly detail: Pick<Detail, "file" | "properties"> }>();
  const add = (key: string, place: Place, detail: Pick<Detail, "file" | "properties">): void => {
    const known = found.get(key);
    if (known === undefined) found.set(key, { places: [place], detail });
    else known.places.push(place);
  };
  for (const { stack, root, children, releases, op } of components) {
    // That it goes says enough.
    if (op === "delete") continue;
    for (const { change } of releases) {
      const hosts = change.hosts.length > 0 ? change.hosts.length : change.removed.length;
      const place = { stack, name: root.name, type: typeName(root.type), hosts };
      for (const file of change.files) add(JSON.stringify(file), place, { file });
    }
    for (const resource of [root, ...children]) {
      if (isRelease(resource) || resource.type.startsWith("gofleet:") || !changes(resource) || resource.op === "delete")
        continue;
      const properties = compare(resource);
      const place = { stack, name: resource.name, type: resource.type, hosts: 0 };
      if (properties.length > 0) add(JSON.stringify([resource.type, resource.op, properties]), place, { properties });
    }
  }
  return [...found.values()].map(({ places, detail }) => ({
    places,
    hosts: places.reduce((sum, { hosts }) => sum + hosts, 0),
    ...detail,
  }));
}
