/** Hashes of signature algorithms that must not be used any more, by object identifier. See RFC 3279 and RFC 5758. */
const WEAK: Readonly<Record<string, "md5" | "sha1">> = {
  "1.2.840.113549.1.1.4": "md5",
  "1.2.840.113549.1.1.5": "sha1",
  "1.2.840.10040.4.3": "sha1",
  "1.2.840.10045.4.1": "sha1",
  "1.3.14.3.2.29": "sha1",
};

/** The weak hash in a certificate's signature; undefined for every other one. */
export function signatureHash(der: Buffer): "md5" | "sha1" | undefined {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { algorithm OBJECT IDENTIFIER, … }, … }
  const certificate = element(der, 0);
  const signed = element(der, certificate.from);
  const algorithm = element(der, signed.to);
  const identifier = element(der, algorithm.from);
  return WEAK[objectIdentifier(der.subarray(identifier.from, identifier.to))];
}

/** Where the contents of the element at `offset` begin and end. */
function element(der: Buffer, offset: number): { readonly from: number; readonly to: number } {
  const first = der[offset + 1] ?? 0;
  const bytes = first < 0x80 ? 0 : first & 0x7f;
  const from = offset + 2 + bytes;
  const length = bytes === 0 ? first : der.readUIntBE(offset + 2, bytes);
  return { from, to: from + length };
}

function objectIdentifier(bytes: Buffer): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join(".");
}
