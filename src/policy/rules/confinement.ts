import { at } from "../../model/check";
import { containers } from "../read/containers";
import { parseUrn } from "../read/urn";
import { field, objects, texts } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";
import { unwrapped } from "../read/documents";

/** Sandboxes that only watch, and containers that step out of theirs. */
export const confinement = rule({
  name: "confined-in-production",
  description: "In production, sandboxes enforce their confinement and containers keep theirs.",
  level: "mandatory",
  severity: "high",
  remediation:
    'Set confinement: "enforce" once a run in "complain" shows no denials; in Kubernetes leave out privileged and the ' +
    "type Unconfined (RuntimeDefault is the usual profile).",
  defaults: { stacks: "(^|[-_.])(prod|production|live)($|[-_.])" },
  settings: { stacks: { type: "string", description: "Regular expression for the names of production's stacks." } },
  check: (resource, { stacks }) =>
    new RegExp(stacks).test(parseUrn(resource.urn).stack) ? [...sandbox(resource), ...pods(resource)] : [],
});

/** Any component that has confinement at all. */
function sandbox({ type, props }: PolicyResource): Violation[] {
  const given = props["confinement"];
  if (!type.startsWith("gofleet:") || typeof given === "symbol") return [];
  const needed = given !== undefined || type === "gofleet:index:BuildAgentSandbox";
  if (!needed || given === "enforce") return [];
  return [{ path: "confinement", given: given === undefined ? undefined : JSON.stringify(given), wanted: '"enforce"' }];
}

const UNCONFINED = /^container\.apparmor\.security\.beta\.kubernetes\.io\//;

/** See https://kubernetes.io/docs/concepts/security/pod-security-standards/. */
function pods({ type, props }: PolicyResource): Violation[] {
  if (!/^(kubernetes:|aws:ecs\/)/.test(type)) return [];
  const privileged = containers(props).flatMap(({ path, fields }): Violation[] => {
    const inner = field(fields, "securityContext", "privileged") === true;
    if (!inner && fields["privileged"] !== true) return [];
    const key = inner ? at(path, "securityContext") : path;
    return [{ path: at(key, "privileged"), given: "true", wanted: "no privileged containers" }];
  });
  const profiles = objects(unwrapped(props)).flatMap(({ path, fields }) =>
    ["appArmorProfile", "seccompProfile"].flatMap((key): Violation[] =>
      field(fields[key], "type") === "Unconfined"
        ? [
            {
              path: `${at(path, key)}.type`,
              given: '"Unconfined"',
              wanted: '"RuntimeDefault" or a profile of your own',
            },
          ]
        : [],
    ),
  );
  const annotated = texts(props)
    .filter(({ key, text }) => UNCONFINED.test(key) && text === "unconfined")
    .map(({ path }): Violation => ({
      path,
      given: '"unconfined"',
      wanted: '"runtime/default" or "localhost/<profile>"',
    }));
  return [...privileged, ...profiles, ...annotated];
}
