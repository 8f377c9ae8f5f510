/** Zip archives byte by byte: also those that no program would write. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  path: string | Buffer;
  content?: string | Buffer;
  /** Unix mode with the type of file in it. */
  mode?: number;
  flags?: number;
  deflate?: boolean;
  /** What the local header says, where that is something else. */
  localPath?: string;
  localMethod?: number;
  sizeBytes?: number;
  crc?: number;
  zip64?: boolean;
  /** Of the content as it is packed, where that is written elsewhere. */
  packedBytes?: number;
  /** Takes another entry's content. */
  headerAt?: number;
}

export function zip(files: ZipFile[], comment = ''): Buffer {
  const locals: Buffer[] = [];
  const records: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const { local, record } = partsOf(file, file.headerAt ?? at);
    records.push(record);
    if (file.headerAt !== undefined) continue;
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...locals, directory, end, Buffer.from(comment)]);
}

function partsOf(file: ZipFile, headerAt: number): { local: Buffer; record: Buffer } {
  const { path, content = '', mode = 0o100644, flags = 0, deflate = false, zip64 = false } = file;
  const name = Buffer.from(path);
  const localName = Buffer.from(file.localPath ?? path);
  const bytes = Buffer.from(content);
  const packed = deflate ? deflateRawSync(bytes) : bytes;
  const method = deflate ? 8 : 0;
  const sizeBytes = file.sizeBytes ?? bytes.length;
  const packedBytes = file.packedBytes ?? packed.length;
  const crc = file.crc ?? crc32(bytes);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(flags, 6);
  local.writeUInt16LE(file.localMethod ?? method, 8);
  local.writeUInt32LE(crc, 14);
  local.writeUInt32LE(packedBytes, 18);
  local.writeUInt32LE(sizeBytes, 22);
  local.writeUInt16LE(localName.length, 26);
  const extra = zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
  if (zip64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    for (const [i, value] of [sizeBytes, packedBytes, headerAt].entries())
      extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  }
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record[5] = 3;
  record.writeUInt16LE(flags, 8);
  record.writeUInt16LE(method, 10);
  record.writeUInt32LE(crc, 16);
  record.writeUInt32LE(zip64 ? 0xffffffff : packedBytes, 20);
  record.writeUInt32LE(zip64 ? 0xffffffff : sizeBytes, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE((mode << 16) >>> 0, 38);
  record.writeUInt32LE(zip64 ? 0xffffffff : headerAt, 42);
  return { local: Buffer.concat([local, localName, packed]), record: Buffer.concat([record, name, extra]) };
}
