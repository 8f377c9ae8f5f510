/** I3: readmes lie beside their images, so that lists don't read them. */
import type { Image } from '../model/image.ts';
import type { Table, Write } from '../store/table.ts';
import { type ImageRecord, imageOf } from './record.ts';

/** An empty readme is none. */
export function readmeWrite(table: Table, organisation: string, imageId: string, text: string): Write {
  const key = table.key(organisation, 'readmes', imageId);
  if (text === '') return { Delete: { TableName: table.name, Key: key } };
  return { Put: { TableName: table.name, Item: { ...key, text } } };
}

/** The image with its readme, which lies apart. */
export async function showImage(table: Table, organisation: string, record: ImageRecord): Promise<Image> {
  if (!record.hasReadme) return imageOf(record);
  const item = await table.get(organisation, 'readmes', record.id);
  return imageOf(record, item?.text as string | undefined);
}
