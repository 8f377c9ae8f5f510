/** A name that is no image's here is looked for in a registry (E3): what is said where that finds nothing either. */
import { RegistryError, type RegistryErrorCode } from '../registry/model.ts';
import type { ResolvedName } from '../registry/resolve.ts';
import type { Table } from '../store/table.ts';
import { tagsOf } from './record.ts';

const tagsShown = 5;

/** The registry has the image: the name was no mistake. */
const found = new Set<RegistryErrorCode>(['no-platform', 'too-large', 'corrupt']);

/** `look` asks the registry. Its `RegistryError` keeps its code, and says what the name is not, too. */
export async function guessed<T>(
  table: Table,
  organisation: string,
  { requested, missed, uri }: ResolvedName,
  look: () => Promise<T>,
): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!missed || !(error instanceof RegistryError) || found.has(error.code)) throw error;
    const { repository, tag } = missed;
    const { code, host, message, status, retryAfterSeconds, cause } = error;
    const tags = await tagsOf(table, organisation, repository, tagsShown + 1);
    const shown = tags.slice(0, tagsShown).join(', ') + (tags.length > tagsShown ? ' and more' : '');
    const others =
      tags.length > 0
        ? ` (it has ${repository} with ${tags.length === 1 ? 'the tag' : 'the tags'} ${shown})`
        : '';
    const typed =
      requested === undefined
        ? `The request names no image, so the default ${repository}:${tag} applies. `
        : '';
    throw new RegistryError(
      code,
      host,
      `${typed}Your organisation has no image ${repository}:${tag}${others}, so Slipway tried ${uri}: ${message}`,
      {
        cause,
        ...(status === undefined ? {} : { status }),
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      },
    );
  }
}
