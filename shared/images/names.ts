/** One image for one name: a record beside the image holds the name. */
import { conflict } from '../http/problem.ts';
import { putWrite } from '../store/advance.ts';
import { absent, type Table, type Write } from '../store/table.ts';
import { type ImageRecord, nameKey } from './record.ts';

export const nameLock = (table: Table, organisation: string, image: ImageRecord): Write =>
  putWrite(
    table,
    { ...table.key(organisation, 'image-names', nameKey(image)), imageId: image.id, uri: image.uri },
    absent,
  );

/** `remedy`: what the caller can do about it, besides deleting the image. */
export const nameTaken = (
  { uri }: Pick<ImageRecord, 'uri'>,
  imageId: unknown,
  remedy = `build it again with POST /v1/images/${imageId}/builds`,
) =>
  conflict(
    'image-exists',
    `${uri} is already image ${imageId}: ${remedy}, or delete it.`,
    typeof imageId === 'string' ? [imageId] : [],
  );
