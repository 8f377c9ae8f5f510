/** Tar archives byte by byte: also those that no program would write. */

export interface TarEntry {
  path: string | Buffer;
  type?: string;
  link?: string;
  content?: string | Buffer;
  /** What the header says; otherwise the content's. */
  sizeBytes?: number;
  mode?: number;
  prefix?: string;
}

export function entry({
  path,
  type = '0',
  link = '',
  content = '',
  sizeBytes,
  mode = 0o644,
  prefix = '',
}: TarEntry): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  Buffer.from(path).copy(header, 0, 0, 100);
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  header.write(`${(sizeBytes ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\u000000', 257);
  header.write(prefix, 345);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A pax header for the entry behind it. */
export function pax(fields: Record<string, string>, type: 'x' | 'g' = 'x'): Buffer {
  const records = Object.entries(fields).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest;
    while (length !== rest + String(length).length) length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return entry({ path: 'PaxHeaders/x', type, content: records.join('') });
}

export const tar = (...entries: Buffer[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)]);

export const tarOf = (...entries: TarEntry[]): Buffer => tar(...entries.map(entry));

export const file = (path: string | Buffer): TarEntry => ({ path, content: 'x' });
export const link = (path: string, to: string): TarEntry => ({ path, type: '2', link: to });
export const hardLink = (path: string, to: string): TarEntry => ({ path, type: '1', link: to });
