/** Uploads: what was announced, and where it lies once it has arrived. */
import { absent, ConditionFailedError, type Item, type Table } from './table.ts';

export interface UploadRecord extends Item {
  id: string;
  kind: 'context';
  /** Object in the artifacts bucket. It is there only once the upload is done, and then with exactly these bytes. */
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
  createdAt: string;
  createdBy: string;
}

export const uploadKey = (organisation: string, id: string): string => `${organisation}/uploads/${id}`;

/** Writing the same upload again, as a repeated request does, changes nothing. */
export async function addUpload(
  table: Table,
  organisation: string,
  upload: Pick<UploadRecord, 'id' | 'kind' | 'sizeBytes' | 'sha256' | 'createdAt' | 'createdBy'>,
): Promise<UploadRecord> {
  const record = { ...upload, key: uploadKey(organisation, upload.id) } as UploadRecord;
  try {
    await table.put(organisation, 'uploads', record.id, record, absent);
  } catch (error) {
    if (!(error instanceof ConditionFailedError)) throw error;
  }
  return record;
}

export async function getUpload(
  table: Table,
  organisation: string,
  id: string,
): Promise<UploadRecord | undefined> {
  return (await table.get(organisation, 'uploads', id)) as UploadRecord | undefined;
}
