import { createHash } from "node:crypto";

/**
 * Lines of an `auth_basic_user_file`: secret. nginx hashes on every request, so a hash made to be slow would cost far
 * more than the answer; the passwords are long and random instead, which `checkFront` sees to. The salt depends on the
 * user alone, so that the same passwords give the same file.
 * See https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html.
 *
 * @param passwords by user name
 * @param component keeps the salts of two mirrors apart
 */
export function passwordFile(passwords: Readonly<Record<string, string>>, component: string): string {
  return Object.entries(passwords)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([user, password]) => {
      const salt = createHash("sha256").update(`${component}\0${user}`).digest().subarray(0, 16);
      const digest = createHash("sha1").update(password).update(salt).digest();
      return `${user}:{SSHA}${Buffer.concat([digest, salt]).toString("base64")}\n`;
    })
    .join("");
}
