/** PNG files, as far as one has to look to know that they are one. */
import { PictureError } from './picture-error.ts';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** A few bytes can hold a picture that takes gigabytes to show. */
const longestSide = 4096;

/** The signature, a header of bearable size, and chunks that end exactly with the file. */
export function requirePng(bytes: Uint8Array): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, 8).equals(signature)) throw new PictureError('it is not a PNG');
  const broken = new PictureError('the PNG is truncated or corrupt');
  for (let at = 8; ; ) {
    if (at + 12 > file.length) throw broken;
    const length = file.readUInt32BE(at);
    const name = file.toString('latin1', at + 4, at + 8);
    if (at === 8) {
      if (name !== 'IHDR' || length !== 13 || at + 25 > file.length) throw broken;
      const [width, height] = [file.readUInt32BE(at + 8), file.readUInt32BE(at + 12)];
      if (width === 0 || height === 0 || width > longestSide || height > longestSide)
        throw new PictureError(`it has ${width} × ${height} pixels; each side must have 1 to ${longestSide}`);
    }
    at += length + 12;
    if (at > file.length || (name === 'IEND' && at < file.length)) throw broken;
    if (name === 'IEND') return;
  }
}
