import { isIP } from "node:net";
import { isFields } from "../check";
import { issue, type Issue } from "../issues";
import { checkAgent, resolveAgent, type Agent } from "./agent";

/**
 * A forge that the slots' agents cannot reach gives them no jobs. Said only where it is certain: all that is allowed is
 * known, and neither the forge's name nor, for a forge of one's own, an address or a network that may be its is among it.
 */
export function checkReach(agent: unknown, network: unknown, isUnknown: (value: unknown) => boolean): Issue[] {
  if (
    isUnknown(agent) ||
    isUnknown(isFields(agent) ? agent["url"] : undefined) ||
    checkAgent("", agent, { isUnknown }).length > 0
  )
    return [];
  const known = agent as Agent<unknown>;
  const { forge } = resolveAgent(known);
  if (forge === undefined) return [];
  const allow = isFields(network) ? (network["allow"] ?? []) : [];
  if (isUnknown(network) || isUnknown(allow) || !Array.isArray(allow)) return [];
  const { hostname, port } = new URL(forge.url);
  const wanted = Number(port === "" ? 443 : port);
  const isOwn = "url" in known && known.url !== undefined;
  const reaches = allow.some((entry: unknown) => {
    const { host, ports = [443] } = isFields(entry) ? entry : { host: entry };
    if ([entry, host, ports].some(isUnknown) || typeof host !== "string" || !Array.isArray(ports)) return true;
    const isForge =
      host.toLowerCase() === hostname.toLowerCase() || (isOwn && (isIP(host) !== 0 || host.includes("/")));
    return isForge && ports.some((each: unknown) => isUnknown(each) || each === wanted);
  });
  const needed = `{ host: "${hostname}", ports: [${wanted}] } among others: agents of kind ${known.kind} go there`;
  return reaches ? [] : [issue("network.allow", network === undefined ? undefined : allow, needed)];
}
