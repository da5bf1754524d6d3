/** The text with a line break at its end: one is added where there is none. */
export function lineEnded(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
