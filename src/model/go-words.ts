/**
 * Words of a Go setting that holds a list (GOFLAGS, CC, CGO_CFLAGS): split at spaces, a word may be quoted whole by `'`
 * or `"`, and nothing is escaped. Undefined when a quote is not closed. See `go help environment`.
 */
export function splitGoWords(text: string): string[] | undefined {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== "") {
    const found = /^(?:'([^']*)'|"([^"]*)"|([^\s'"]\S*))/.exec(rest);
    if (!found) return undefined;
    words.push(found[1] ?? found[2] ?? found[3] ?? "");
    rest = rest.slice(found[0].length).trimStart();
  }
  return words;
}

/** The text go itself writes for these words; undefined when a word holds both kinds of quotes. */
export function joinGoWords(words: readonly string[]): string | undefined {
  const spelled = words.map((word) => {
    if (!/[\s'"]/.test(word)) return word;
    if (!word.includes("'")) return `'${word}'`;
    return word.includes('"') ? undefined : `"${word}"`;
  });
  return spelled.includes(undefined) ? undefined : spelled.join(" ");
}
