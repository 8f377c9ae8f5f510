import type { SecretReader } from './secrets.ts';

/** Fetches the key of Slipway's tokens once and keeps it while the function lives. Throws where it isn't there. */
export function createTokenKey(secrets: SecretReader, secretArn: string): () => Promise<string> {
  let key: Promise<string> | undefined;
  return () => {
    key ??= secrets.read(secretArn).then((value) => {
      if (!value) throw new Error('the token key has no value');
      return value;
    });
    // A failed read is tried again by the next request.
    key.catch(() => {
      key = undefined;
    });
    return key;
  };
}
