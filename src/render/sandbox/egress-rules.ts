import { METADATA_ADDRESSES } from "../../model/sandbox/metadata";
import { MARKER } from "../marker";
import { nftAddress, nftName, nftPort, nftSet, nftString, type NftText } from "./nft-text";

/** What {@link egressRules} is made of. */
export interface EgressRules {
  /** The component's directory name; part of what the log says. */
  readonly component: string;
  readonly table: string;
  /** Users of the slots; at least one. The rules can only be loaded where all of them exist. */
  readonly users: readonly string[];
  /** Reaches what jobs may get modules from, and nothing else. */
  readonly moduleUser: string;
  readonly addresses: readonly EgressDestination[];
  /** Address of the only name server; undefined: none. */
  readonly resolver: string | undefined;
}

/** What jobs may reach. */
export interface EgressDestination {
  /** An address, or a network as `10.20.0.0/16`. */
  readonly host: string;
  /** TCP ports; at least one. */
  readonly ports: readonly number[];
  /** Modules come from there: the module user may reach it too. */
  readonly modules: boolean;
}

const DNS = nftPort(53);
const DNS_OVER_TLS = nftPort(853);

/** Seconds in which a connection on the host itself must be answered; a SYN that is sent again counts again. */
const ANSWER_WITHIN = 10;

/**
 * Sets that `gofleet-sandbox egress` fills with the addresses that names have, each with a timeout: of all names for
 * jobs, and of those that modules come from for the module user. Elements are `address . TCP port`. They outlive a
 * reload. A set that takes another shape must take another name, for nft refuses to change one.
 */
const EGRESS_SETS = {
  jobs: { ip: "names4", ip6: "names6" },
  modules: { ip: "modules4", ip6: "modules6" },
} as const;

/** Packets and bytes that were refused, by reason. They outlive a reload. */
export const EGRESS_COUNTERS = ["metadata", "dns", "loopback", "denied"] as const;

const FAMILIES = ["ip", "ip6"] as const;
type Family = (typeof FAMILIES)[number];

/**
 * The table of nftables that bounds where jobs and the module user may send, by the user whose socket it is; of others
 * nothing is looked at but the answers to jobs. One transaction, loaded by `nft -f`: it replaces the rules of an earlier
 * load, keeps what the sets hold, and leaves other tables alone.
 *
 * Who listens on the host itself cannot be seen in what a job sends there. It can in the answer: a listener's SYN-ACK
 * carries the listener's user. So a job's SYN to the host is remembered and let through, and the answer only if it is of
 * the same user.
 */
export function egressRules(rules: EgressRules): string {
  const users = rules.users.map(nftString);
  if (users.length === 0) throw new Error("egress rules need the user of a slot");
  const { addresses, resolver } = rules;
  const modules = addresses.filter((each) => each.modules);
  const chains: readonly (readonly [string, readonly string[]])[] = [
    [
      "output",
      [
        `${ON_HOST} ${ANSWER} jump answers`,
        `meta skuid ${nftSet(users)} goto jobs`,
        `meta skuid ${nftString(rules.moduleUser)} goto modules`,
      ],
    ],
    ["answers", FAMILIES.flatMap(answers)],
    ["jobs", [...common(resolver), ...remember(), ...fixed(addresses), ...named("jobs"), ...onHost()]],
    ["modules", [...common(resolver), ...fixed(modules), ...named("modules"), "goto denied"]],
    ["metadata_denied", refuse(rules.component, "metadata")],
    ["dns_denied", refuse(rules.component, "dns")],
    ["loopback_denied", refuse(rules.component, "loopback")],
    ["denied", refuse(rules.component, "denied")],
  ];
  const table = nftName(rules.table);
  return `${MARKER}
${block(`table inet ${table}`, [...declarations(), ...chains.flatMap(([name]) => chain(name, name === "output" ? [HOOK] : []))])}

# Rules only: sets and counters keep what they hold.
flush table inet ${table}

${block(
  `table inet ${table}`,
  chains.flatMap(([name, lines]) => chain(name, lines)),
)}
`;
}

const HOOK = "type filter hook output priority filter; policy accept;";
/** To an address of the host, be it 127.0.0.1 or the one of a network card. */
const ON_HOST = `oif "lo"`;
const ASKING = "tcp flags & (syn | ack) == syn";
const ANSWER = "tcp flags & (syn | ack) == syn | ack";

