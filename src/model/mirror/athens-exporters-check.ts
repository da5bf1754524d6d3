import { at, isFields } from "../check";
import { issue } from "../issues";
import type { AthensMeasuring } from "./athens-versions";
import { byKind, checkFields, hostPort, oneOf, required, url, type ValueCheck } from "../field-checks";

/** How a release can give out statistics. */
export function checkStats(measuring: AthensMeasuring): ValueCheck {
  return (path, given) => {
    if (given === "stackdriver" && measuring === "opencensus") {
      return [issue(path, given, '"prometheus" or "datadog": Athens hands Stackdriver its own name as the project')];
    }
    return oneOf("none", "prometheus", ...(measuring === "opencensus" ? ["datadog"] : []))(path, given);
  };
}

/** Where a release can send traces: an exporter that it does not know it only mentions in its log. */
export function checkTracing(measuring: AthensMeasuring): ValueCheck {
  const collector = (example: string) =>
    required(`the collector's URL, such as "${example}"`, url("the collector's URL"));
  const exporters: Record<string, Parameters<typeof checkFields>[2]> =
    measuring === "opencensus"
      ? {
          jaeger: { url: collector("http://jaeger.corp.example:14268") },
          datadog: { url: required('the agent\'s "host:port"', hostPort) },
          stackdriver: { project: required("a project id") },
        }
      : { otlp: { url: collector("http://otel.corp.example:4317"), fraction: share } };
  return (path, given) => {
    const { exporter, ...rest } = isFields(given) ? given : { exporter: given };
    if (typeof exporter !== "string" || !Object.hasOwn(exporters, exporter)) {
      return [
        issue(at(path, "exporter"), exporter, `${Object.keys(exporters).join(", ")}: this release knows no other`),
      ];
    }
    return byKind(exporters)(path, { kind: exporter, ...rest });
  };
}

const share: ValueCheck = (path, given) => {
  return typeof given === "number" && given >= 0 && given <= 1 ? [] : [issue(path, given, "a share from 0 to 1")];
};
