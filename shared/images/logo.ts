/** I3: uploaded logos lie beside their images, as readmes do. */
import { isUploaded, type LogoType } from '../model/logo.ts';
import type { Table, Write } from '../store/table.ts';
import { markOf } from './logo-marks.ts';
import type { ImageRecord } from './record.ts';

export interface Picture {
  type: LogoType;
  bytes: Uint8Array;
}

export const logoWrite = (table: Table, organisation: string, imageId: string, picture: Picture): Write => ({
  Put: { TableName: table.name, Item: { ...table.key(organisation, 'logos', imageId), ...picture } },
});

export const logoRemoval = (table: Table, organisation: string, imageId: string): Write => ({
  Delete: { TableName: table.name, Key: table.key(organisation, 'logos', imageId) },
});

/** The picture of an image's logo: the one that was uploaded, or that of the name; nothing where it has none. */
export async function readLogo(
  table: Table,
  organisation: string,
  { id, logo }: Pick<ImageRecord, 'id' | 'logo'>,
): Promise<Picture | undefined> {
  if (logo === undefined) return undefined;
  if (!isUploaded(logo)) return { type: 'image/svg+xml', bytes: Buffer.from(markOf(logo)) };
  const item = await table.get(organisation, 'logos', id);
  return item && { type: item.type as LogoType, bytes: item.bytes as Uint8Array };
}
