// A product team's stack: which Go its builds get, read from the platform team's stack. It needs no access to hosts.
import { Config, interpolate, StackReference } from "@pulumi/pulumi";
import { GoToolchainHost } from "gofleet";

const platform = new StackReference(new Config().require("platform"));
const go = GoToolchainHost.from(platform.requireOutput("go"));

export const goVersion = go.goVersion;
export const build = interpolate`${go.goBinary} build -trimpath ./...`;
export const goEnv = go.goEnv;
