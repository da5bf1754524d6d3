import { CustomResource } from "@pulumi/pulumi";
import type { StubPackage } from "../../test/support/engine";

/** The smallest provider there is: what a preview costs before any work of ours. */
export const TRIVIAL: StubPackage = {
  provider: `exports.provider = {
    async diff(id, olds, news) { return { changes: JSON.stringify(olds.text) !== JSON.stringify(news.text) }; },
    async create(inputs) { return { id: "trivial", outs: inputs }; },
    async update(id, olds, news) { return { outs: news }; },
  };`,
};

/** One resource of the Node SDK's dynamic provider with the given inputs. */
export class Trivial extends CustomResource {
  constructor(name: string, inputs: Record<string, unknown>) {
    const line = 'exports.handler=()=>require("gofleet/provider").provider';
    super("pulumi-nodejs:gofleet:HostRelease", name, { __provider: line, ...inputs });
  }
}
