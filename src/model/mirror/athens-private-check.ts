import { at, isFields } from "../check";
import { hiddenIssue, issue } from "../issues";
import { parseAddress } from "../names";
import { checkFields, hidden, listOf, parsed, required, secretText, type ValueCheck } from "../field-checks";

/** What Athens shows to repositories. */
export function checkPrivate(isUnknown: (value: unknown) => boolean): ValueCheck {
  const ssh = {
    key: required("an OpenSSH private key", privateKey),
    knownHosts: required("lines of a known_hosts", knownHosts),
    hosts: listOf(parsed(parseAddress), "host names"),
  };
  const specs = {
    netrc: secretText,
    githubToken: hidden("a token, as one word", (text) => /^\S+$/.test(text)),
    ssh: (path: string, given: unknown) => checkFields(path, given, ssh, isUnknown),
    hgrc: secretText,
  };
  return (path, given) => {
    const issues = checkFields(path, given, specs, isUnknown);
    if (!isFields(given) || given.githubToken === undefined || given.netrc === undefined) return issues;
    // Athens makes a netrc of the token, and refuses to start with both.
    const wanted = 'one of them: a token in the netrc is "machine github.com login <token>"';
    return [...issues, hiddenIssue(at(path, "githubToken"), "a token beside a netrc", wanted)];
  };
}

const privateKey = hidden("an OpenSSH private key without a passphrase, from -----BEGIN to -----END", (text) => {
  const [, body] =
    /^-----BEGIN (?!ENCRYPTED)(?:[A-Z]+ )?PRIVATE KEY-----\n([^]+)\n-----END (?:[A-Z]+ )?PRIVATE KEY-----\n*$/.exec(
      text,
    ) ?? [];
  return body !== undefined && !isEncrypted(body);
});

/** Nobody could type the passphrase. The forms besides `ENCRYPTED PRIVATE KEY`: PEM with a header, and OpenSSH's own, which names its cipher. */
function isEncrypted(body: string): boolean {
  if (/^Proc-Type:.*ENCRYPTED/m.test(body)) return true;
  const head = Buffer.from(body, "base64").toString("latin1");
  // See PROTOCOL.key of OpenSSH: a magic text, then a string with its length in four bytes.
  return head.startsWith("openssh-key-v1\0") && !head.startsWith("openssh-key-v1\0\0\0\0\x04none");
}

const knownHosts: ValueCheck = (path, given) => {
  const wanted = 'lines such as "git.corp.example ssh-ed25519 AAAA…" (ssh-keyscan prints them)';
  if (typeof given !== "string" || given.includes("\0")) return [issue(path, given, wanted)];
  const lines = given.split("\n").filter((each) => each.trim() !== "" && !each.startsWith("#"));
  const bad = lines.find(
    (each) => !/^(@(cert-authority|revoked) )?\S+ [a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$/.test(each),
  );
  return lines.length > 0 && bad === undefined ? [] : [issue(path, bad ?? given, wanted)];
};
