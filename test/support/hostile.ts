import fc from "fast-check";

/** Pieces that mean something to a shell, to systemd, to a Go settings file or to a path. */
const PIECES = [
  ..."'\"`\\$%;&|<>(){}[]*?!#~=,: \t\n\r\0\u000b\u001b\u007f\u0085\u2028",
  "$(id)",
  "${HOME}",
  "%i",
  "%%",
  "$$",
  "\\\n",
  "\nGOFLAGS=-x",
  "\n[Service]\nUser=root",
  "..",
  "/../",
  "//",
  "é",
  "日本",
  "😀",
  "\ud800",
  "\uffff",
  "-rf",
  "a",
  "B0",
];

/** Strings meant to break out: hostile pieces among any Unicode at all. */
export const hostile = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(""));

/** Runs a property over batches, so that one call of a real parser checks many strings. */
export function batches(size: number): fc.Arbitrary<string[]> {
  return fc.array(hostile, { minLength: size, maxLength: size });
}
