/** Message attributes: their limits, and the digest by which clients check them. */
import { createHash } from 'node:crypto';
import { AwsError } from '../platform.ts';
import type { MessageAttribute } from './store.ts';

/** Reads the `MessageAttributes` member: at most ten, each with a type and a value of its kind. */
export function readMessageAttributes(input: unknown): Record<string, MessageAttribute> {
  const entries = Object.entries((input ?? {}) as Record<string, MessageAttribute>);
  if (entries.length > 10)
    throw new AwsError(
      'InvalidParameterValue',
      'Number of message attributes [11] exceeds the allowed maximum [10].',
    );
  for (const [name, { DataType, StringValue, BinaryValue }] of entries) {
    const kind = /^(String|Number|Binary)(\.|$)/.exec(DataType ?? '')?.[1];
    const value = kind === 'Binary' ? BinaryValue : StringValue;
    if (!kind || typeof value !== 'string' || value === '')
      throw new AwsError(
        'InvalidParameterValue',
        `The message attribute '${name}' must contain a non-empty value of its type.`,
      );
  }
  return Object.fromEntries(entries);
}

const sized = (part: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return Buffer.concat([length, part]);
};

/** MD5 over names, types and values, in the order of names; undefined without attributes. */
export function attributesDigest(attributes: Record<string, MessageAttribute>): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  for (const name of names) {
    const { DataType = '', StringValue, BinaryValue } = attributes[name] ?? {};
    const binary = DataType.startsWith('Binary');
    hash.update(sized(Buffer.from(name))).update(sized(Buffer.from(DataType)));
    hash.update(Buffer.from([binary ? 2 : 1]));
    hash.update(sized(binary ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue ?? '')));
  }
  return hash.digest('hex');
}

/** What attributes add to a message's size. */
export const attributesBytes = (attributes: Record<string, MessageAttribute>): number =>
  Object.entries(attributes).reduce(
    (sum, [name, { DataType, StringValue, BinaryValue }]) =>
      sum +
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue ?? '') +
      Buffer.from(BinaryValue ?? '', 'base64').length,
    0,
  );
