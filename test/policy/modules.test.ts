import { checksumDatabase } from "../../src/policy/rules/checksum-database";
import { noDirect } from "../../src/policy/rules/no-direct";
import { secureSources } from "../../src/policy/rules/secure-sources";
import { base64, CONTAINER, deployment, release, resource, table, toolchain, UNKNOWN } from "./support";

const MIRROR = "urn:pulumi:dev::fleet::gofleet:index:GoProxyMirror$pulumi-nodejs:gofleet:HostRelease::it";
const CLOUD = "aws:ec2/launchTemplate:LaunchTemplate";

describe("policy: where modules come from", () => {
  table(checksumDatabase, {
    "go's default": { of: toolchain(1, { GOTOOLCHAIN: "local" }), finds: [] },
    "a database of one's own": { of: toolchain(1, { GOSUMDB: "sum.corp.example+abc" }), finds: [] },
    "off in a component": { of: toolchain(1, { GOSUMDB: "off" }), finds: ["env.GOSUMDB: GOSUMDB=off"] },
    "a value that is not known": { of: toolchain(1, { GOSUMDB: UNKNOWN }), finds: [] },
    "settings that are not known": { of: toolchain(1, UNKNOWN), finds: [] },
    "off in a file of a release": {
      of: release(1, { files: { "/etc/gofleet/go/go.env": "GOFLAGS=-mod=mod\nGOSUMDB=off\n" } }),
      finds: ['files["/etc/gofleet/go/go.env"] line 2: GOSUMDB=off'],
    },
    "off in a comment": { of: release(1, { files: { "/a": "# GOSUMDB=off\n; GOSUMDB=off\n" } }), finds: [] },
    "off in a unit": {
      of: release(1, { files: { "/u.service": '[Service]\nEnvironment="GOSUMDB=off" "A=b"' } }),
      finds: ['files["/u.service"] line 2: GOSUMDB=off'],
    },
    "off in a container": {
      of: deployment({ env: [{ name: "GOSUMDB", value: "off" }] }),
      finds: [`${CONTAINER}.env[0].value: GOSUMDB=off`],
    },
    "off in a container's command": {
      of: deployment({ command: ["sh", "-c", "GOSUMDB=off go build ./..."] }),
      finds: [`${CONTAINER}.command[2]: GOSUMDB=off`],
    },
    "off in boot data": {
      of: resource(CLOUD, { userData: base64("#!/bin/sh\nexport GOSUMDB='off'\n") }),
      finds: ["userData line 2: GOSUMDB=off"],
    },
    "off in a task definition's JSON": {
      of: resource("aws:ecs/taskDefinition:TaskDefinition", {
        containerDefinitions: JSON.stringify([{ environment: [{ name: "GOSUMDB", value: "off" }] }]),
      }),
      finds: ["containerDefinitions[0].environment[0].value: GOSUMDB=off"],
    },
    "off in a function's variables": {
      of: resource("aws:lambda/function:Function", { environment: { variables: { GOSUMDB: "off" } } }),
      finds: ["environment.variables.GOSUMDB: GOSUMDB=off"],
    },
    "a longer name": { of: toolchain(1, { MYGOSUMDB: "off", NOTE: "X_GOSUMDB=off" }), finds: [] },
    "every module excluded": { of: toolchain(1, { GONOSUMDB: "*" }), finds: ["env.GONOSUMDB: GONOSUMDB=*"] },
    "every host excluded": {
      of: toolchain(1, { GONOSUMDB: "git.corp.example,*/*" }),
      finds: ["env.GONOSUMDB: GONOSUMDB=git.corp.example,*/*"],
    },
    "private modules excluded": { of: toolchain(1, { GONOSUMDB: "git.corp.example/*,*.corp.example" }), finds: [] },
    "a setting that go does not have": {
      of: toolchain(1, { GONOSUMCHECK: "1" }),
      finds: ["env.GONOSUMCHECK: GONOSUMCHECK=1"],
    },
    "-insecure": {
      of: toolchain(1, { GOFLAGS: "-mod=mod -insecure" }),
      finds: ["env.GOFLAGS: GOFLAGS=-mod=mod -insecure"],
    },
  });

  table(secureSources, {
    "a proxy by https": { of: toolchain(2, { GOPROXY: "https://goproxy.corp.example" }), finds: [] },
    "a proxy by http": {
      of: toolchain(2, { GOPROXY: "https://a.example|http://b.example,off" }),
      finds: ["env.GOPROXY: GOPROXY with http://b.example"],
    },
    "a proxy by http with a password": {
      of: deployment({ env: [{ name: "GOPROXY", value: "http://me:hunter2@b.example" }] }),
      finds: [`${CONTAINER}.env[0].value: GOPROXY with http://b.example`],
    },
    "a proxy on the machine": { of: toolchain(1, { GOPROXY: "http://127.0.0.1:3000,http://[::1]:1" }), finds: [] },
    "a proxy that was allowed": {
      of: toolchain(1, { GOPROXY: "http://goproxy" }),
      config: { hosts: ["goproxy"] },
      finds: [],
    },
    "insecure patterns": {
      of: toolchain(1, { GOINSECURE: "*.corp.example" }),
      finds: ["env.GOINSECURE: GOINSECURE=*.corp.example"],
    },
    "no insecure patterns": { of: toolchain(1, { GOINSECURE: "" }), finds: [] },
    "a value that is not known": { of: toolchain(1, { GOPROXY: UNKNOWN, GOINSECURE: UNKNOWN }), finds: [] },
  });

  table(noDirect, {
    "the mirror alone": { of: toolchain(3, { GOPROXY: "https://m.corp.example" }), finds: [] },
    "direct at the end": {
      of: toolchain(3, { GOPROXY: "https://m.corp.example,direct" }),
      finds: ["env.GOPROXY: GOPROXY=https://m.corp.example,direct"],
    },
    "direct after any error": {
      of: toolchain(3, { GOPROXY: "https://me:hunter2@m.corp.example|direct" }),
      finds: ["env.GOPROXY: GOPROXY=https://m.corp.example|direct"],
    },
    "a host called direct": { of: toolchain(3, { GOPROXY: "https://direct.corp.example" }), finds: [] },
    "a single host": { of: toolchain(1, { GOPROXY: "direct" }), finds: [] },
    "a single host, asked for": {
      of: toolchain(1, { GOPROXY: "direct" }),
      config: { from: 1 },
      finds: ["env.GOPROXY: GOPROXY=direct"],
    },
    "no GOPROXY at all": { of: toolchain(3, { GOTOOLCHAIN: "local" }), finds: ["env.GOPROXY: nothing"] },
    "no GOPROXY, allowed": { of: toolchain(3, {}), config: { unset: "allow" }, finds: [] },
    "a GOPROXY that is not known": { of: toolchain(3, { GOPROXY: UNKNOWN }), finds: [] },
    "settings that are not known": { of: toolchain(3, UNKNOWN), finds: [] },
    "a pool's file": {
      of: release(2, { files: { "/etc/profile.d/go.sh": "export GOPROXY=https://m.example,direct\n" } }),
      finds: ['files["/etc/profile.d/go.sh"] line 1: GOPROXY=https://m.example,direct'],
    },
    "one host's file": { of: release(1, { files: { "/a": "GOPROXY=direct" } }), finds: [] },
    pods: {
      of: deployment({ env: [{ name: "GOPROXY", value: "direct" }] }),
      finds: [`${CONTAINER}.env[0].value: GOPROXY=direct`],
    },
    "a machine group": {
      of: resource(CLOUD, { userData: base64("GOPROXY=direct go build") }),
      finds: ["userData: GOPROXY=direct"],
    },
    "the mirror's own release": {
      of: release(2, { files: { "/etc/athens.toml": "GOPROXY=direct" } }, { urn: MIRROR }),
      finds: [],
    },
    "the mirror's own pods": {
      of: deployment({ env: [{ name: "ATHENS_GO_BINARY_ENV_VARS", value: "GOPROXY=direct" }] }),
      finds: [],
    },
    "the mirror's own file": {
      of: resource("kubernetes:core/v1:ConfigMap", { data: { "a.toml": 'GoBinaryEnvVars = ["GOPROXY=direct"]' } }),
      finds: [],
    },
  });
});
