import assert from "node:assert/strict";

interface Placed {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

/** Panels of a dashboard lie on a grid 24 wide, none over another. */
export function assertNoneOverAnother(dashboard: string): void {
  const { panels } = JSON.parse(dashboard) as { panels: readonly Placed[] };
  assert.ok(panels.length > 0);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, `${title} is too wide`);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), `${title} lies over ${taken.get(`${x} ${y}`)}`);
        taken.set(`${x} ${y}`, title);
      }
    }
  }
}
