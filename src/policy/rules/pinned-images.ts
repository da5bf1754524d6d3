import { containers, parseImage } from "../read/containers";
import { rule } from "../rule";

/** Images that may be others tomorrow. */
export const pinnedImages = rule({
  name: "pinned-images",
  description: "Container images are named by digest; a tag can be moved to other bytes.",
  level: "mandatory",
  severity: "high",
  remediation: 'Name the image by digest and keep the tag for the reader: "registry.corp.example/build:1.8@sha256:…".',
  defaults: { allow: [] as readonly string[] },
  settings: {
    allow: { type: "array", items: { type: "string" }, description: "Image names (without tag) that need no digest." },
  },
  check: ({ props }, { allow }) =>
    containers(props).flatMap(({ path, fields: { image } }) => {
      if (typeof image !== "string") return [];
      const { name, digest } = parseImage(image);
      if (/^sha256:[0-9a-f]{64}$/.test(digest ?? "") || allow.includes(name)) return [];
      return [{ path: `${path}.image`, given: JSON.stringify(image), wanted: `${name}@sha256:<64 hex digits>` }];
    }),
});
