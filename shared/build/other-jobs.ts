/** What mirrors and validations leave on images when they have succeeded; builds only change their own image. */
import { findImage, type ImageRecord, imageItem } from '../images/record.ts';
import type { Validation } from '../model/validation.ts';
import { putWrite } from '../store/advance.ts';
import { type Table, versionIs, type Write } from '../store/table.ts';
import type { BuildRecord } from './record.ts';

/** What a job that has ended came to. */
interface Done {
  pushed?: { digest: string };
  validation?: Validation;
}

/** `image` is the job's own. */
export async function writesAfter(
  table: Table,
  organisation: string,
  record: Pick<BuildRecord, 'id' | 'kind' | 'uri' | 'imageId' | 'sourceImageId'>,
  image: ImageRecord | undefined,
  end: Done,
  time: Date,
): Promise<Write[]> {
  if (record.kind === 'validation' && image && end.validation)
    return [change(table, organisation, withValidation(image, record.id, end.validation, time))];
  const { sourceImageId } = record;
  if (record.kind !== 'mirror' || !end.pushed || !sourceImageId || sourceImageId === record.imageId)
    return [];
  const source = await findImage(table, organisation, sourceImageId);
  if (!source) return [];
  const mirror = { imageId: record.imageId, uri: record.uri, digest: end.pushed.digest };
  return [change(table, organisation, { ...source, mirror })];
}

/** Of each check the last result, as long as it is about the same image. */
function withValidation(
  image: ImageRecord,
  buildId: string,
  validation: Validation,
  time: Date,
): ImageRecord {
  const before = image.validation?.digest === validation.digest ? image.validation : undefined;
  return { ...image, validation: { ...before, ...validation, buildId, finishedAt: time.toISOString() } };
}

const change = (table: Table, organisation: string, image: ImageRecord): Write =>
  putWrite(
    table,
    imageItem(table, organisation, { ...image, version: image.version + 1 }),
    versionIs(image.version),
  );
