import assert from "node:assert/strict";
import type { AthensArgs } from "../../../src/model/mirror/athens";
import { checkAthens } from "../../../src/model/mirror/athens-check";
import { checkStats, checkTracing } from "../../../src/model/mirror/athens-exporters-check";
import type { AthensExporters, AthensTracing } from "../../../src/model/mirror/athens-versions";
import { describe as text } from "../../../src/model/issues";
import { sha256Of } from "../../support/releases";

const disk = { kind: "disk", path: "/srv/athens", max: "200 GiB" } as const;
const goEnv = { GOPROXY: "https://proxy.corp.example,direct" };
const good: AthensArgs = { storage: disk, goEnv };

describe("releases of Athens", () => {
  it("say what can be exported to", () => {
    const jaeger: AthensTracing<"0.18.0"> = { exporter: "jaeger", url: "http://jaeger:14268" };
    const otlp: AthensExporters["opentelemetry"]["tracing"] = { exporter: "otlp", url: "http://otel:4317" };
    // @ts-expect-error 0.18.0 does not know otlp
    const early: AthensTracing<"0.18.0"> = { exporter: "otlp", url: "http://otel:4317" };
    // @ts-expect-error releases that measure by OpenTelemetry know nothing else
    const late: AthensExporters["opentelemetry"]["tracing"] = { exporter: "jaeger", url: "http://jaeger:14268" };
    // @ts-expect-error and give out statistics only for Prometheus
    const stats: AthensExporters["opentelemetry"]["stats"] = "datadog";
    const said =
      (...args: Parameters<typeof checkTracing>) =>
      (given: unknown) =>
        text(checkTracing(...args)("t", given));
    assert.equal(said("opencensus")(jaeger), "");
    assert.equal(said("opentelemetry")({ ...otlp, fraction: 0.5 }), "");
    assert.match(said("opencensus")(early), /this release knows no other/);
    assert.match(said("opentelemetry")(late), /otlp: this release knows no other/);
    assert.match(said("opentelemetry")({ ...otlp, fraction: 2 }), /from 0 to 1/);
    assert.match(text(checkStats("opentelemetry")("s", stats)), /"none", "prometheus"/);
    assert.equal(text(checkStats("opencensus")("s", "datadog")), "");
  });

  it("need a toolchain that can build them", () => {
    const said = (goVersion: string, args: AthensArgs = good) => text(checkAthens("", args, { hosts: 1, goVersion }));
    assert.match(said("1.25.10"), /binary\.kind: given "module, by go1\.25\.10", wanted Go 1\.26\.2 or newer/);
    assert.equal(said("1.26.2"), "");
    assert.equal(said("1.27rc1"), "");
    const amd64 = { url: "https://dl.corp.example/athens", sha256: sha256Of("a") };
    assert.equal(said("1.25.10", { ...good, binary: { kind: "file", amd64 } }), "");
  });
});
