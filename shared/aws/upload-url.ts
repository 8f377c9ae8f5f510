/** Presigned PUTs that admit exactly one object: its length and SHA-256 are signed, so S3 refuses any other bytes. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

export interface UploadUrl {
  url: string;
  /** Signed with it: all of them have to be sent as they are. */
  headers: Record<string, string>;
}

export interface UploadTarget {
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
}

export type SignUpload = (target: UploadTarget, expiresInSeconds: number, now: Date) => Promise<UploadUrl>;

export function createUploadSigner(
  bucket: string,
  // Left to itself the SDK signs a CRC32 of the empty body that it has before anything is sent.
  client: S3Client = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
): SignUpload {
  return async ({ key, sizeBytes, sha256 }, expiresInSeconds, now) => {
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const url = await getSignedUrl(
      client,
      new PutObjectCommand({ Bucket: bucket, Key: key, ContentLength: sizeBytes, ChecksumSHA256: checksum }),
      {
        expiresIn: expiresInSeconds,
        signingDate: now,
        // In the query the checksum would be a wish; as a signed header it is a condition.
        unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
        signableHeaders: new Set(['host', 'content-length', 'x-amz-checksum-sha256']),
      },
    );
    return { url, headers: { 'content-length': String(sizeBytes), 'x-amz-checksum-sha256': checksum } };
  };
}
