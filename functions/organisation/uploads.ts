import type * as z from 'zod';
import type { newUploadSchema, uploadSchema } from '../../shared/model/organisation.ts';
import { addUpload } from '../../shared/store/uploads.ts';
import type { Asking, OrganisationDependencies } from './dependencies.ts';

/** Enough for a gigabyte at 3 Mbit/s; the URL ends earlier with the function's own credentials, should those end. */
const validSeconds = 3600;

/** Announces an upload and answers where to put it. A repeated request gets the same URL, with what is left of its time. */
export async function createUpload(
  { table, signUpload }: Pick<OrganisationDependencies, 'table' | 'signUpload'>,
  { caller, now }: Asking,
  id: string,
  { kind, sizeBytes, sha256 }: z.output<typeof newUploadSchema>,
): Promise<z.output<typeof uploadSchema>> {
  const record = await addUpload(table, caller.organisation, {
    id,
    kind,
    sizeBytes,
    sha256,
    createdAt: now.toISOString(),
    createdBy: caller.email,
  });
  const { url, headers } = await signUpload(record, validSeconds, now);
  return { id, url, headers, expiresAt: new Date(now.getTime() + validSeconds * 1000).toISOString() };
}
