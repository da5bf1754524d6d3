import * as pulumi from "@pulumi/pulumi";
import { at } from "../model/check";
import { lineEnded } from "../model/line-ended";
import { checkEnvironment } from "../model/service/environment";
import { hiddenIssue } from "../model/issues";
import { refusedFor } from "../model/refused";
import { rsyslogCa } from "../model/service/rsyslog";
import type { ServiceParts, ServiceTexts } from "../plan/service/parts";
import { environmentText } from "../plan/service/unit";
import type { GoServiceUnitArgs } from "./service-args";

type Text = pulumi.Input<string>;

/** The texts of a service's files. What is wrong with a value that becomes known later stands in its text's place. */
export function serviceTexts({ place }: ServiceParts, args: GoServiceUnitArgs): ServiceTexts<Text> {
  const { env = {}, files = {}, journal } = args;
  const ca = journal?.rsyslog?.server?.tls?.ca;
  return {
    environment: open("env", pulumi.output(env), (known) => {
      const issues = checkEnvironment("env", known);
      return issues.length > 0 ? refusedFor(issues) : environmentText(known, place);
    }),
    files: Object.fromEntries(
      Object.entries(files).map(([name, text]) => [
        name,
        open(at("files", name), pulumi.output(text), (known) => known),
      ]),
    ),
    ...(ca !== undefined && { logCa: pulumi.unsecret(pulumi.output(ca)).apply(caText) }),
  };
}

/** Certificates are no secrets, whatever they come with. */
function caText(given: string): string {
  const issues = rsyslogCa("journal.rsyslog.server.tls.ca", given);
  return issues.length > 0 ? refusedFor(issues) : lineEnded(given);
}

/** Every user of the host reads these files, and the state holds them: no place for a secret. */
function open<T>(path: string, value: pulumi.Output<T>, render: (known: T) => string): pulumi.Output<string> {
  const text = pulumi.all([value, pulumi.isSecret(value)]).apply(([known, secret]) => {
    return secret ? refusedFor([hiddenIssue(path, "a secret", SECRET_PLACE)]) : render(known as T);
  });
  return pulumi.unsecret(text);
}

const SECRET_PLACE = "a plain value; a secret belongs into secrets, a file for the service alone in {credentials}";
