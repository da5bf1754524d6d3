import type { AbsolutePath } from "../model/names";
import type { PlanFile } from "./host-plan";

/** A file of settings as most are: root's, readable by all, a link through the release. */
export function textFile<Text>(path: AbsolutePath, text: Text): PlanFile<Text> {
  return { path, text, mode: "0644", owner: "root", group: "root", place: "link" };
}
