/** `urn:pulumi:<stack>::<project>::<type chain>::<name>`. See https://www.pulumi.com/docs/iac/concepts/resources/names/. */
const URN = /^urn:pulumi:(?<stack>[^:]+(?::[^:]+)*)::(?<project>[^:]+)::(?<types>.*?)::(?<name>.*)$/s;

/** Stack and project of a resource; undefined for text that is no URN. */
export function stackOf(urn: string | undefined): { stack: string; project: string } | undefined {
  const groups = URN.exec(urn ?? "")?.groups;
  return groups === undefined ? undefined : { stack: groups["stack"] ?? "", project: groups["project"] ?? "" };
}

/** The resource's name, or the text itself where it is no URN. */
export function nameOf(urn: string): string {
  return URN.exec(urn)?.groups?.["name"] ?? urn;
}

/** The resource's type, without those of what it belongs to; empty where it is no URN. */
export function typeOf(urn: string): string {
  return URN.exec(urn)?.groups?.["types"]?.split("$").at(-1) ?? "";
}
