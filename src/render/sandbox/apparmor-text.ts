declare const escaped: unique symbol;

/** Text that is safe in an AppArmor profile; only the functions of this file make it. See apparmor.d(5). */
export type ApparmorText = string & { readonly [escaped]: true };

/** A word in double quotes that stands for exactly this text: no wildcard, alternative or variable is left in it. */
export function apparmorWord(text: string): ApparmorText {
  return quoted(escape(text));
}

/** Any one part of a path between these two texts. */
export function apparmorBetween(before: string, after: string): ApparmorText {
  return quoted(`${escape(before)}*${escape(after)}`);
}

/** What stands below a directory, at any depth. */
export function apparmorBelow(directory: `/${string}`): ApparmorText {
  return quoted(`${escape(directory.replace(/\/+$/, ""))}/**`);
}

/** The directory itself: AppArmor tells it by its slash. */
export function apparmorDirectory(directory: `/${string}`): ApparmorText {
  return quoted(`${escape(directory.replace(/\/+$/, ""))}/`);
}

function escape(text: string): string {
  if (/[\p{Cc}\p{Cs}]/u.test(text)) throw new Error(`${JSON.stringify(text)} cannot be in an AppArmor profile`);
  return text.replace(/[*?[\]{}^,"\\]/g, "\\$&");
}

function quoted(text: string): ApparmorText {
  return `"${text}"` as ApparmorText;
}
