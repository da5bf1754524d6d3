import { confinement } from "../../src/policy/rules/confinement";
import { pprof } from "../../src/policy/rules/pprof";
import { diagnoseScript } from "../../src/render/service/diagnose-script";
import { CONTAINER, deployment, release, resource, table, UNKNOWN } from "./support";

const unit = (line: string) => release(1, { files: { "/x.service": `[Service]\n${line}\n` } });
const UNIT = 'files["/x.service"] line 2';
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const NSG = "azure-native:network/v20240501:NetworkSecurityGroup";

const aws = (rule: object) => resource(GROUP, { ingress: [rule] });
const azure = (rule: object) =>
  resource(NSG, { securityRules: [{ access: "Allow", direction: "Inbound", sourceAddressPrefix: "*", ...rule }] });

describe("policy: what is open", () => {
  table(pprof, {
    "the loopback interface": { of: unit('ExecStart=/x "--pprof" "127.0.0.1:6060"'), finds: [] },
    localhost: { of: unit("ExecStart=/x --pprof=localhost:6060 [::1]:6060"), finds: [] },
    "every interface, by port alone": { of: unit('ExecStart=/x "--pprof" ":6060"'), finds: [`${UNIT}: ":6060"`] },
    "every interface, in an option": { of: unit("ExecStart=/x --pprof=:6060"), finds: [`${UNIT}: ":6060"`] },
    "every interface, IPv4": { of: unit("Environment=PPROF=0.0.0.0:6060"), finds: [`${UNIT}: "0.0.0.0:6060"`] },
    "every interface, IPv6": { of: unit("ExecStart=/x [::]:6060"), finds: [`${UNIT}: "[::]:6060"`] },
    "another address": { of: unit("ExecStart=/x 10.0.0.1:6060"), finds: [] },
    "another port": { of: unit("ExecStart=/x :60601 :16060 :8080"), finds: [] },
    "a comment": { of: unit("# listens on :6060"), finds: [] },
    "a script that refuses it": {
      of: release(1, { files: { "/x": diagnoseScript("gofleet-x.service", "x") } }),
      finds: [],
    },
    "a port of one's own": { of: unit("ExecStart=/x :9999"), config: { ports: [9999] }, finds: [`${UNIT}: ":9999"`] },
    "a release's port": {
      of: release(1, { plan: { listens: { "0.0.0.0:6060": "x.service", "127.0.0.1:6060": "x.service" } } }),
      finds: ['plan.listens["0.0.0.0:6060"]: "0.0.0.0:6060"'],
    },
    "a container's argument": {
      of: deployment({ args: ["--pprof", ":6060"] }),
      finds: [`${CONTAINER}.args[1]: ":6060"`],
    },
    "a container's port": {
      of: deployment({ ports: [{ containerPort: 8080 }, { containerPort: 6060 }] }),
      finds: [`${CONTAINER}.ports[1].containerPort: 6060`],
    },
    "a container's port that is not known": { of: deployment({ ports: [{ containerPort: UNKNOWN }] }), finds: [] },
    "a service's port": {
      of: resource("kubernetes:core/v1:Service", { spec: { ports: [{ port: 80, targetPort: 6060 }] } }),
      finds: ["spec.ports[0].targetPort: 6060"],
    },
    "a security group for everybody": {
      of: aws({ fromPort: 6000, toPort: 6100, protocol: "tcp", cidrBlocks: ["10.0.0.0/8", "0.0.0.0/0"] }),
      finds: ["ingress[0]: ports 6000 to 6100 for every address"],
    },
    "a security group for all traffic": {
      of: aws({ fromPort: 0, toPort: 0, protocol: "-1", ipv6CidrBlocks: ["::/0"] }),
      finds: ["ingress[0]: ports 0 to 65535 for every address"],
    },
    "a security group for the office": {
      of: aws({ fromPort: 6060, toPort: 6060, cidrBlocks: ["10.0.0.0/8"] }),
      finds: [],
    },
    "a security group that is not known": { of: resource(GROUP, { ingress: UNKNOWN }), finds: [] },
    "a rule of a security group": {
      of: resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {
        cidrIpv4: "0.0.0.0/0",
        fromPort: 6060,
        toPort: 6060,
      }),
      finds: [": port 6060 for every address"],
    },
    "a rule for what goes out": {
      of: resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
        type: "egress",
        cidrBlocks: ["0.0.0.0/0"],
        fromPort: 0,
        toPort: 65535,
      }),
      finds: [],
    },
    "a network security group": {
      of: azure({ destinationPortRanges: ["443", "6000-6100"] }),
      finds: ["securityRules[0]: ports 6000 to 6100 for every address"],
    },
    "a network security group that denies": { of: azure({ access: "Deny", destinationPortRange: "*" }), finds: [] },
    "a network security group for the office": {
      of: azure({ sourceAddressPrefix: "10.0.0.0/8", destinationPortRange: "6060" }),
      finds: [],
    },
  });

  const production = (type: string) => ({ urn: `urn:pulumi:eu-prod::fleet::${type}::it` });
  const SANDBOX = "gofleet:index:BuildAgentSandbox";
  const sandbox = (given: unknown) => resource(SANDBOX, { confinement: given }, production(SANDBOX));
  const pod = (container: object) => deployment({ ...container }, production("kubernetes:apps/v1:Deployment"));

  table(confinement, {
    enforced: { of: sandbox("enforce"), finds: [] },
    "only watched": { of: sandbox("complain"), finds: ['confinement: "complain"'] },
    "not set": { of: sandbox(undefined), finds: ["confinement: nothing"] },
    "not known": { of: sandbox(UNKNOWN), finds: [] },
    "watched outside production": { of: resource(SANDBOX, { confinement: "complain" }), finds: [] },
    "watched where every stack counts": {
      of: resource(SANDBOX, { confinement: "complain" }),
      config: { stacks: "." },
      finds: ['confinement: "complain"'],
    },
    "a component without confinement": {
      of: resource("gofleet:index:GoToolchainHost", {}, production("gofleet:index:GoToolchainHost")),
      finds: [],
    },
    "a stack called product": { of: resource(SANDBOX, {}, { urn: "urn:pulumi:product::f::t::n" }), finds: [] },
    "a privileged container": {
      of: pod({ securityContext: { privileged: true } }),
      finds: [`${CONTAINER}.securityContext.privileged: true`],
    },
    "a container without a profile": {
      of: pod({
        securityContext: { seccompProfile: { type: "Unconfined" }, appArmorProfile: { type: "RuntimeDefault" } },
      }),
      finds: [`${CONTAINER}.securityContext.seccompProfile.type: "Unconfined"`],
    },
    "a pod without a profile, as it was written once": {
      of: resource(
        "kubernetes:core/v1:Pod",
        { metadata: { annotations: { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" } } },
        production("kubernetes:core/v1:Pod"),
      ),
      finds: ['metadata.annotations["container.apparmor.security.beta.kubernetes.io/a"]: "unconfined"'],
    },
    "an ordinary container": { of: pod({ securityContext: { privileged: false } }), finds: [] },
  });
});
