/** Whether bytes are the picture that they are said to be, and one that can be shown to anybody. */
import type { Picture } from '../../shared/images/logo.ts';
import { PictureError } from './picture-error.ts';
import { requirePng } from './png.ts';
import { requireSafeSvg } from './svg.ts';
import { XmlError } from './xml.ts';

export { PictureError };

/** Throws `PictureError`, whose message completes "The logo can't be used: …". */
export function requirePicture({ type, bytes }: Picture): void {
  try {
    if (type === 'image/png') requirePng(bytes);
    else requireSafeSvg(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof XmlError) throw new PictureError(`it is not well-formed XML: ${error.message}`);
    if (error instanceof TypeError) throw new PictureError('it is not UTF-8 text');
    throw error;
  }
}
