/** I3: the picture of an image's logo, uploaded, shown and taken away. */
import type { Asking } from '../../shared/http/asking.ts';
import type { Answer, RawBody } from '../../shared/http/operation.ts';
import { notFound, ProblemError } from '../../shared/http/problem.ts';
import { logoRemoval, logoWrite, readLogo } from '../../shared/images/logo.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { anyBytes, type LogoType, logoLimitBytes, uploadedLogo } from '../../shared/model/logo.ts';
import type { Table } from '../../shared/store/table.ts';
import { changeImage } from './change.ts';
import { PictureError, requirePicture } from './picture.ts';

/** Replaces whatever logo the image had. Throws 404, 412, 413 `logo-too-large` and 422 `logo-refused`. */
export async function putLogo(
  table: Table,
  asking: Asking,
  id: string,
  { type, bytes }: RawBody,
  ifMatch: string | undefined,
): Promise<ImageRecord> {
  if (bytes.length > logoLimitBytes)
    throw new ProblemError(
      413,
      'logo-too-large',
      `A logo can have at most ${logoLimitBytes} bytes; this one has ${bytes.length}.`,
    );
  const picture = { type: type === anyBytes ? typeOf(bytes) : (type as LogoType), bytes };
  try {
    requirePicture(picture);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new ProblemError(422, 'logo-refused', `The logo can't be used: ${error.message}.`);
  }
  return changeImage(table, asking, id, ifMatch, () => ({
    set: { logo: uploadedLogo },
    also: [logoWrite(table, asking.organisation, id, picture)],
  }));
}

/** PNG by its first byte, which no text begins with. */
const typeOf = (bytes: Uint8Array): LogoType => (bytes[0] === 0x89 ? 'image/png' : 'image/svg+xml');

/** Whatever logo the image has. Throws 404 also where it has none, and 412. */
export async function removeLogo(
  table: Table,
  asking: Asking,
  id: string,
  ifMatch: string | undefined,
): Promise<void> {
  await changeImage(table, asking, id, ifMatch, ({ logo }) => {
    if (logo === undefined) throw notFound('logo');
    return { set: { logo: undefined }, also: [logoRemoval(table, asking.organisation, id)] };
  });
}

/** A picture that slipped through every check still runs nothing and loads nothing where a browser opens it. */
const harmless = {
  'content-security-policy': "sandbox; default-src 'none'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};

/** Throws 404 for an image without a logo. */
export async function showLogo(table: Table, organisation: string, image: ImageRecord): Promise<Answer> {
  const picture = await readLogo(table, organisation, image);
  if (!picture) throw notFound('logo');
  return {
    status: 200,
    body: picture.bytes,
    etag: image.version,
    headers: { ...harmless, 'content-type': picture.type },
  };
}
