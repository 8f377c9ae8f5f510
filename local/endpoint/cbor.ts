/** The little CBOR (RFC 8949) that errors need: one map of texts. */

function head(majorType: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(majorType << 5) | length]);
  if (length < 0x100) return Buffer.from([(majorType << 5) | 24, length]);
  const wide = Buffer.from([(majorType << 5) | 26, 0, 0, 0, 0]);
  wide.writeUInt32BE(length, 1);
  return wide;
}

const text = (value: string): Buffer =>
  Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);

export const cborMap = (fields: Record<string, string>): Buffer =>
  Buffer.concat([
    head(5, Object.keys(fields).length),
    ...Object.entries(fields).flatMap(([key, value]) => [text(key), text(value)]),
  ]);
