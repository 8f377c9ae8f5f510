/** The digests S3 knows, fed chunk by chunk. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface Digest {
  update(chunk: Uint8Array): void;
  /** Base64, as the headers carry it. To be called once. */
  value(): string;
}

const hash = (name: string): Digest => {
  const digest = createHash(name);
  return { update: (chunk) => void digest.update(chunk), value: () => digest.digest('base64') };
};

const word = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
};

function crc32Digest(): Digest {
  let state = 0;
  return {
    update(chunk) {
      state = crc32(chunk, state);
    },
    value: () => word(state),
  };
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32cDigest(): Digest {
  let state = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) state = (castagnoli[(state ^ byte) & 0xff] ?? 0) ^ (state >>> 8);
    },
    value: () => word(~state),
  };
}

// CRC-64/NVME, reflected polynomial 0x9a6c9329ac4bc9b5, in two halves since numbers here have 32 usable bits.
const nvmeHigh = new Uint32Array(256);
const nvmeLow = new Uint32Array(256);
for (let index = 0; index < 256; index += 1) {
  let high = 0;
  let low = index;
  for (let bit = 0; bit < 8; bit += 1) {
    const odd = low & 1;
    low = ((low >>> 1) | (high << 31)) >>> 0;
    high >>>= 1;
    if (odd) {
      low = (low ^ 0xac4bc9b5) >>> 0;
      high = (high ^ 0x9a6c9329) >>> 0;
    }
  }
  nvmeHigh[index] = high;
  nvmeLow[index] = low;
}

function crc64NvmeDigest(): Digest {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(chunk) {
      for (const byte of chunk) {
        const index = (low ^ byte) & 0xff;
        low = (((low >>> 8) | (high << 24)) ^ (nvmeLow[index] ?? 0)) >>> 0;
        high = ((high >>> 8) ^ (nvmeHigh[index] ?? 0)) >>> 0;
      }
    },
    value() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes.toString('base64');
    },
  };
}

/** By the part of the header name after `x-amz-checksum-`. */
export const checksumDigests: Record<string, () => Digest> = {
  crc32: crc32Digest,
  crc32c: crc32cDigest,
  crc64nvme: crc64NvmeDigest,
  sha1: () => hash('sha1'),
  sha256: () => hash('sha256'),
};

/** How many bytes each checksum has. */
export const checksumBytes: Record<string, number> = {
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
  sha1: 20,
  sha256: 32,
};

export const md5Digest = (): Digest => hash('md5');
