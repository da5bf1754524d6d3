const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed|No .* host key is known/i,
    "the host key is not the pinned or known one; if the host was reinstalled, put its new public key into `hostKey`",
  ],
  [/Permission denied/i, "the login was refused; check user, key and `ssh-add -l`"],
  [/Could not resolve hostname/i, "the host name does not resolve"],
  [
    /no password was provided|a password is required|a terminal is required to (read|authenticate)/i,
    "sudo wants a password; give `password`, or a sudoers rule without one",
  ],
  [/incorrect password attempt|Sorry, try again/i, "sudo refused the password"],
  [/is not in the sudoers file|is not allowed to execute|may not run sudo/i, "the user may not use sudo"],
  [/sudo: (command )?not found/i, "sudo is not installed"],
];

/** Why trying again is pointless, in words that say what would do; undefined where it may help. */
export function refusal(code: number, stderr: string): string | undefined {
  const found = REFUSALS.find(([pattern]) => pattern.test(stderr));
  if (found !== undefined) return found[1];
  return code === 255 ? undefined : `the agent did not start (exit code ${code}): ${stderr.trim() || "no message"}`;
}
