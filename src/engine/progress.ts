/** Called with one short line of text that says what is being done now; it replaces the line before it. */
export type Progress = (text: string) => void;
