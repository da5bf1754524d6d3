/** The same entries in the order of their keys, so that equal maps are equal bytes. */
export function sortedByKey<V>(map: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
