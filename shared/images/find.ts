import { isCatalogueId } from '../catalogue/images.ts';
import { conflict, notFound } from '../http/problem.ts';
import type { Table } from '../store/table.ts';
import { catalogueImageById } from './lineage.ts';
import { findImage, type ImageRecord } from './record.ts';
import { registryAnswer } from './registry-answer.ts';

/** An image of the organisation or of the catalogue, to be looked at. Throws 404. */
export async function anyImage(
  dependencies: Parameters<typeof catalogueImageById>[0] & { table: Table },
  organisation: string,
  id: string,
): Promise<ImageRecord> {
  if (!isCatalogueId(id)) return requireImage(dependencies.table, organisation, id);
  const image = await registryAnswer('', () => catalogueImageById(dependencies, organisation, id));
  if (!image) throw notFound('image');
  return image;
}

/** Throws 404 for what the organisation doesn't have, 409 `catalogue-image` for what everybody has. */
export async function requireImage(table: Table, organisation: string, id: string): Promise<ImageRecord> {
  if (isCatalogueId(id))
    throw conflict(
      'catalogue-image',
      'Images of the catalogue are read-only. Add this one to your own images first (POST /v1/images with its URI as `source.url`).',
    );
  const record = await findImage(table, organisation, id);
  if (!record) throw notFound('image');
  return record;
}

/** Throws 409 `image-leaving` once a deletion has begun, even one that died: it can only be finished. */
export function requireStaying({ deleting }: ImageRecord): void {
  if (deleting)
    throw conflict(
      'image-leaving',
      'The image is being deleted. If it is still there in a minute, DELETE it again.',
    );
}
