import type { Rule } from "../rule";
import { budgets } from "./budgets";
import { checksumDatabase } from "./checksum-database";
import { confinement } from "./confinement";
import { goVersions } from "./go-versions";
import { mirrorData } from "./mirror-data";
import { noDirect } from "./no-direct";
import { pinnedDownloads } from "./pinned-downloads";
import { pinnedImages } from "./pinned-images";
import { plainSecrets } from "./plain-secrets";
import { pprof } from "./pprof";
import { secureSources } from "./secure-sources";

/** Every rule about single resources, in the order of the documentation. */
export const RULES: readonly Rule[] = [
  checksumDatabase,
  secureSources,
  noDirect,
  pinnedDownloads,
  pinnedImages,
  plainSecrets,
  pprof,
  goVersions,
  confinement,
  mirrorData,
  budgets,
];
