/** Whether a text can be CA certificates: PEM, and no key by mistake. */
export function isCertificates(given: unknown): given is string {
  return typeof given === "string" && given.includes("-----BEGIN CERTIFICATE-----") && !given.includes("PRIVATE KEY");
}
