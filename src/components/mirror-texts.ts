import * as pulumi from "@pulumi/pulumi";
import { hiddenIssue, type Issue } from "../model/issues";
import { lineEnded } from "../model/line-ended";
import { refusedFor } from "../model/refused";
import type { ResolvedAthens } from "../model/mirror/athens";
import { checkAthens } from "../model/mirror/athens-check";
import { isSecretPlace, withoutSecrets } from "../model/mirror/athens-public";
import { checkCertificate } from "../model/mirror/certificate";
import { checkAcmeCa } from "../model/mirror/front-acme-check";
import { checkClientCa } from "../model/mirror/front-check";
import { noSumPatterns } from "../model/mirror/private-modules";
import { athensTexts, type AthensTexts } from "../plan/mirror/athens";
import { frontConfigText, type FrontTexts } from "../plan/mirror/front";
import type { MirrorParts, MirrorTexts } from "../plan/mirror/mirror";
import { storeConfigText } from "../plan/mirror/store";
import { toolchainPaths } from "../plan/toolchain";
import { goEnvFile } from "../render/go-env-file";
import { atArguments, type GoProxyMirrorArgs } from "./mirror-args";

type Text = pulumi.Input<string>;
type Athens = ResolvedAthens<Text>;

/** The texts of a mirror's files. What is wrong with a value that becomes known later stands in its text's place. */
export function mirrorTexts(parts: MirrorParts, athens: Athens, args: GoProxyMirrorArgs, now: Date): MirrorTexts<Text> {
  const { front, place, store } = parts;
  return {
    goEnv: goEnvFile({ GOTOOLCHAIN: "local" }),
    athens: athensFiles(parts, athens, args),
    front: { config: frontConfigText(front, place), ...certificates(args, now) },
    store: { config: store === undefined ? "" : storeConfigText(store, place, tierUrls(parts)) },
  };
}

function athensFiles(parts: MirrorParts, athens: Athens, args: GoProxyMirrorArgs): AthensTexts<Text> {
  const { place, privateModules } = parts;
  const hosts = Object.keys(args.target.hosts).length;
  const given = { ...args.athens, storage: args.storage };
  const around = {
    goBinary: toolchainPaths({ ...parts.toolchain, links: false }, place.component).go,
    privateModules,
    noSumPatterns: noSumPatterns(privateModules),
  };
  // Only what is no secret: else a secret among the settings would make every text one.
  const open = pulumi.output({ given: withoutSecrets(given), settings: withoutSecrets(athens) });
  const texts = pulumi.all([open, pulumi.isSecret(open)]).apply(([known, secret]) => {
    if (secret) return refusal([hiddenIssue("athens", "a secret", SECRET_PLACES)]);
    const issues = checkAthens("athens", known.given, { hosts, isUnknown: isSecretPlace });
    return issues.length > 0
      ? refusal(atArguments(issues))
      : athensTexts(known.settings as ResolvedAthens, place, around);
  });
  const text = (key: keyof AthensTexts<string>) => texts.apply((known) => known[key] ?? "");
  const { ssh } = athens.private;
  return {
    config: text("config"),
    downloadMode: text("downloadMode"),
    ...(ssh === undefined ? {} : { knownHosts: text("knownHosts") }),
    ...(athens.robots === undefined ? {} : { robots: text("robots") }),
    ...(athens.homeTemplate === undefined ? {} : { homeTemplate: text("homeTemplate") }),
  };
}

const SECRET_PLACES =
  "plain values: these settings are readable by all on the host; secrets belong into private or variables";

function refusal(issues: readonly Issue[]): AthensTexts<string> {
  return { config: refusedFor(issues), downloadMode: "" };
}

/** The chain that clients see, checked with its key once both are known; neither the key nor a part of it is in the text. */
function certificates({ tls, access, domain }: GoProxyMirrorArgs, now: Date): Partial<FrontTexts<Text>> {
  const { certificate, key, ca } = tls;
  const checked =
    certificate === undefined
      ? undefined
      : pulumi.all([certificate, key ?? "", ca ?? ""]).apply(([chain, keyText, authority]) => {
          const issues = checkCertificate("tls", {
            certificate: chain,
            key: keyText,
            domain,
            now,
            ...(authority === "" ? {} : { ca: authority }),
          });
          return issues.length > 0 ? refusedFor(issues) : lineEnded(chain);
        });
  const clientCa = access?.clientCa;
  const acmeCa = tls.acme?.ca;
  return {
    ...(checked && { certificate: pulumi.unsecret(checked) }),
    ...(acmeCa !== undefined && { acmeCa: pulumi.unsecret(pulumi.output(acmeCa)).apply(acmeCaText) }),
    ...(clientCa !== undefined && { clientCa: pulumi.output(clientCa).apply(clientCaText) }),
  };
}

function clientCaText(given: string): string {
  const issues = checkClientCa("access.clientCa", given);
  return issues.length > 0 ? refusedFor(issues) : lineEnded(given);
}

function acmeCaText(given: string): string {
  const issues = checkAcmeCa("tls.acme.ca", given);
  return issues.length > 0 ? refusedFor(issues) : lineEnded(given);
}

function tierUrls({ front }: MirrorParts): { readonly name: string; readonly url: string }[] {
  return front.tiers.map(({ name, scheme, host, port, prefix }) => ({
    name,
    url: `${scheme}://${host}:${port}${prefix}/healthz`,
  }));
}
