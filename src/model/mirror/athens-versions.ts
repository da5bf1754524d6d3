import type { GoVersion } from "../go-version";

/** What Athens can send its traces and statistics to, by the library it measures with. */
export interface AthensExporters {
  /** Up to 0.18.0. */
  readonly opencensus: {
    readonly tracing: JaegerTracing | DatadogTracing | StackdriverTracing;
    readonly stats: "prometheus" | "datadog";
  };
  /** After 0.18.0: https://github.com/gomods/athens/pull/2138. */
  readonly opentelemetry: {
    readonly tracing: OtlpTracing;
    readonly stats: "prometheus";
  };
}

export type AthensMeasuring = keyof AthensExporters;

/** Traces to Jaeger's collector, over HTTP. */
export interface JaegerTracing {
  /** Athens' name of it. */
  readonly exporter: "jaeger";
  /** The collector, such as `http://jaeger.corp.example:14268`. */
  readonly url: string;
}

/** Traces to Datadog's agent. */
export interface DatadogTracing {
  /** Athens' name of it. */
  readonly exporter: "datadog";
  /** The agent's `host:port`. */
  readonly url: string;
}

/** Traces to Google Cloud Trace. */
export interface StackdriverTracing {
  /** Athens' name of it. */
  readonly exporter: "stackdriver";
  /** The Google Cloud project that gets the traces. */
  readonly project: string;
}

/** Traces to an OpenTelemetry collector. */
export interface OtlpTracing {
  /** Athens' name of it. */
  readonly exporter: "otlp";
  /** The collector's gRPC endpoint, such as `http://otel.corp.example:4317`. */
  readonly url: string;
  /**
   * Share of requests that are traced, from 0 to 1.
   * @default 1
   */
  readonly fraction?: number;
}

/** A release of Athens that gofleet knows the settings of. */
export interface AthensRelease {
  /** The `h1:` of its Go module `github.com/gomods/athens`, as the checksum database has it. */
  readonly h1: string;
  /** The oldest Go release that can build it, as its go.mod says. */
  readonly go: GoVersion;
  readonly measuring: AthensMeasuring;
}

/** The releases that gofleet knows the settings of, oldest first. See https://github.com/gomods/athens/releases. */
export const ATHENS_RELEASES = {
  "0.18.0": { h1: "h1:jooBLf8xIwDOFlLxxo1JZh+JNuDbhHU1GavrEOhoc8U=", go: "1.26.2", measuring: "opencensus" },
} as const satisfies Readonly<Record<string, AthensRelease>>;

/** A release of Athens that gofleet knows. */
export type AthensVersion = keyof typeof ATHENS_RELEASES;

/** The newest release that gofleet knows. */
export const NEWEST_ATHENS: AthensVersion = "0.18.0";

/** How a release measures itself. */
export type MeasuringOf<Version extends AthensVersion> = (typeof ATHENS_RELEASES)[Version]["measuring"];

/** Where a release can send traces. */
export type AthensTracing<Version extends AthensVersion = AthensVersion> =
  AthensExporters[MeasuringOf<Version>]["tracing"];

/** How a release can give out its statistics. */
export type AthensStats<Version extends AthensVersion = AthensVersion> = AthensExporters[MeasuringOf<Version>]["stats"];

export function isAthensVersion(text: unknown): text is AthensVersion {
  return typeof text === "string" && Object.hasOwn(ATHENS_RELEASES, text);
}
