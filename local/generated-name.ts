/** Names for declared resources whose template gives none. */
import { createHash } from 'node:crypto';

/**
 * A CloudFormation-like name, `<stack>-<logicalId>-<12 characters>`, the same at every start.
 * `maxLength` is the service's limit on names.
 */
export function generatedName(declared: { stack: string; logicalId: string }, maxLength = 128): string {
  const suffix = stableSuffix(`${declared.stack}/${declared.logicalId}`, 12);
  return `${`${declared.stack}-${declared.logicalId}`.slice(0, maxLength - suffix.length - 1)}-${suffix}`;
}

/** `length` letters and digits derived from `text`. */
export function stableSuffix(text: string, length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, length), (byte) => alphabet[byte % alphabet.length]).join('');
}