/** Connections of jobs on the host that wait for an answer: by both ends, and by both ends and the job's user. */
const PENDING = { ip: { ends: "asked4", user: "asked_by4" }, ip6: { ends: "asked6", user: "asked_by6" } } as const;

function declarations(): string[] {
  const counters = EGRESS_COUNTERS.map((name) => `counter ${name} {}`);
  const addresses = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;
  const filled = FAMILIES.flatMap((family) =>
    Object.values(EGRESS_SETS).map(
      (names) => `set ${names[family]} { type ${addresses[family]} . inet_service; flags timeout; }`,
    ),
  );
  const pending = FAMILIES.flatMap((family) => {
    const flags = `size 65535; flags dynamic,timeout; timeout ${ANSWER_WITHIN}s;`;
    return [
      `set ${PENDING[family].ends} { typeof ${asker(family)}; ${flags} }`,
      `set ${PENDING[family].user} { typeof ${asker(family)} . meta skuid; ${flags} }`,
    ];
  });
  return [...counters, ...filled, ...pending];
}

function asker(family: Family): string {
  return `${family} saddr . tcp sport . ${family} daddr . tcp dport`;
}

/** The same ends in the answer, where they have changed places. */
function answered(family: Family): string {
  return `${family} daddr . tcp dport . ${family} saddr . tcp sport`;
}

function answers(family: Family): string[] {
  const { ends, user } = PENDING[family];
  return [`${answered(family)} . meta skuid @${user} accept`, `${answered(family)} @${ends} goto loopback_denied`];
}

/** What holds for jobs and for the module user alike, whatever else is allowed. */
function common(resolver: string | undefined): string[] {
  return [
    ...byFamily([...METADATA_ADDRESSES]).map(([family, set]) => `${family} daddr ${set} goto metadata_denied`),
    // Nobody is served: an answer that was not let through above is one to somebody else.
    `${ANSWER} goto loopback_denied`,
    ...byFamily(resolver === undefined ? [] : [resolver]).map(
      ([family, set]) => `${family} daddr ${set} meta l4proto { tcp, udp } th dport ${DNS} accept`,
    ),
    `meta l4proto { tcp, udp } th dport ${nftSet([DNS, DNS_OVER_TLS])} goto dns_denied`,
  ];
}

/** Before anything is let through: the answer of a job's own listener is known wherever it listens. */
function remember(): string[] {
  return FAMILIES.map(
    (family) => `${ON_HOST} ${ASKING} add @${PENDING[family].user} { ${asker(family)} . meta skuid }`,
  );
}

function onHost(): string[] {
  return [
    ...FAMILIES.map((family) => `${ON_HOST} ${ASKING} add @${PENDING[family].ends} { ${asker(family)} } accept`),
    `${ON_HOST} tcp flags & syn == 0 accept`,
    // UDP has no answer that would tell whose socket it came to.
    `${ON_HOST} goto loopback_denied`,
    "goto denied",
  ];
}

function fixed(destinations: readonly EgressDestination[]): string[] {
  return destinations.map(({ host, ports }) => {
    const { family, text } = nftAddress(host);
    return `${family} daddr ${text} tcp dport ${nftSet(ports.map(nftPort))} accept`;
  });
}

function named(sets: keyof typeof EGRESS_SETS): string[] {
  return FAMILIES.map((family) => `${family} daddr . tcp dport @${EGRESS_SETS[sets][family]} accept`);
}

function byFamily(addresses: readonly string[]): (readonly [Family, NftText])[] {
  const parsed = addresses.map(nftAddress);
  return FAMILIES.flatMap((family) => {
    const texts = [...new Set(parsed.filter((each) => each.family === family).map(({ text }) => text))].sort();
    return texts.length === 0 ? [] : [[family, nftSet(texts)] as const];
  });
}

/** An error at once rather than a timeout; the log says who it was, but not endlessly. */
function refuse(component: string, counter: (typeof EGRESS_COUNTERS)[number]): string[] {
  const prefix = nftString(`${egressLogPrefix(component)} ${counter}: `);
  return [
    `counter name ${counter}`,
    `limit rate 10/second burst 50 packets log prefix ${prefix} flags skuid`,
    "reject with icmpx admin-prohibited",
  ];
}

/** What the kernel's log lines of refused packets begin with; then follow the reason and a colon. */
function egressLogPrefix(component: string): string {
  return `gofleet ${component}`;
}

function chain(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [`chain ${name} {}`] : block(`chain ${name}`, lines).split("\n");
}

function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), "}"].join("\n");
}
