import assert from "node:assert/strict";
import { resolveNetwork } from "../../../src/model/sandbox/network";
import { resolveSandbox, type SandboxArgs } from "../../../src/model/sandbox/sandbox";

const GIB = 2 ** 30;
const ARGS: SandboxArgs = {
  agent: { kind: "exec", command: ["/usr/local/bin/runner"] },
  cache: { size: "24 GiB" },
  limits: { memory: "48 GiB" },
};

describe("a build sandbox, resolved", () => {
  it("has defaults for everything but its agent, its cache's size and its memory", () => {
    assert.deepEqual(resolveSandbox(ARGS), {
      agent: { command: ["/usr/local/bin/runner"], stopSignal: "SIGTERM", stopWithin: 120 },
      slots: 1,
      cache: {
        kind: "disk",
        sizeBytes: 24 * GIB,
        scope: "slot",
        discard: false,
        persistEvery: 0,
        maxAge: 5 * 86400,
        path: undefined,
        program: undefined,
      },
      modulesMaxBytes: 0,
      limits: {
        memoryBytes: 48 * GIB,
        cpus: undefined,
        tasks: 4096,
        openFiles: 65536,
        cpuWeight: 100,
        ioWeight: 100,
        workspaceBytes: 0,
        slot: {
          memoryBytes: 48 * GIB,
          tasks: 4096,
          sharedMemoryBytes: 24 * GIB,
          maxProcs: undefined,
          goMemoryBytes: undefined,
        },
      },
      confinement: "enforce",
      userNamespaces: false,
      inputs: [],
      before: [],
      after: [],
      watermarks: { low: 80, pause: 85, reclaim: 95, every: 60, containers: [] },
      hardening: { off: [], canary: true },
    });
  });

  it("gives each slot its part, with the cache in memory that it writes", () => {
    const limits = (cache: Partial<SandboxArgs["cache"]>) =>
      resolveSandbox({
        ...ARGS,
        slots: 4,
        cache: { kind: "tmpfs", size: "4 GiB", ...cache },
        limits: { memory: "48 GiB", cpus: 10, tasks: 1000, goMemoryLimit: true },
      }).limits.slot;
    const own = limits({});
    assert.deepEqual(own, {
      memoryBytes: 12 * GIB,
      tasks: 250,
      sharedMemoryBytes: 4 * GIB,
      maxProcs: 2,
      goMemoryBytes: Math.floor(8 * GIB * 0.9),
    });
    // One that is shared is counted once, and each job may come to fill it.
    assert.equal(limits({ scope: "shared" }).memoryBytes, 11 * GIB + 4 * GIB);
    // What is discarded is written to a layer of each slot.
    assert.equal(limits({ scope: "shared", writes: "discard" }).memoryBytes, own.memoryBytes);
    assert.equal(resolveSandbox({ ...ARGS, slots: 3, limits: { memory: "9 GiB", cpus: 2 } }).limits.slot.maxProcs, 1);
  });

  it("takes a job's own files in memory from what its slot has for builds", () => {
    const { limits } = resolveSandbox({
      ...ARGS,
      slots: 2,
      cache: { kind: "tmpfs", size: "4 GiB" },
      limits: { memory: "24 GiB", workspace: "3 GiB", goMemoryLimit: true },
    });
    assert.equal(limits.workspaceBytes, 3 * GIB);
    assert.equal(limits.slot.memoryBytes, 12 * GIB);
    assert.equal(limits.slot.sharedMemoryBytes, 3 * GIB);
    assert.equal(limits.slot.goMemoryBytes, Math.floor(5 * GIB * 0.9));
  });

  it("keeps a cache in memory over a reboot, unless told not to, or where nothing of it stays anyway", () => {
    const every = (more: Partial<SandboxArgs["cache"]>) =>
      resolveSandbox({ ...ARGS, cache: { kind: "tmpfs", size: "1 GiB", ...more } }).cache.persistEvery;
    assert.equal(every({}), 3600);
    assert.equal(every({ persist: "10 min" }), 600);
    assert.equal(every({ persist: false }), 0);
    assert.equal(every({ scope: "shared", writes: "discard" }), 0);
  });

  it("puts what is allowed in order, each host once with all its ports", () => {
    const network = resolveNetwork({
      allow: [
        { host: "GIT.corp.example", ports: [443, 22] },
        "10.20.0.0/16",
        { host: "git.corp.example", ports: [22] },
        { host: "goproxy.corp.example", ports: [8443], modules: true },
        "2001:db8::1",
      ],
      resolver: "10.20.0.53",
    });
    assert.deepEqual(network, {
      names: [
        { host: "git.corp.example", ports: [22, 443], modules: false },
        { host: "goproxy.corp.example", ports: [8443], modules: true },
      ],
      addresses: [
        { host: "10.20.0.0/16", ports: [443], modules: false },
        { host: "2001:db8::1", ports: [443], modules: false },
      ],
      resolver: "10.20.0.53",
    });
    assert.equal(resolveNetwork({ allow: ["x.example"], resolver: "none" }).resolver, undefined);
    assert.deepEqual(resolveNetwork({}), { names: [], addresses: [], resolver: undefined });
  });
});
