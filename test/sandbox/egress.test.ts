import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { must } from "../hosts/support/commands";
import { egressRules, type EgressRules } from "../../src/render/sandbox/egress-rules";
import { skipFor } from "../support/skip";
import { noNamespaces, TestNetwork, type Place } from "./support/network";

const TABLE = "gofleet_ci";
const COMPONENT = "ci";
/** Users that every Debian has, in the roles of those of a sandbox. */
const [SLOT_1, SLOT_2, MODULES, OTHER] = ["daemon", "bin", "games", "man"].map((name) => ({
  name,
  uid: uidOf(name),
})) as [User, User, User, User];
const ROOT = 0;

interface User {
  readonly name: string;
  readonly uid: number;
}

const tcp = (address: string, port: number): Place => ({ protocol: "tcp", address, port });
const udp = (address: string, port: number): Place => ({ protocol: "udp", address, port });

const METADATA = [tcp("169.254.169.254", 80), tcp("168.63.129.16", 80), tcp("fd00:ec2::254", 80)];
const RESOLVER = [udp("192.0.2.53", 53), tcp("192.0.2.53", 53)];
const STUB = [udp("127.0.0.53", 53), tcp("127.0.0.53", 53)];
const OTHER_RESOLVER = [udp("192.0.2.3", 53), tcp("192.0.2.3", 53), tcp("192.0.2.3", 853), udp("2001:db8::3", 53)];
const MIRROR = [tcp("192.0.2.2", 443), tcp("2001:db8::2", 443)];
const ALLOWED = [tcp("192.0.2.4", 22), tcp("192.0.2.4", 443), tcp("2001:db8::4", 22)];
/** Known by names only, so that a program puts their addresses in. */
const BY_NAME = [tcp("192.0.2.5", 443), tcp("2001:db8::5", 443)];
const ELSEWHERE = [
  tcp("192.0.2.3", 443),
  tcp("192.0.2.4", 80),
  udp("192.0.2.4", 22),
  udp("192.0.2.3", 443),
  tcp("2001:db8::3", 443),
];
const WORLD = [...METADATA, ...RESOLVER, ...OTHER_RESOLVER, ...MIRROR, ...ALLOWED, ...BY_NAME, ...ELSEWHERE];

/** What a slot's own job listens on, another slot's, and the host's own programs. */
const OWN = [tcp("127.0.0.1", 5001), tcp("::1", 5001), tcp("192.0.2.1", 5001), tcp("127.0.0.1", 8443)];
const NEIGHBOUR = [tcp("127.0.0.1", 5002), tcp("::1", 5002), tcp("192.0.2.1", 5002), tcp("2001:db8::1", 8443)];
const NEIGHBOUR_UDP = [udp("127.0.0.1", 5002)];
const HOSTS_OWN = [tcp("127.0.0.1", 5000), tcp("::1", 5000), udp("127.0.0.1", 5000)];
const HOSTS_ALLOWED = [tcp("192.0.2.1", 443)];

const reachable = (host: string, ports: readonly number[], modules = false) => ({ host, ports, modules });

const rules = (changes: Partial<EgressRules> = {}, users = [SLOT_1, SLOT_2]) =>
  egressRules({
    component: COMPONENT,
    table: TABLE,
    users: users.map(({ name }) => name),
    moduleUser: MODULES.name,
    addresses: [
      reachable("192.0.2.2", [443], true),
      reachable("2001:db8::2", [443], true),
      reachable("192.0.2.4/32", [22, 443]),
      reachable("2001:db8::4", [22]),
      reachable("192.0.2.1", [443]),
      // As wide as it gets: what must never be reachable is not, all the same.
      reachable("0.0.0.0/0", [53, 853, 8443]),
      reachable("169.254.0.0/16", [80]),
      reachable("168.63.129.16", [80]),
      reachable("::/0", [53, 8443]),
      reachable("fd00::/8", [80]),
    ],
    resolver: "192.0.2.53",
    ...changes,
  });

