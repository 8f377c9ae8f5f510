/** Builds with files, secrets and a cache, through the API. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { tarOf } from '../builder/archive/tar.ts';
import { zip } from '../builder/archive/zip.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const folder = mkdtempSync(join(tmpdir(), 'slipway-contexts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = join(folder, 'context');
mkdirSync(join(context, 'sub'), { recursive: true });
writeFileSync(join(context, 'hello.txt'), 'hello from the context\n');
writeFileSync(join(context, 'sub', 'run.sh'), '#!/bin/sh\necho it runs\n', { mode: 0o755 });
writeFileSync(join(context, 'secret.env'), 'not for the image\n');
writeFileSync(join(context, '.dockerignore'), 'secret.env\n');

async function announce(bytes: Buffer): Promise<Json> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const made = await api.post('/v1/uploads', { kind: 'context', sizeBytes: bytes.length, sha256 });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}

async function upload(bytes: Buffer, put = true): Promise<string> {
  const { id, url, headers } = await announce(bytes);
  if (put) {
    const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) });
    expect(answer.status, await answer.text()).toBe(200);
  }
  return id;
}

const tarball = () => {
  const archive = join(folder, 'context.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', context, '.']);
  return readFileSync(archive);
};

const post = (source: object, repository = unique('ctx'), tag = '1') =>
  api.post('/v1/images', { source: { type: 'build', ...source }, repository, tag });

async function build(
  source: object,
  repository?: string,
  tag?: string,
): Promise<{ done: Json; lines: string[] }> {
  const reply = await post(source, repository, tag);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  const lines = (await api.log(path)).map((line) => line.text);
  return { done: await api.until(path, settled), lines };
}

const dockerfile = [
  `FROM ${tinyBase}`,
  'COPY . /app/',
  'RUN cat /app/hello.txt && /app/sub/run.sh && test ! -e /app/secret.env',
  '',
].join('\n');

describe('B1 a context', () => {
  const zipped = () => {
    const archive = join(folder, 'context.zip');
    execFileSync('python3', [
      '-c',
      'import os,sys,zipfile\nz=zipfile.ZipFile(sys.argv[2],"w",zipfile.ZIP_DEFLATED)\nos.chdir(sys.argv[1])\nfor d,_,fs in os.walk("."):\n  for f in fs: z.write(os.path.join(d,f))\n',
      context,
      archive,
    ]);
    return readFileSync(archive);
  };
  it.each([
    ['tar.gz', tarball],
    ['zip', zipped],
  ])('as %s is there, with its modes and without what .dockerignore names', async (_name, bytes) => {
    // The same files in another archive would be served by the cache.
    const fresh = dockerfile.replace('COPY', `RUN echo ${unique('fresh')}\nCOPY`);
    const { done, lines } = await build({ dockerfile: fresh, contextUploadId: await upload(bytes()) });
    expect(done, lines.join('\n')).toMatchObject({ status: 'succeeded' });
    expect(lines.some((line) => line.endsWith('hello from the context'))).toBe(true);
    expect(lines.some((line) => line.endsWith('it runs'))).toBe(true);
  });

  it('that lacks a file, or is no archive, fails the build with a code of its own', async () => {
    const lacking = await build({
      dockerfile: `FROM ${tinyBase}\nCOPY nowhere.txt /x\n`,
      contextUploadId: await upload(tarball()),
    });
    expect(lacking.done).toMatchObject({
      status: 'failed',
      failure: { code: 'file-missing', step: expect.stringContaining('COPY nowhere.txt') },
    });
    const rubbish = await build({ dockerfile, contextUploadId: await upload(Buffer.from('no archive')) });
    expect(rubbish.done).toMatchObject({ status: 'failed', failure: { code: 'context-invalid' } });
  });

  it('of other bytes than were declared is refused by the place it is put to', async () => {
    const declared = tarball();
    const changed = Buffer.from(declared);
    changed[50] = (changed[50] ?? 0) ^ 1;
    const { url, headers, id } = await announce(declared);
    const checksum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
    const attempts: [Buffer, Record<string, string>][] = [
      [changed, headers],
      [changed, { ...headers, 'x-amz-checksum-sha256': checksum(changed) }],
      [declared.subarray(1), { ...headers, 'content-length': String(declared.length - 1) }],
      [declared, {}],
    ];
    for (const [bytes, sent] of attempts) {
      const answer = await fetch(url, { method: 'PUT', headers: sent, body: new Uint8Array(bytes) });
      expect([400, 403], await answer.text()).toContain(answer.status);
    }
    const reply = await post({ dockerfile, contextUploadId: id });
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/source/contextUploadId' }] } });
  });

  it('that leads outside, or unpacks to too much, fails the build with a code that says so', async () => {
    const link = { path: 'out', type: '2', link: '..' };
    const cases = [
      ['context-invalid', tarOf(link, { path: 'out/result.json', content: '{}' })],
      ['context-invalid', zip([{ path: '../result.json', content: '{}' }])],
      ['context-too-large', gzipSync(tarOf({ path: 'x', sizeBytes: 7 * 2 ** 30 }))],
    ] as const;
    for (const [code, bytes] of cases) {
      const { done } = await build({ dockerfile, contextUploadId: await upload(bytes) });
      expect(done).toMatchObject({ status: 'failed', failure: { code } });
    }
  });

  it('whose links lead to files of the builder gets none of them', async () => {
    const secret = unique('of-the-host');
    writeFileSync(join(folder, 'host.txt'), secret);
    const bytes = tarOf(
      { path: 'file', type: '2', link: join(folder, 'host.txt') },
      { path: 'folder', type: '2', link: folder },
      { path: '.dockerignore', type: '2', link: join(folder, 'host.txt') },
      { path: 'kept', content: 'kept' },
    );
    const contextUploadId = await upload(bytes);
    const copied = `FROM ${tinyBase}\nRUN echo ${unique('fresh')}\nCOPY . /all/\n`;
    const whole = await build({
      dockerfile: `${copied}RUN ls /all; ! grep -r ${secret} /all\n`,
      contextUploadId,
    });
    expect(whole.done, whole.lines.join('\n')).toMatchObject({ status: 'succeeded' });
    for (const path of ['file', 'folder/host.txt']) {
      const one = await build({ dockerfile: `FROM ${tinyBase}\nCOPY ${path} /x\n`, contextUploadId });
      expect(one.done).toMatchObject({ status: 'failed', failure: { code: 'file-missing' } });
    }
  });

  it('that was never uploaded, or is no context, is refused with nothing written', async () => {
    for (const contextUploadId of ['upl_nothing', await upload(tarball(), false)]) {
      const reply = await post({ dockerfile, contextUploadId });
      expect(reply).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '/source/contextUploadId' }] },
      });
    }
  });
});

describe('B16 a secret', () => {
  it('is mounted where a step asks for it, and is in no record, log or image', async () => {
    const name = unique('token');
    const value = unique('s3cr3t');
    expect((await api.call('PUT', `/v1/secrets/${name}`, { value })).status).toBeLessThan(300);
    const digest = createHash('sha256').update(value).digest('hex');
    const { done, lines } = await build({
      dockerfile: `FROM ${tinyBase}\nRUN --mount=type=secret,id=tok,required=true sha256sum /run/secrets/tok | grep -q ${digest}\n`,
      secrets: { tok: name },
    });
    expect(done, lines.join('\n')).toMatchObject({ status: 'succeeded' });
    expect(lines.join('\n')).not.toContain(value);
    expect(JSON.stringify(done)).not.toContain(value);
  });
});

describe('B9 the layer cache', () => {
  it('is kept beside the image under a tag of its own, and serves an edited Dockerfile', async () => {
    const repository = unique('cache');
    const slow = `FROM ${tinyBase}\nRUN echo ${unique('layer')} > /slow\n`;
    const first = await build({ dockerfile: slow }, repository, '1');
    expect(first.done.status).toBe('succeeded');
    const ecr = new ECRClient(awsConfiguration(cloud));
    const { imageDetails = [] } = await ecr.send(
      new DescribeImagesCommand({ repositoryName: `acme/${repository}` }),
    );
    expect(imageDetails.flatMap(({ imageTags = [] }) => imageTags).sort()).toEqual([
      '1',
      'slipway-cache',
      'slipway-cache-latest',
    ]);
    const second = await build({ dockerfile: `${slow}RUN echo more > /more\n` }, repository, '2');
    expect(second.done.status).toBe('succeeded');
    expect(second.lines.some((line) => line.startsWith('#') && line.endsWith('CACHED'))).toBe(true);
    expect(
      second.lines.some((line) =>
        line.includes(`importing cache manifest from ${cloud.registryHost}/acme/${repository}:slipway-cache`),
      ),
    ).toBe(true);
  });

  it('has a name that nobody else can take', async () => {
    const reply = await post({ dockerfile }, unique('cache'), 'slipway-cache');
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/tag' }] } });
  });
});
