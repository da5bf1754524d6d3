import { field, members } from "./walk";
import type { PolicyResource } from "../rule";

/** What a firewall lets in from everywhere: ports from, to. */
export interface Opening {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

const ALL = { from: 0, to: 65535 };

/** Ports that security groups of AWS and Azure open to every address. */
export function openings({ type, props }: PolicyResource): Opening[] {
  switch (type) {
    case "aws:ec2/securityGroup:SecurityGroup":
    case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
      return members(props["ingress"], "ingress").flatMap(({ path, value }) => aws(path, value));
    case "aws:ec2/securityGroupRule:SecurityGroupRule":
      return props["type"] === "ingress" ? aws("", props) : [];
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
      return aws("", props);
  }
  if (/^azure-native:network[^:]*:NetworkSecurityGroup$/.test(type)) {
    return members(props["securityRules"], "securityRules").flatMap(({ path, value }) => azure(path, value));
  }
  return /^azure-native:network[^:]*:SecurityRule$/.test(type) ? azure("", props) : [];
}

function aws(path: string, rule: unknown): Opening[] {
  const sources = ["cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"].flatMap((key) => field(rule, key) ?? []);
  if (!sources.some((source) => source === "0.0.0.0/0" || source === "::/0")) return [];
  const protocol = field(rule, "protocol") ?? field(rule, "ipProtocol");
  if (protocol === "-1" || protocol === -1 || protocol === "all") return [{ path, ...ALL }];
  const [from, to] = [field(rule, "fromPort"), field(rule, "toPort")];
  return typeof from === "number" && typeof to === "number" ? [{ path, from, to }] : [];
}

function azure(path: string, rule: unknown): Opening[] {
  const says = (key: string): string => String(field(rule, key) ?? "").toLowerCase();
  if (says("access") !== "allow" || says("direction") !== "inbound") return [];
  const sources = ["sourceAddressPrefix", "sourceAddressPrefixes"].flatMap((key) => field(rule, key) ?? []);
  if (!sources.some((source) => /^(\*|internet|any|0\.0\.0\.0\/0|::\/0)$/i.test(String(source)))) return [];
  const ranges = ["destinationPortRange", "destinationPortRanges"].flatMap((key) => field(rule, key) ?? []);
  return ranges.flatMap((range: unknown) => {
    if (range === "*") return [{ path, ...ALL }];
    const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(String(range)) ?? [];
    return from === "" ? [] : [{ path, from: Number(from), to: Number(to) }];
  });
}