describe("egress rules in the kernel", function () {
  let network: TestNetwork;

  const all = (answers: readonly string[], expected: "hello" | "refused", places: readonly Place[]) =>
    answers.forEach((answer, index) => {
      const { protocol, address, port } = places[index] as Place;
      const message = `${protocol} ${address} ${port}: ${answer}`;
      if (expected === "hello") assert.equal(answer, "hello", message);
      else assert.match(answer, /^(EHOSTUNREACH|EACCES|EPERM|ECONNREFUSED|ETIMEDOUT)$/, message);
    });
  const reaches = async (uid: number, ...places: Place[]) => all(await network.ask(uid, places), "hello", places);
  const isRefused = async (uid: number, ...places: Place[]) => all(await network.ask(uid, places), "refused", places);
  const packets = async (counter: string) =>
    Number(/packets (\d+)/.exec(await network.run("nft", "list", "counter", "inet", TABLE, counter))?.[1]);

  before(async function () {
    skipFor(this, noNamespaces());
    const v4 = ["192.0.2.2/24", "192.0.2.3/24", "192.0.2.4/24", "192.0.2.5/24", "192.0.2.53/24"];
    const v6 = ["2001:db8::2/64", "2001:db8::3/64", "2001:db8::4/64", "2001:db8::5/64"];
    network = await TestNetwork.make({
      host: ["192.0.2.1/24", "2001:db8::1/64"],
      world: [...v4, ...v6, "169.254.169.254/32", "168.63.129.16/32", "fd00:ec2::254/128"],
    });
    await network.serve("world", ROOT, WORLD);
    await network.serve("host", ROOT, [...STUB, ...HOSTS_OWN, ...HOSTS_ALLOWED]);
    await network.serve("host", SLOT_1.uid, OWN);
    await network.serve("host", SLOT_2.uid, [...NEIGHBOUR, ...NEIGHBOUR_UDP]);
  });

  after(() => network?.remove());

  it("are needed: without them a job reaches everything", async () => {
    await reaches(
      SLOT_1.uid,
      ...WORLD,
      ...STUB,
      ...OWN,
      ...NEIGHBOUR,
      ...NEIGHBOUR_UDP,
      ...HOSTS_OWN,
      ...HOSTS_ALLOWED,
    );
  });

  describe("loaded", () => {
    before(() => network.load(rules()));

    it("let a job reach the mirror and what else is allowed, IPv4 and IPv6", () =>
      reaches(SLOT_1.uid, ...MIRROR, ...ALLOWED, ...HOSTS_ALLOWED));

    it("let it ask the resolver, and no other", async () => {
      await reaches(SLOT_1.uid, ...RESOLVER);
      await isRefused(SLOT_1.uid, ...OTHER_RESOLVER);
      assert.ok((await packets("dns")) >= OTHER_RESOLVER.length);
    });

    it("refuse the metadata addresses first, whatever is allowed", async () => {
      await isRefused(SLOT_1.uid, ...METADATA);
      assert.ok((await packets("metadata")) >= METADATA.length);
      await isRefused(MODULES.uid, ...METADATA);
    });

    it("refuse what is not allowed, at once, and log who it was", async () => {
      const mark = markKernelLog();
      await isRefused(SLOT_2.uid, ...METADATA);
      const answers = await network.ask(SLOT_2.uid, ELSEWHERE);
      all(answers, "refused", ELSEWHERE);
      assert.ok(!answers.includes("ETIMEDOUT"), answers.join(" "));
      const [, said = ""] = (await must("dmesg", [])).split(mark);
      assert.match(
        said,
        new RegExp(`gofleet ${COMPONENT} denied: .*DST=192\\.0\\.2\\.3 .*DPT=443 .*UID=${SLOT_2.uid} `),
      );
      for (const address of ["169\\.254\\.169\\.254", "168\\.63\\.129\\.16", "fd00:0ec2:.*:0254"]) {
        assert.match(said, new RegExp(`gofleet ${COMPONENT} metadata: .*DST=${address} .*DPT=80 .*UID=${SLOT_2.uid} `));
      }
      assert.match(said, new RegExp(`gofleet ${COMPONENT} denied: .*DST=2001:0db8:.*DPT=443 .*UID=${SLOT_2.uid} `));
    });

    it("let a job reach its own listeners on the host, and none of another slot or of the host", async () => {
      await reaches(SLOT_1.uid, ...OWN);
      await isRefused(SLOT_1.uid, ...NEIGHBOUR, ...NEIGHBOUR_UDP, ...HOSTS_OWN);
      await reaches(SLOT_2.uid, ...NEIGHBOUR);
      await isRefused(SLOT_2.uid, ...OWN);
      assert.ok((await packets("loopback")) > 0);
    });

    it("say at once that nobody listens", async () => {
      assert.deepEqual(await network.ask(SLOT_1.uid, [tcp("127.0.0.1", 5999), tcp("::1", 5999)]), [
        "ECONNREFUSED",
        "ECONNREFUSED",
      ]);
    });

    it("let the module user reach the mirror and the resolver, and nothing else", async () => {
      await reaches(MODULES.uid, ...MIRROR, ...RESOLVER);
      await isRefused(MODULES.uid, ...ALLOWED, ...ELSEWHERE, ...OWN, ...HOSTS_OWN);
    });

    it("leave other users alone, but for listeners of jobs", async () => {
      for (const uid of [OTHER.uid, ROOT]) {
        await reaches(uid, ...WORLD, ...STUB, ...HOSTS_OWN, ...HOSTS_ALLOWED);
        await isRefused(uid, ...OWN);
      }
    });

    it("let through what a program puts into the sets, also after they were loaded again", async () => {
      await isRefused(SLOT_1.uid, ...BY_NAME);
      for (const [set, address] of [
        ["names4", "192.0.2.5"],
        ["names6", "2001:db8::5"],
      ]) {
        await network.run("nft", `add element inet ${TABLE} ${set} { ${address} . 443 timeout 1m }`);
      }
      await network.run("nft", `add element inet ${TABLE} modules4 { 192.0.2.3 . 443 timeout 1m }`);
      await reaches(SLOT_1.uid, ...BY_NAME);
      const denied = await packets("denied");
      await network.load(rules({ addresses: [] }));
      await reaches(SLOT_1.uid, ...BY_NAME);
      await isRefused(SLOT_1.uid, ...ALLOWED);
      assert.ok((await packets("denied")) > denied, "the counters began anew");
      await isRefused(MODULES.uid, ...BY_NAME);
      await reaches(MODULES.uid, tcp("192.0.2.3", 443));
      await isRefused(SLOT_1.uid, tcp("192.0.2.3", 443));
    });

    it("let the stub of the host's own resolver through, where that is the one", async () => {
      await isRefused(SLOT_1.uid, ...STUB);
      await network.load(rules({ resolver: "127.0.0.53" }));
      await reaches(SLOT_1.uid, ...STUB);
      await isRefused(SLOT_1.uid, ...RESOLVER);
    });

    it("stay as they were when others cannot be loaded, and leave other tables alone", async () => {
      await network.load(rules());
      await network.run("nft", "add table inet another");
      const before = await network.run("nft", "--stateless", "list", "ruleset");
      const wrong = rules({}, [SLOT_1, { name: "gofleet-nobody-has-this", uid: -1 }]);
      await assert.rejects(network.load(wrong), /gofleet-nobody-has-this|User does not exist|could not/i);
      assert.equal(await network.run("nft", "--stateless", "list", "ruleset"), before);
      assert.match(before, /table inet another/);
    });

    it("let everything through again when the table is gone", async () => {
      await network.run("nft", "delete table inet gofleet_ci");
      await reaches(SLOT_1.uid, ...METADATA, ...ELSEWHERE);
    });
  });
});

function uidOf(name: string): number {
  return Number(execFileSync("id", ["-u", name], { encoding: "utf8" }));
}

/** Puts a line into the kernel's log, after which the next ones come. */
function markKernelLog(): string {
  const mark = `gofleet test ${process.pid} ${Date.now()}`;
  writeFileSync("/dev/kmsg", `${mark}\n`);
  return mark;
}
