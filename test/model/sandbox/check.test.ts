import assert from "node:assert/strict";
import { checkSandbox } from "../../../src/model/sandbox/check";

const GOOD = {
  agent: { kind: "exec", command: ["/usr/local/bin/runner", "--once"] },
  slots: 2,
  cache: { kind: "tmpfs", size: "2 GiB" },
  limits: { memory: "8 GiB", cpus: 4 },
};
const UNKNOWN = Symbol("later");

const problems = (args: unknown) =>
  checkSandbox(args, { isUnknown: (value) => value === UNKNOWN }).map(({ path, wanted }) => `${path}: ${wanted}`);
const withArgs = (more: object) => ({ ...GOOD, ...more });
const agent = (more: object) => withArgs({ agent: { ...GOOD.agent, ...more } });
const cache = (more: object) => withArgs({ cache: { ...GOOD.cache, ...more } });
const limits = (more: object) => withArgs({ limits: { ...GOOD.limits, ...more } });
const allow = (...entries: readonly unknown[]) => withArgs({ network: { allow: entries } });

describe("the args of a build sandbox", () => {
  it("are few where the defaults will do", () => {
    assert.deepEqual(problems(GOOD), []);
    assert.deepEqual(problems({ ...GOOD, slots: undefined, network: {}, watermarks: {}, hardening: {}, job: {} }), []);
  });

  it("may name what a directive hides that is left out, and what only begins like it", () => {
    assert.deepEqual(problems({ ...cache({ path: "/home/ci/cache" }), hardening: { off: ["ProtectHome"] } }), []);
    assert.deepEqual(problems(cache({ path: "/homes/cache" })), []);
  });

  it("may have jobs begin with an empty cache, or with one that they only read", () => {
    assert.deepEqual(problems(cache({ writes: "discard" })), []);
    assert.deepEqual(problems(cache({ writes: "discard", scope: "shared" })), []);
  });

  it("may say everything", () => {
    const all = {
      agent: { ...GOOD.agent, stop: { signal: "SIGQUIT", within: "30 min" } },
      slots: 64,
      cache: {
        kind: "disk",
        size: "24 GiB",
        scope: "shared",
        writes: "discard",
        maxAge: "2 d",
        path: "/srv/caches",
        program: { command: ["/opt/cache", "-url", "x y"], writes: "keep" },
      },
      modules: {
        max: "50 GiB",
        env: { GOPROXY: "https://goproxy.corp.example,direct", GONOSUMDB: "git.corp.example", GOSUMDB: UNKNOWN },
      },
      limits: {
        memory: "256 GiB",
        cpus: 1.5,
        tasks: 65536,
        openFiles: 4096,
        cpuWeight: 50,
        ioWeight: 10_000,
        workspace: "1 GiB",
        goMemoryLimit: false,
      },
      network: {
        allow: [
          { host: "git.corp.example", ports: [22, 443] },
          "10.20.0.0/16",
          "2001:db8::/32",
          "2001:db8::1",
          "x.example",
        ],
        resolver: "10.20.0.53",
      },
      confinement: "complain",
      userNamespaces: true,
      inputs: { testdata: "/srv/testdata" },
      job: { before: ["/usr/bin/true"], after: ["/usr/bin/logger", "done", ""] },
      watermarks: { low: "70 %", pause: "80%", reclaim: "90 %", every: "30 s", containers: "docker" },
      hardening: { off: ["PrivateUsers"], canary: false },
    };
    assert.deepEqual(problems(all), []);
  });

  const wrong: Record<string, [args: unknown, says: RegExp]> = {
    "a scalar": ["ci", /^: an object such as/],
    "no agent": [{ ...GOOD, agent: undefined }, /^agent: an agent such as/],
    "no cache": [{ ...GOOD, cache: undefined }, /^cache: the build cache/],
    "no limits": [{ ...GOOD, limits: undefined }, /^limits: limits such as/],
    "a key misspelt": [withArgs({ confinment: "enforce" }), /^confinment: no such key; did you mean "confinement"/],

    "an agent without a kind": [withArgs({ agent: { command: ["/bin/true"] } }), /^agent\.kind: kind exec/],
    "an agent of a kind that is none": [agent({ kind: "shell" }), /^agent\.kind: kind exec/],
    "an agent without a command": [agent({ command: undefined }), /^agent\.command: a command such as/],
    "a command as one text": [
      agent({ command: "/usr/bin/runner --once" }),
      /^agent\.command: a program by its absolute/,
    ],
    "a command without words": [agent({ command: [] }), /^agent\.command: a program by its absolute path/],
    "a program to be looked for": [
      agent({ command: ["runner"] }),
      /^agent\.command\[0\]: a program by its absolute path/,
    ],
    "an argument of two lines": [
      agent({ command: ["/bin/sh", "a\nb"] }),
      /^agent\.command\[1\]: an argument, as one line/,
    ],
    "an argument that is no text": [
      agent({ command: ["/bin/sh", "a\uffff"] }),
      /^agent\.command\[1\]: an argument of Unicode characters/,
    ],
    "a signal that stops nothing": [agent({ stop: { signal: "SIGKILL" } }), /^agent\.stop\.signal: one of "SIGTERM"/],
    "a stop without a unit": [agent({ stop: { within: 120 } }), /^agent\.stop\.within: a duration/],

    "no slots at all": [withArgs({ slots: 0 }), /^slots: a whole number from 1 to 64/],
    "too many slots": [withArgs({ slots: 65 }), /^slots: a whole number from 1 to 64/],
    "half a slot": [withArgs({ slots: 1.5 }), /^slots: a whole number/],

    "a cache of another kind": [cache({ kind: "ramdisk" }), /^cache\.kind: one of "tmpfs", "disk"/],
    "a cache without a size": [cache({ size: undefined }), /^cache\.size: a size such as/],
    "a decimal size": [cache({ size: "2 GB" }), /^cache\.size: "GiB" instead of "GB"/],
    "a cache too small for one build": [cache({ size: "32 MiB" }), /^cache\.size: at least "64 MiB"/],
    "a scope that is none": [cache({ scope: "host" }), /^cache\.scope: one of "slot", "shared"/],
    "a cache that jobs cannot see": [
      cache({ path: "/home/ci/cache" }),
      /^cache\.path: .*outside of \/home, .*ProtectHome=/,
    ],
    "a client of a cache that they cannot see": [
      cache({ program: { command: ["/root/client"] } }),
      /^cache\.program\.command\[0\]: .*outside of \/root, .*ProtectHome=/,
    ],
    "an agent that no slot sees": [
      agent({ command: ["/tmp/runner"] }),
      /^agent\.command\[0\]: .*outside of \/tmp, .*PrivateTmp=/,
    ],
    "a command before a job that no slot sees": [
      withArgs({ job: { before: ["/var/tmp/x"] } }),
      /^job\.before\[0\]: .*outside of \/var\/tmp,/,
    ],
    "a command after a job that no slot sees": [
      withArgs({ job: { after: ["/run/user/0/y"] } }),
      /^job\.after\[0\]: .*outside of \/run\/user,/,
    ],
    "a stop that is for ever to systemd": [
      agent({ stop: { within: "0 s" } }),
      /^agent\.stop\.within: .*at least "1 s"/,
    ],
    "a budget of modules that holds none": [withArgs({ modules: { max: "1 B" } }), /^modules\.max: at least "64 MiB"/],
    "copies of a cache that is on the disk": [cache({ kind: "disk", persist: "1 h" }), /^cache\.persist: nothing/],
    "copies too often": [cache({ persist: "5 s" }), /^cache\.persist: a duration from "1 min"/],
    "an age that go cuts short": [cache({ maxAge: "30 d" }), /^cache\.maxAge: .*"5 d"/],
    "a relative path": [cache({ path: "cache" }), /^cache\.path: an absolute path/],
    "a cache program without its path": [
      cache({ program: { command: ["cache-client"] } }),
      /^cache\.program\.command\[0\]: a program by its absolute path/,
    ],
    "a cache program as a text": [cache({ program: "/opt/cache" }), /^cache\.program: an object with command, writes/],
    "a cache program that GOCACHEPROG cannot name": [
      cache({ program: { command: ["/opt/cache", `it's "here"`] } }),
      /^cache\.program\.command\[1\]: a word with one kind of quotes/,
    ],
    "a budget of modules without a unit": [withArgs({ modules: { max: 50 } }), /^modules\.max: a size/],

    "a setting that says nothing of modules": [
      withArgs({ modules: { env: { GOFLAGS: "-mod=mod" } } }),
      /^modules\.env\.GOFLAGS: one of GOINSECURE, .*toolchain's env/,
    ],
    "credentials in a proxy's address": [
      withArgs({ modules: { env: { GOPROXY: "https://me:secret@goproxy.corp.example" } } }),
      /^modules\.env\.GOPROXY: (?!.*secret)/,
    ],
    "servers of sources alone": [
      withArgs({ modules: { env: { GOPROXY: "direct" } } }),
      /^modules\.env\.GOPROXY: a proxy first/,
    ],
    "no checksum database": [
      withArgs({ modules: { env: { GOSUMDB: "off" } } }),
      /^modules\.env\.GOSUMDB: a checksum database/,
    ],
    "a container engine that is none": [
      withArgs({ watermarks: { containers: "containerd" } }),
      /^watermarks\.containers: one of "docker", "podman"/,
    ],
    "a command of containers to be looked for": [
      withArgs({ watermarks: { containers: ["docker", "prune"] } }),
      /^watermarks\.containers\[0\]: a program by its absolute path/,
    ],

    "no memory": [limits({ memory: undefined }), /^limits\.memory: the memory of all jobs/],
    "memory that the caches fill": [
      limits({ memory: "4 GiB" }),
      /^limits\.memory: at least "6 GiB": 4 GiB of caches in memory, and 1 GiB for builds for each slot/,
    ],
    "memory that one shared cache fills": [
      { ...GOOD, cache: { ...GOOD.cache, scope: "shared" }, limits: { memory: "3 GiB" } },
      /^limits\.memory: at least "4 GiB": 2 GiB of caches/,
    ],
    "memory that is too little for builds": [
      { ...GOOD, slots: 1, cache: { size: "2 GiB" }, limits: { memory: "512 MiB" } },
      /^limits\.memory: at least "1 GiB": 1 GiB for builds$/,
    ],
    "memory that workspaces fill": [
      limits({ memory: "6 GiB", workspace: "512 MiB" }),
      /^limits\.memory: at least "7 GiB": 4 GiB of caches in memory, and 1 GiB of workspaces, and 1 GiB for builds/,
    ],
    "a workspace of next to nothing": [limits({ workspace: "1 MiB" }), /^limits\.workspace: at least "64 MiB"/],
    "processors as a text": [limits({ cpus: "4" }), /^limits\.cpus: a number of processors/],
    "less than a tenth of a processor": [limits({ cpus: 0.01 }), /^limits\.cpus: a number of processors/],
    "tasks for one slot of two": [limits({ tasks: 300 }), /^limits\.tasks: at least 512: 256 for each slot/],
    "a weight of nothing": [limits({ ioWeight: 0 }), /^limits\.ioWeight: a whole number from 1 to 10000/],
    "Go's memory as a size": [limits({ goMemoryLimit: "4 GiB" }), /^limits\.goMemoryLimit: true or false/],

    "one host for a list": [withArgs({ network: { allow: "git.corp.example" } }), /^network\.allow: a list of hosts/],
    "a URL for a host": [
      allow("https://git.corp.example/"),
      /^network\.allow\[0\]: a network such as .*without a scheme/,
    ],
    "a host with its port": [allow("git.corp.example:443"), /^network\.allow\[0\]: .*ports apart/],
    "all addresses": [allow("0.0.0.0/0"), /^network\.allow\[0\]: a part of all addresses/],
    "a network of too many bits": [allow("10.0.0.0/33"), /^network\.allow\[0\]: a network of at most 32 bits/],
    "an address with a zone": [allow("fe80::1%eth0"), /^network\.allow\[0\]: a host such as/],
    "a port that is none": [
      allow({ host: "x.example", ports: [70_000] }),
      /^network\.allow\[0\]\.ports\[0\]: a TCP port/,
    ],
    "a host without ports": [
      allow({ host: "x.example", ports: [] }),
      /^network\.allow\[0\]\.ports: a list of TCP ports/,
    ],
    "a resolver by name": [withArgs({ network: { resolver: "dns.example" } }), /^network\.resolver: the IP address/],

    "a resolver at a metadata address": [
      withArgs({ network: { resolver: "169.254.169.254" } }),
      /^network\.resolver: another resolver, .*127\.0\.0\.53/,
    ],
    "one that is written another way": [
      withArgs({ network: { resolver: "fd00:0ec2:0:0::254" } }),
      /^network\.resolver: another resolver/,
    ],
    "one in the clothes of IPv6": [
      withArgs({ network: { resolver: "::ffff:168.63.129.16" } }),
      /^network\.resolver: another resolver/,
    ],
    "a metadata address for a host": [allow("169.254.169.254"), /^network\.allow\[0\]: no metadata address/],

    "confinement as a flag": [withArgs({ confinement: true }), /^confinement: one of "enforce", "complain", "off"/],
    "a word for a flag": [withArgs({ userNamespaces: "yes" }), /^userNamespaces: true or false/],
    "inputs as a list": [withArgs({ inputs: ["/srv/testdata"] }), /^inputs: paths by name/],
    "an input's name with a slash": [withArgs({ inputs: { "a/b": "/srv" } }), /^inputs\["a\/b"\]: a name of letters/],
    "an input that is relative": [withArgs({ inputs: { data: "data" } }), /^inputs\.data: an absolute path/],
    "a hook as one text": [withArgs({ job: { before: "true" } }), /^job\.before: a program by its absolute path/],
    "marks in the wrong order": [
      withArgs({ watermarks: { low: "90 %" } }),
      /^watermarks\.pause: a share above low \(90 %\)/,
    ],
    "a reclaim below the pause": [
      withArgs({ watermarks: { reclaim: "82 %" } }),
      /^watermarks\.reclaim: a share of at least pause \(85 %\)/,
    ],
    "a mark of nothing": [withArgs({ watermarks: { low: "0 %" } }), /^watermarks\.low: a share from "1 %" to "99 %"/],
    "a watch too often": [withArgs({ watermarks: { every: "1 s" } }), /^watermarks\.every: a duration from "5 s"/],
    "a directive misspelt": [
      withArgs({ hardening: { off: ["PrivateUser"] } }),
      /^hardening\.off\[0\]: the name of a directive that slots have; did you mean "PrivateUsers"/,
    ],
    "a directive that no slot has": [
      withArgs({ hardening: { off: ["RootImage"] } }),
      /^hardening\.off\[0\]: .*see the table in docs/,
    ],
  };
  for (const [name, [args, says]] of Object.entries(wrong)) {
    it(`refuse ${name}`, () => {
      const found = problems(args);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", says);
    });
  }

  it("say everything that is wrong at once", () => {
    const args = {
      agent: { kind: "exec", command: ["runner"] },
      slots: 0,
      cache: { size: "1 GB" },
      limits: { cpus: -1 },
    };
    assert.deepEqual(
      problems(args).map((text) => text.split(":")[0]),
      ["agent.command[0]", "slots", "cache.size", "limits.memory", "limits.cpus"],
    );
  });

  it("need a resolver where names are allowed, unless the hosts know them", () => {
    const network = (given: object) => problems(withArgs({ network: given }));
    const says = /^network\.resolver: the address of the DNS server that knows git\.corp\.example, .*"none" where/;
    for (const entry of ["git.corp.example", { host: "git.corp.example", modules: true }]) {
      const [said = "", ...more] = network({ allow: ["10.20.0.0/16", entry, "x.example"] });
      assert.deepEqual(more, []);
      assert.match(said, says);
      assert.deepEqual(network({ allow: [entry], resolver: "none" }), []);
      assert.deepEqual(network({ allow: [entry], resolver: UNKNOWN }), []);
    }
    assert.deepEqual(network({ allow: ["10.20.0.0/16", "2001:db8::1", UNKNOWN, { host: UNKNOWN }] }), []);
  });

  it("wait for what is not known yet", () => {
    assert.deepEqual(problems(cache({ size: UNKNOWN })), []);
    assert.deepEqual(problems(limits({ memory: UNKNOWN })), []);
    assert.deepEqual(problems(allow({ host: UNKNOWN, ports: [443] }, UNKNOWN)), []);
    assert.equal(problems({ ...allow(UNKNOWN, "10.0.0.0/33"), limits: UNKNOWN }).length, 1);
  });
});
