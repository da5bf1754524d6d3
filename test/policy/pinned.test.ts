import { goVersions } from "../../src/policy/rules/go-versions";
import { pinnedDownloads } from "../../src/policy/rules/pinned-downloads";
import { pinnedImages } from "../../src/policy/rules/pinned-images";
import { base64, CONTAINER, deployment, release, resource, table, TOOLCHAIN, UNKNOWN } from "./support";

const SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const H1 = "h1:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=";
const DIGEST = `@sha256:${SHA256}`;

const download = (format: string, checksum: unknown, name = "go1.26.8") =>
  release(1, { plan: { downloads: { [name]: { format, variants: { amd64: { checksum, urls: [] } } } } } });

const toolchain = (version: unknown, checksums: unknown = { "linux-amd64": { sha256: SHA256 } }) =>
  resource(TOOLCHAIN, { go: { version, checksums }, target: { hosts: 1 } });

const CHECKSUM = 'plan.downloads["go1.26.8"].variants.amd64.checksum';

describe("policy: what is pinned", () => {
  table(pinnedDownloads, {
    "an archive with its sha256": { of: download("tar.gz", SHA256), finds: [] },
    "a module with its h1": { of: download("module", H1), finds: [] },
    "a checksum that is not known": { of: download("file", UNKNOWN), finds: [] },
    "no checksum": { of: download("file", undefined), finds: [`${CHECKSUM}: nothing`] },
    "an empty checksum": { of: download("tar.gz", ""), finds: [`${CHECKSUM}: ""`] },
    "a placeholder": { of: download("tar.gz", "0".repeat(64)), finds: [`${CHECKSUM}: "${"0".repeat(64)}"`] },
    "an MD5": { of: download("tar.gz", SHA256.slice(32)), finds: [`${CHECKSUM}: "${SHA256.slice(32)}"`] },
    "a module with an archive's checksum": { of: download("module", SHA256), finds: [`${CHECKSUM}: "${SHA256}"`] },
    "a Go release with checksums": { of: toolchain("1.26.8"), finds: [] },
    "a Go release without any": { of: toolchain("1.26.8", {}), finds: ["go.checksums: nothing"] },
    "a Go release with an empty platform": {
      of: toolchain("1.26.8", { "linux-amd64": {} }),
      finds: ["go.checksums: nothing"],
    },
    "checksums that are not known": { of: toolchain("1.26.8", UNKNOWN), finds: [] },
    "a service's binary with its sha256": {
      of: resource("gofleet:index:GoServiceUnit", { release: { url: "https://dl.example/x", sha256: SHA256 } }),
      finds: [],
    },
    "a service's binary without": {
      of: resource("gofleet:index:GoServiceUnit", { release: { url: "https://dl.example/x" } }),
      finds: ["release.sha256: nothing"],
    },
    "a service's binaries by platform, one with an MD5": {
      of: resource("gofleet:index:GoServiceUnit", {
        release: {
          url: "https://dl.example/{arch}",
          sha256: { "linux-amd64": SHA256, "linux-arm64": SHA256.slice(32) },
        },
      }),
      finds: [`release.sha256.linux-arm64: ${JSON.stringify(SHA256.slice(32))}`],
    },
    "a service's binary of this machine": {
      of: resource("gofleet:index:GoServiceUnit", { release: { file: "dist/x" } }),
      finds: [],
    },
    "another resource's url": { of: resource("aws:lambda/function:Function", { release: { url: "x" } }), finds: [] },
    "a script piped into a shell": {
      of: release(1, { files: { "/x.sh": "set -e\ncurl -fsSL https://dl.example/x.sh | sudo -E bash -s -- --yes" } }),
      finds: ['files["/x.sh"] line 2: curl … | bash'],
    },
    "an archive piped into tar": {
      of: resource("aws:ec2/instance:Instance", {
        userData: base64("#!/bin/sh\nwget -qO- https://dl.example/x | tar xz\n"),
      }),
      finds: ["userData line 2: wget … | tar"],
    },
    "a download that is checked": {
      of: release(1, { files: { "/x.sh": "curl -fo x https://dl.example/x && sha256sum --check x.sum && tar xf x" } }),
      finds: [],
    },
    "an answer piped into jq": {
      of: release(1, { files: { "/x.sh": "curl https://x.example | jq .shape" } }),
      finds: [],
    },
  });

  table(pinnedImages, {
    "a digest": { of: deployment({ image: `registry.corp.example:5000/build${DIGEST}` }), finds: [] },
    "a tag and a digest": { of: deployment({ image: `golang:1.26.8${DIGEST}` }), finds: [] },
    "a tag": { of: deployment({ image: "golang:1.26.8" }), finds: [`${CONTAINER}.image: "golang:1.26.8"`] },
    "no tag, with a port": {
      of: deployment({ image: "registry.corp.example:5000/build" }),
      finds: [`${CONTAINER}.image: "registry.corp.example:5000/build"`],
    },
    "a digest that is too short": {
      of: deployment({ image: "x@sha256:abc" }),
      finds: [`${CONTAINER}.image: "x@sha256:abc"`],
    },
    "an image that is not known": { of: deployment({ image: UNKNOWN }), finds: [] },
    "an allowed name": { of: deployment({ image: "dev/x:1" }), config: { allow: ["dev/x"] }, finds: [] },
    "an init container of a CronJob": {
      of: resource("kubernetes:batch/v1:CronJob", {
        spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ image: "busybox" }] } } } } },
      }),
      finds: ['spec.jobTemplate.spec.template.spec.initContainers[0].image: "busybox"'],
    },
    "an ECS task": {
      of: resource("aws:ecs/taskDefinition:TaskDefinition", {
        containerDefinitions: JSON.stringify([{ name: "a", image: "a:latest" }]),
      }),
      finds: ['containerDefinitions[0].image: "a:latest"'],
    },
    "an Azure container group": {
      of: resource("azure-native:containerinstance:ContainerGroup", { containers: [{ name: "a", image: "a:1" }] }),
      finds: ['containers[0].image: "a:1"'],
    },
    "an image elsewhere": { of: resource("aws:ec2/instance:Instance", { image: "a:1", ami: "ami-1" }), finds: [] },
  });

  const given = (version: string): string => `go.version: "${version}"`;
  table(goVersions, {
    "a supported line": { of: toolchain("1.26.8"), finds: [] },
    "a line newer than the list": { of: toolchain("1.28.0"), finds: [] },
    "a line without fixes": { of: toolchain("1.25.10"), finds: [given("1.25.10")] },
    "a line without fixes, allowed": { of: toolchain("1.25.10"), config: { lines: ["1.25", "1.26"] }, finds: [] },
    "older than the minimum": { of: toolchain("1.26.7"), config: { minimum: "1.26.8" }, finds: [given("1.26.7")] },
    "as old as the minimum": { of: toolchain("1.26.8"), config: { minimum: "1.26.8" }, finds: [] },
    "a release candidate": { of: toolchain("1.28rc1"), finds: [given("1.28rc1")] },
    "a release candidate, allowed": { of: toolchain("1.28rc1"), config: { prereleases: true }, finds: [] },
    "a version that is not known": { of: toolchain(UNKNOWN), finds: [] },
    "a release beside another": {
      of: resource(TOOLCHAIN, {
        go: { version: "1.26.8", checksums: { a: { h1: H1 } } },
        also: [{ version: "1.24.0", checksums: { a: { h1: H1 } } }],
      }),
      finds: ['also[0].version: "1.24.0"'],
    },
    "a release's download": {
      of: download("tar.gz", SHA256, "go1.24.0"),
      finds: ['plan.downloads["go1.24.0"]: "1.24.0"'],
    },
    "a download that is no Go": { of: download("file", SHA256, "goproxy1.2"), finds: [] },
    "an image": {
      of: deployment({ image: "golang:1.24-bookworm" }),
      finds: [`${CONTAINER}.image: "golang:1.24-bookworm"`],
    },
    "an image of a supported line": {
      of: deployment({ image: `registry.corp.example/library/golang:1.26${DIGEST}` }),
      finds: [],
    },
    "an image without a version": { of: deployment({ image: "golang:bookworm" }), finds: [] },
    "an image of something else": { of: deployment({ image: "notgolang:1.2" }), finds: [] },
  });
});
