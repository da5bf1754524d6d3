/**
 * Shell text. Everything that becomes part of a command line or a script goes through {@link quote}; nothing else in
 * gofleet puts shell text together from values.
 */

const SAFE = /^[A-Za-z0-9_/.:=@%+,-]+$/;

/** One word of POSIX sh that stands for exactly this text. Throws on a NUL character, which no word can hold. */
export function quote(text: string): string {
  if (text.includes("\0")) throw new Error("a shell word cannot hold a NUL character");
  // Surrogates without a partner cannot be written as UTF-8, so the shell would see another text.
  if (/\p{Cs}/u.test(text)) throw new Error("a shell word must be well-formed Unicode");
  return SAFE.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line of these words. */
export function command(...words: readonly string[]): string {
  return words.map(quote).join(" ");
}
