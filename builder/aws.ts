/**
 * What the builder asks of AWS, with the credentials of the organisation's builder role. Clients are loaded when they
 * are needed: every phase of a build is a process that somebody waits for.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';

export interface Credentials {
  username: string;
  password: string;
}

export interface Aws {
  readText(key: string): Promise<string>;
  /** Answers size and SHA-256 of what was written to `path`; nothing where the object isn't there. */
  download(
    key: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ sizeBytes: number; sha256: string } | undefined>;
  writeText(key: string, text: string): Promise<void>;
  ecrCredentials(region: string | undefined): Promise<Credentials>;
  /** Nothing where the secret isn't there or may not be read. */
  registryCredentials(secretArn: string): Promise<Credentials | undefined>;
  secretValue(secretArn: string, versionId: string): Promise<string | undefined>;
}

export function createAws(bucket: string): Aws {
  const s3 = new S3Client({});
  let client: SecretsManagerClient | undefined;

  async function secret(secretArn: string, versionId?: string): Promise<string | undefined> {
    const { GetSecretValueCommand, ResourceNotFoundException, SecretsManagerClient } = await import(
      '@aws-sdk/client-secrets-manager'
    );
    client ??= new SecretsManagerClient({});
    try {
      const asked = { SecretId: secretArn, ...(versionId === undefined ? {} : { VersionId: versionId }) };
      return (await client.send(new GetSecretValueCommand(asked))).SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      if ((error as Error).name === 'AccessDeniedException') return undefined;
      throw error;
    }
  }

  return {
    async readText(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString('utf-8')) ?? '';
    },
    async download(key, path, abortSignal) {
      try {
        const asked = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body } = await s3.send(asked, { abortSignal });
        return await writeHashed(Body as Readable, path, abortSignal);
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        // Without the right to list the bucket, S3 doesn't say that a key isn't there.
        if ((error as Error).name === 'AccessDenied') return undefined;
        throw error;
      }
    },
    async writeText(key, text) {
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' }),
      );
    },
    async ecrCredentials(region) {
      const { ECRClient, GetAuthorizationTokenCommand } = await import('@aws-sdk/client-ecr');
      const client = new ECRClient(region === undefined ? {} : { region });
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
      const token = Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString();
      const colon = token.indexOf(':');
      return { username: token.slice(0, colon), password: token.slice(colon + 1) };
    },
    async registryCredentials(secretArn) {
      const text = await secret(secretArn);
      if (text === undefined) return undefined;
      return z.object({ username: z.string(), password: z.string() }).parse(JSON.parse(text));
    },
    async secretValue(secretArn, versionId) {
      const text = await secret(secretArn, versionId);
      return text === undefined ? undefined : z.object({ value: z.string() }).parse(JSON.parse(text)).value;
    },
  };
}

async function writeHashed(
  body: Readable,
  path: string,
  signal: AbortSignal,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(body, measure, createWriteStream(path, { mode: 0o600 }), { signal });
  return { sizeBytes, sha256: hash.digest('hex') };
}
