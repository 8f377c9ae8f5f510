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

/** `remedy` begins the sentence on what the caller can do, besides deleting the image. */
export const nameTaken = (
  { uri }: Pick<ImageRecord, 'uri'>,
  imageId: unknown,
  remedy = `Build it again with POST /v1/images/${imageId}/builds`,
) =>
  conflict(
    'image-exists',
    `Image ${imageId} already has the name ${uri}. ${remedy}, or delete that image first.`,
    typeof imageId === 'string' ? [imageId] : [],
  );
