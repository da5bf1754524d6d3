import * as pulumi from "@pulumi/pulumi";
import { at } from "../model/check";
import type { Issue } from "../model/issues";
import type { ResolvedAthens } from "../model/mirror/athens";
import { checkAthens } from "../model/mirror/athens-check";
import { isSecretPlace, withoutSecrets } from "../model/mirror/athens-public";
import { checkPassword } from "../model/mirror/front-check";
import { refusedFor } from "../model/refused";
import { athensSecretNames } from "../plan/mirror/athens";
import { FRONT_KEY, FRONT_PASSWORDS } from "../plan/mirror/front";
import type { MirrorParts } from "../plan/mirror/mirror";
import { athensSecrets } from "../render/mirror/athens-environment";
import { passwordFile } from "../render/mirror/nginx-passwords";
import { atArguments, type GoProxyMirrorArgs } from "./mirror-args";

type Text = pulumi.Input<string>;

/**
 * The secrets of a mirror, by name. What is wrong with one that becomes known later stands in its place: where it is and
 * what would do, never what it was. The TLS key is checked with its certificate, in that one's text.
 */
export function mirrorSecrets(
  parts: MirrorParts,
  athens: ResolvedAthens<Text>,
  args: GoProxyMirrorArgs,
): Record<string, Text> {
  const { tls, access } = args;
  const users = access?.users;
  return {
    ...athensFiles(athens, args),
    ...(tls.key === undefined ? {} : { [FRONT_KEY]: tls.key }),
    ...(users === undefined || Object.keys(users).length === 0
      ? {}
      : { [FRONT_PASSWORDS]: pulumi.output(users).apply((known) => passwords(known, parts.place.component)) }),
  };
}

function athensFiles(athens: ResolvedAthens<Text>, args: GoProxyMirrorArgs): Record<string, Text> {
  const hosts = Object.keys(args.target.hosts).length;
  const names = athensSecretNames(athens);
  const texts = pulumi
    .output({ given: { ...args.athens, storage: args.storage }, settings: athens })
    .apply(({ given, settings }): Record<string, string> => {
      const issues = issuesOfSecrets(given, hosts);
      // Said once, in the first of them.
      if (issues.length > 0) return { [names[0] ?? ""]: refusedFor(issues) };
      return athensSecrets(settings as ResolvedAthens);
    });
  return Object.fromEntries(names.map((name) => [name, texts.apply((all) => all[name] ?? "")]));
}

/** What is wrong with Athens' secrets alone; the rest is said in the text of its settings. */
function issuesOfSecrets(given: object, hosts: number): Issue[] {
  const open = checkAthens("athens", withoutSecrets(given), { hosts, isUnknown: isSecretPlace });
  const said = new Set(open.map(({ path }) => path));
  return atArguments(checkAthens("athens", given, { hosts }).filter(({ path }) => !said.has(path)));
}

function passwords(known: Readonly<Record<string, string>>, component: string): string {
  const issues = Object.entries(known).flatMap(([user, password]) => checkPassword(at("access.users", user), password));
  return issues.length > 0 ? refusedFor(issues) : passwordFile(known, component);
}
