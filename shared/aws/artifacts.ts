/** Objects in the deployment's bucket. Keys begin with the organisation; nobody outside builds them from user text. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';

export interface Artifacts {
  /** The object as UTF-8 text; nothing where there is none. */
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string, contentType: string): Promise<void>;
  /** Also succeeds where there is none. */
  remove(key: string): Promise<void>;
  exists(key: string): Promise<boolean>;
}

export function createArtifacts(bucket: string, client: S3Client = new S3Client({})): Artifacts {
  return {
    async read(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToString('utf-8')) ?? '';
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async write(key, text, contentType) {
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: contentType }),
      );
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    async exists(key) {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },
  };
}

/** Without the right to list the bucket, S3 answers 403 for a key that isn't there; that stays an error. */
function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}
