import { ArchiveError } from './archive-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws `ArchiveError` for what isn't UTF-8: two names of other bytes would become one. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ArchiveError(
      `it has a name that is not UTF-8: "${Buffer.from(bytes).toString('latin1').slice(0, 100)}"`,
    );
  }
}
