import { at } from "../../model/check";
import { containers } from "../read/containers";
import { lines } from "../read/documents";
import { openings } from "../read/firewall";
import { entries, field, members } from "../read/walk";
import { rule, type PolicyResource, type Violation } from "../rule";

const LOCAL = 'the loopback interface, "127.0.0.1:';

/** Profiling data of a service for everybody. See https://pkg.go.dev/net/http/pprof. */
export const pprof = rule({
  name: "pprof-not-public",
  description: "Profiling ports (pprof, :6060) are not open on all interfaces: they show memory, arguments and code.",
  level: "mandatory",
  severity: "high",
  remediation:
    'Let the program listen on "127.0.0.1:6060" and reach it through ssh -L or kubectl port-forward; leave the port out ' +
    "of container ports, services and security groups.",
  defaults: { ports: [6060] as readonly number[] },
  settings: { ports: { type: "array", items: { type: "integer" }, description: "Ports that are for profiling." } },
  check: (resource, { ports }) => ports.flatMap((port) => [...written(resource, port), ...declared(resource, port)]),
});

/** `:6060`, `0.0.0.0:6060`, `[::]:6060` and `*:6060` in units, arguments, environment and scripts. */
function written({ props }: PolicyResource, port: number): Violation[] {
  const everywhere = new RegExp(`(?:^|[\\s"'=,(])(?:0\\.0\\.0\\.0|\\[::\\]|\\*)?:${port}(?![\\d.])`);
  return lines(props).flatMap(({ path, line }) => {
    const found = everywhere.exec(line)?.[0].replace(/^[\s"'=,(]/, "");
    return found === undefined ? [] : [{ path, given: `"${found}"`, wanted: `${LOCAL}${port}"` }];
  });
}

function declared(resource: PolicyResource, port: number): Violation[] {
  const { props } = resource;
  const listens = entries(field(props, "plan", "listens")).flatMap(([endpoint]): Violation[] =>
    [`0.0.0.0:${port}`, `[::]:${port}`].includes(endpoint)
      ? [{ path: at("plan.listens", endpoint), given: `"${endpoint}"`, wanted: `${LOCAL}${port}"` }]
      : [],
  );
  const exposed = [
    ...containers(props).flatMap(({ path, fields }) =>
      [
        ...members(fields["ports"], at(path, "ports")),
        ...members(fields["portMappings"], at(path, "portMappings")),
      ].map((each) => ({ ...each, keys: ["containerPort"] })),
    ),
    ...members(field(props, "spec", "ports"), "spec.ports").map((each) => ({ ...each, keys: ["port", "targetPort"] })),
  ].flatMap(({ path, value, keys }): Violation[] => {
    const key = keys.find((each) => field(value, each) === port);
    return key === undefined ? [] : [{ path: at(path, key), given: String(port), wanted: "no port for profiling" }];
  });
  const open = openings(resource)
    .filter(({ from, to }) => from <= port && port <= to)
    .map(({ path, from, to }): Violation => {
      const given = from === to ? `port ${from} for every address` : `ports ${from} to ${to} for every address`;
      return { path, given, wanted: `no rule that opens ${port} to every address` };
    });
  return [...listens, ...exposed, ...open];
}
