import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArtifacts } from '../../../shared/aws/artifacts.ts';
import { getUpload } from '../../../shared/store/uploads.ts';
import { startDeployment, type TestDeployment } from '../deployment.ts';
import { call } from '../event.ts';
import { organisationService } from './service.ts';

let deployment: TestDeployment;
let service: ReturnType<typeof organisationService>;
beforeAll(async () => {
  deployment = await startDeployment();
  service = organisationService(deployment);
});
afterAll(() => deployment?.stop());

const bytes = Buffer.from('a build context');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const ask = (body: object) => call(service.handler, { method: 'POST', route: '/v1/uploads', body });
const announce = async () => (await ask({ kind: 'context', sizeBytes: bytes.length, sha256 })).body;
const put = async ({ url, headers }: { url: string; headers: Record<string, string> }, body: Buffer) => {
  // fetch sets the length by itself, and sends what it is given otherwise.
  const { 'content-length': _, ...others } = headers;
  return await fetch(url, { method: 'PUT', headers: others, body });
};

describe('B1, E7 uploads', () => {
  it('take exactly the bytes that were announced', async () => {
    const upload = await announce();
    expect(upload.headers).toEqual({
      'content-length': String(bytes.length),
      'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
    });
    const signed = new URL(upload.url).searchParams.get('X-Amz-SignedHeaders');
    expect(signed).toBe('content-length;host;x-amz-checksum-sha256');
    const answer = await put(upload, bytes);
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    const record = await getUpload(deployment.table, 'acme', upload.id);
    expect(record).toMatchObject({
      kind: 'context',
      key: `acme/uploads/${upload.id}`,
      sizeBytes: bytes.length,
      sha256,
    });
    expect(await createArtifacts('artifacts', deployment.s3).read(`acme/uploads/${upload.id}`)).toBe(
      'a build context',
    );
  });

  it('refuse other bytes, another length, and a checksum that was left out or changed', async () => {
    const artifacts = createArtifacts('artifacts', deployment.s3);
    const upload = await announce();
    const other = Buffer.from('A BUILD CONTEXT');
    const checksum = createHash('sha256').update(other).digest('base64');
    for (const attempt of [
      put(upload, other),
      put(upload, Buffer.concat([bytes, bytes])),
      put({ ...upload, headers: {} }, bytes),
      put({ ...upload, headers: { 'x-amz-checksum-sha256': checksum } }, other),
      put({ ...upload, url: upload.url.replace(upload.id, 'upl_other') }, bytes),
    ])
      expect([400, 403]).toContain((await attempt).status);
    expect(await artifacts.exists(`acme/uploads/${upload.id}`)).toBe(false);
  });

  it.each([
    [{ sizeBytes: 0 }, '/sizeBytes'],
    [{ sizeBytes: 1024 ** 3 + 1 }, '/sizeBytes'],
    [{ sha256: 'abc' }, '/sha256'],
    [{ sha256: sha256.toUpperCase() }, '/sha256'],
    [{ kind: 'logo' }, '/kind'],
    [{ kind: 'source' }, '/kind'],
  ])('refuse %j', async (change, pointer) => {
    const seen = await ask({ kind: 'context', sizeBytes: 5, sha256, ...change });
    expect(seen.body.errors).toMatchObject([{ pointer }]);
  });
});
