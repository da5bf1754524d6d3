import assert from "node:assert/strict";
import { budgets } from "../../src/policy/rules/budgets";
import { checkIncident, incident } from "../../src/policy/rules/incident";
import { mirrorData } from "../../src/policy/rules/mirror-data";
import { release, resource, table, UNKNOWN } from "./support";

const BUCKET = "aws:s3/bucket:Bucket";
const TAGS = { "gofleet-data": "mirror" };
const MIRROR_RELEASE = "urn:pulumi:dev::fleet::gofleet:index:GoProxyMirror$pulumi-nodejs:gofleet:HostRelease::it";

describe("policy: data, budgets and changes", () => {
  table(mirrorData, {
    "a protected bucket": { of: resource(BUCKET, { tags: TAGS }, { protect: true }), finds: [] },
    "a bucket": { of: resource(BUCKET, { tags: TAGS }), finds: ["protect: false"] },
    "a bucket that is emptied with its resource": {
      of: resource(BUCKET, { tags: TAGS, forceDestroy: true }, { protect: true }),
      finds: ["forceDestroy: true"],
    },
    "another bucket": { of: resource(BUCKET, { tags: { "gofleet-data": "scratch" } }), finds: [] },
    "tags that are not known": { of: resource(BUCKET, { tags: UNKNOWN }), finds: [] },
    "a bucket by its name": {
      of: resource(BUCKET, {}, { name: "athens" }),
      config: { names: "^athens" },
      finds: ["protect: false"],
    },
    "a claim": {
      of: resource("kubernetes:core/v1:PersistentVolumeClaim", { metadata: { labels: TAGS } }),
      finds: ["protect: false"],
    },
    "a volume that goes with its claim": {
      of: resource(
        "kubernetes:core/v1:PersistentVolume",
        { metadata: { labels: TAGS }, spec: { persistentVolumeReclaimPolicy: "Delete" } },
        { protect: true },
      ),
      finds: ['spec.persistentVolumeReclaimPolicy: "Delete"'],
    },
    "a storage account": {
      of: resource("azure-native:storage:StorageAccount", { tags: TAGS }),
      finds: ["protect: false"],
    },
    "a machine with the tag": { of: resource("aws:ec2/instance:Instance", { tags: TAGS }), finds: [] },
    "a mirror on a host": {
      of: release(1, { policy: {} }, { urn: MIRROR_RELEASE }),
      finds: ["policy.keepData: nothing"],
    },
    "a mirror on a host that keeps its data": {
      of: release(1, { policy: { keepData: ["/srv/athens"] } }, { urn: MIRROR_RELEASE }),
      finds: [],
    },
    "another release": { of: release(1, { policy: {} }), finds: [] },
  });

  const rollout = (hosts: number, canary: unknown, batch: unknown) => release(hosts, { rollout: { canary, batch } });
  table(budgets, {
    "a pool with a canary": { of: rollout(8, 1, "100 %"), finds: [] },
    "a pool in small batches": { of: rollout(8, 0, "25 %"), finds: [] },
    "a pool in large ones": { of: rollout(8, 0, "50 %"), finds: ["rollout.batch: 50 % without a canary"] },
    "a pool in large ones, counted": { of: rollout(8, [], 3), finds: ["rollout.batch: 3 of 8 hosts without a canary"] },
    "a pool in large ones, allowed": { of: rollout(8, "0 %", "50 %"), config: { batchWithoutCanary: 50 }, finds: [] },
    "a share that is not known": { of: rollout(8, 0, UNKNOWN), finds: [] },
    "a canary that is not known": { of: rollout(8, UNKNOWN, "100 %"), finds: [] },
    "one host": { of: rollout(1, 0, "100 %"), finds: [] },
    "a pool that is too large": { of: rollout(8, 1, 1), config: { hosts: 7 }, finds: ["hosts: 8 hosts"] },
    "a pool as large as it may be": { of: rollout(8, 1, 1), config: { hosts: 8 }, finds: [] },
    "a machine group": {
      of: resource("aws:autoscaling/group:Group", { maxSize: 41 }),
      config: { machines: 40 },
      finds: ["maxSize: 41"],
    },
    "a scale set that is not known": {
      of: resource("azure-native:compute:VirtualMachineScaleSet", { sku: { capacity: UNKNOWN } }),
      config: { machines: 40 },
      finds: [],
    },
    "a cache": {
      of: resource("gofleet:index:BuildAgentSandbox", { cache: { path: "/c", size: "300 GiB" } }),
      config: { cache: "200 GiB" },
      finds: ['cache.size: "300 GiB"'],
    },
    "a cache within its budget": {
      of: resource("gofleet:index:BuildAgentSandbox", { cache: { path: "/c", size: "200GiB" } }),
      config: { cache: "200 GiB" },
      finds: [],
    },
    "a cache without a budget": {
      of: resource("gofleet:index:BuildAgentSandbox", { cache: { size: "9 TiB" } }),
      finds: [],
    },
    "a claim": {
      of: resource("kubernetes:core/v1:PersistentVolumeClaim", {
        spec: { resources: { requests: { storage: "300Gi" } } },
      }),
      config: { cache: "200 GiB" },
      finds: ['spec.resources.requests.storage: "300Gi"'],
    },
  });

  describe(incident.name, () => {
    const asked = { ...incident.defaults, required: true };
    it("asks for nothing where it was not asked to", () => {
      assert.deepEqual(checkIncident(undefined, incident.defaults), []);
    });
    it("takes an incident", () => assert.deepEqual(checkIncident("INC-123", asked), []));
    it("wants one where there is none, and says where it goes", () => {
      const [found] = checkIncident(undefined, asked);
      assert.match(found?.wanted ?? "", /gofleet:incident or in GOFLEET_INCIDENT/);
    });
    it("refuses what is none", () => {
      assert.equal(checkIncident("later", asked).length, 1);
      assert.equal(checkIncident("", asked).length, 1);
    });
    it("takes a pattern of one's own", () => assert.deepEqual(checkIncident("later", { ...asked, pattern: "^l" }), []));
  });
});
