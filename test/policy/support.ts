import assert from "node:assert/strict";
import { UNKNOWN, type PolicyResource, type Rule } from "../../src/policy/rule";

export { UNKNOWN };

export const TOOLCHAIN = "gofleet:index:GoToolchainHost";
export const RELEASE = "pulumi-nodejs:gofleet:HostRelease";
export const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

type Props = Readonly<Record<string, unknown>>;

/** A resource of a stack called `dev`, unless `more` has another URN. */
export function resource(type: string, props: Props, more: Partial<PolicyResource> = {}): PolicyResource {
  return { type, name: "it", urn: `urn:pulumi:dev::fleet::${type}::it`, protect: false, props, ...more };
}

/** One resource, and the violations of it as `path: given`, in order; none means that it passes. */
export interface Case {
  readonly of: PolicyResource;
  readonly config?: object;
  readonly finds: readonly string[];
}

/** A test for each case, by its name. */
export function table(rule: Rule, cases: Readonly<Record<string, Case>>): void {
  describe(rule.name, () => {
    for (const [name, { of, config, finds }] of Object.entries(cases)) {
      it(name, () =>
        assert.deepEqual(
          rule.check(of, config).map(({ path, given = "nothing" }) => `${path}: ${given}`),
          finds,
        ),
      );
    }
    it("has cases on both sides, and says what to do", () => {
      const all = Object.values(cases);
      assert.ok(all.some(({ finds }) => finds.length > 0) && all.some(({ finds }) => finds.length === 0));
      assert.match(rule.remediation, /^[A-Z].*\.$/s);
      assert.deepEqual(Object.keys(rule.settings), Object.keys(rule.defaults));
    });
  });
}

/** A Deployment with one container. */
export const deployment = (container: Props, more: Partial<PolicyResource> = {}): PolicyResource =>
  resource(DEPLOYMENT, { spec: { template: { spec: { containers: [container] } } } }, more);

/** Where {@link deployment} has its container. */
export const CONTAINER = "spec.template.spec.containers[0]";

/** A release with some hosts. */
export const release = (count: number, props: Props, more: Partial<PolicyResource> = {}): PolicyResource => {
  const hosts = Object.fromEntries(Array.from({ length: count }, (_, i) => [`rack-${i}`, `ssh root@10.0.0.${i}`]));
  return resource(RELEASE, { hosts, ...props }, more);
};

/** A toolchain on some hosts. */
export const toolchain = (hosts: number, env: unknown): PolicyResource =>
  resource(TOOLCHAIN, { env, target: { hosts }, go: { version: "1.26.8", checksums: {} } });

/** Boot data as clouds take it. */
export const base64 = (text: string): string => Buffer.from(text).toString("base64");
