/** A panel and the place it takes on a grid 24 wide. */
export interface Panel {
  readonly width: number;
  readonly height: number;
  readonly json: object;
}

/** A PromQL expression and the name of its line. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** From this value on, this colour; null: from the beginning. */
export interface Threshold {
  readonly color: string;
  readonly value: number | null;
}

const datasource = { type: "prometheus", uid: "${source}" };

/** One number. */
export function stat(
  title: string,
  query: Query,
  options: {
    readonly unit?: string;
    readonly kind?: "stat" | "gauge";
    readonly thresholds?: readonly Threshold[];
    /** Words in place of values. */
    readonly words?: Readonly<Record<number, string>>;
  } = {},
): Panel {
  const { unit = "none", kind = "stat", thresholds = [{ color: "blue", value: null }], words } = options;
  const entries = Object.entries(words ?? {}).map(([value, text], index) => [value, { index, text }]);
  const json = {
    type: kind,
    title,
    datasource,
    targets: [{ ...target(query, 0), instant: true }],
    fieldConfig: {
      defaults: {
        unit,
        ...(kind === "gauge" && { min: 0, max: 1 }),
        color: { mode: "thresholds" },
        thresholds: { mode: "absolute", steps: thresholds },
        mappings: words === undefined ? [] : [{ type: "value", options: Object.fromEntries(entries) as object }],
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      ...(kind === "stat" && { colorMode: "value", graphMode: "none", textMode: "auto" }),
    },
  };
  return { width: 4, height: 5, json };
}

/** Lines over time. */
export function panel(
  title: string,
  queries: readonly Query[],
  options: { readonly unit: string; readonly stacked?: boolean; readonly dashed?: readonly string[] },
): Panel {
  const { unit, stacked = false, dashed = [] } = options;
  const json = {
    type: "timeseries",
    title,
    datasource,
    targets: queries.map(target),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: "palette-classic" },
        custom: {
          lineWidth: 2,
          fillOpacity: stacked ? 25 : 8,
          showPoints: "never",
          spanNulls: true,
          stacking: { mode: stacked ? "normal" : "none" },
        },
      },
      overrides: dashed.map((name) => ({
        matcher: { id: "byName", options: name },
        properties: [
          { id: "custom.lineStyle", value: { fill: "dash", dash: [8, 8] } },
          { id: "custom.fillOpacity", value: 0 },
          { id: "color", value: { mode: "fixed", fixedColor: "red" } },
        ],
      })),
    },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
  };
  return { width: 12, height: 8, json };
}

/** A heading. */
export function row(title: string): Panel {
  return { width: 24, height: 1, json: { type: "row", title, collapsed: false, panels: [] } };
}

function target({ expr, legend }: Query, index: number) {
  return { refId: String.fromCharCode(65 + index), datasource, expr, legendFormat: legend };
}
