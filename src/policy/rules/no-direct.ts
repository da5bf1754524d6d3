import { hostCount, MIRROR } from "../read/fleet";
import { goSettings } from "../read/go-settings";
import { isBelow } from "../read/urn";
import { field } from "../read/walk";
import { rule, UNKNOWN, type PolicyResource, type Violation } from "../rule";

const WANTED = 'the mirror alone, "https://goproxy.corp.example"';
const REFUSED = "what the mirror does not have is fetched past it, unseen";

/** Fleets that fetch modules past their mirror. See https://go.dev/ref/mod#environment-variables, GOPROXY. */
export const noDirect = rule({
  name: "no-direct-on-fleets",
  description: "Fleets take modules from their mirror only: no direct in GOPROXY, and no GOPROXY left to go's default.",
  level: "mandatory",
  severity: "high",
  remediation:
    "Set GOPROXY to the mirror alone, or give the toolchain its `mirror`. A fallback other than direct is another " +
    "proxy that you run. The mirror itself may fetch directly.",
  defaults: { from: 2, unset: "refuse" },
  settings: {
    from: { type: "integer", minimum: 1, description: "Hosts from which a pool is a fleet." },
    unset: {
      type: "string",
      description: '"refuse" or "allow" a toolchain without GOPROXY: go\'s default has direct.',
    },
  },
  check(resource, { from, unset }) {
    if (hostCount(resource) < from || isBelow(resource.urn, MIRROR)) return [];
    const settings = goSettings(resource.props).filter(({ name, ofMirror }) => name === "GOPROXY" && !ofMirror);
    const direct = settings.filter(({ value }) => value.split(/[,|]/).some((proxy) => proxy.trim() === "direct"));
    return [
      ...direct.map(({ path, value }): Violation => {
        const given = `GOPROXY=${value.replace(/(\/\/)[^/@\s]*@/g, "$1")}`;
        return { path, given, wanted: `${WANTED}; with direct, ${REFUSED}`, subject: given };
      }),
      ...(unset === "refuse" && isUnset(resource) ? [missing()] : []),
    ];
  },
});

function missing(): Violation {
  return { path: "env.GOPROXY", given: undefined, wanted: `${WANTED}: go's own default has direct` };
}

/** Only a toolchain's settings are all in one place; elsewhere GOPROXY may come from anywhere. */
function isUnset({ type, props }: PolicyResource): boolean {
  const env = field(props, "env");
  return (
    type === "gofleet:index:GoToolchainHost" &&
    env !== undefined &&
    env !== UNKNOWN &&
    field(env, "GOPROXY") === undefined
  );
}
