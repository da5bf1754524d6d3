import type { Panel, Query, Threshold } from "./panels";

/** What a dashboard is made of. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  /** What people call one component, and a metric that each has. */
  readonly component: { readonly label: string; readonly metric: string };
  readonly panels: readonly Panel[];
}

/**
 * A Grafana dashboard, JSON to be imported. It asks for the Prometheus data source and the component when it is opened.
 *
 * @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
export function dashboardFile({ uid, title, component, panels }: Dashboard): string {
  return `${JSON.stringify(
    {
      uid,
      title,
      tags: ["gofleet", "go"],
      schemaVersion: 39,
      version: 1,
      editable: true,
      graphTooltip: 1,
      refresh: "1m",
      time: { from: "now-24h", to: "now" },
      timezone: "browser",
      templating: { list: [DATA_SOURCE, componentVariable(component)] },
      panels: placed(panels),
    },
    null,
    2,
  )}\n`;
}

const DATA_SOURCE = { name: "source", label: "Data source", type: "datasource", query: "prometheus" };

function componentVariable({ label, metric }: Dashboard["component"]) {
  return {
    name: "component",
    label,
    type: "query",
    datasource: { type: "prometheus", uid: "${source}" },
    query: { query: `label_values(${metric}, component)`, refId: "component" },
    refresh: 2,
    sort: 1,
  };
}

/** A metric of the component that the dashboard shows, with more labels: `,cache="1"`. */
export function ofShown(metric: string, labels = ""): string {
  return `${metric}{component="$component"${labels}}`;
}

export function query(expr: string, legend: string): Query {
  return { expr, legend };
}

/** Blue is plain, green good, orange a warning, red wrong: the same all over. */
export const GOOD_BAD: readonly Threshold[] = [
  { color: "green", value: null },
  { color: "red", value: 1 },
];

/** A share of a file system, or of something else that must not be full. */
export const FULL: readonly Threshold[] = [
  { color: "green", value: null },
  { color: "orange", value: 0.85 },
  { color: "red", value: 0.95 },
];

/** Small panels six a line, large ones two; a row starts a new line. The grid is 24 wide. */
function placed(panels: readonly Panel[]): readonly object[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map((each, index) => {
    if (x + each.width > 24 || each.width === 24) [x, y, height] = [0, y + height, 0];
    const gridPos = { x, y, w: each.width, h: each.height };
    [x, height] = [x + each.width, Math.max(height, each.height)];
    return { id: index + 1, ...each.json, gridPos };
  });
}
